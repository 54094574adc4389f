import { Refusal } from '../../nodes/services/listing.ts'
import type { Tag } from '../store/documents/document.ts'

/** Reads one field of a body: gives the value as it is kept, or throws Refusal `Validation` naming the place. */
export type Check<T> = (value: unknown, place: string) => T
export type Checks = Readonly<Record<string, Check<unknown>>>
export type Checked<C extends Checks> = { [K in keyof C]?: ReturnType<C[K]> }

/** Reads a body by the checks of its fields. Keys that are undefined are left out, unknown ones refused. */
export function readBody<C extends Checks>(body: unknown, checks: C, what: string): Checked<C> {
  if (!isObject(body)) throw refused(what, 'an object', body)
  const entries = Object.entries(body).filter(([, value]) => value !== undefined)
  for (const [key] of entries) {
    if (Object.hasOwn(checks, key)) continue
    const known = Object.keys(checks).join(', ')
    throw new Refusal(
      'Validation',
      `Unknown field "${key.slice(0, 80)}" of ${what}. Leave it out; fields are ${known}.`,
    )
  }
  return Object.fromEntries(entries.map(([key, value]) => [key, checks[key]!(value, key)])) as Checked<C>
}

/** Text of `least` to `most` characters. */
export function text(least: number, most: number): Check<string> {
  return (value, place) => {
    if (typeof value === 'string' && value.length >= least && value.length <= most) return value
    throw refused(
      place,
      least === 0 ? `text of at most ${most} characters` : `text of ${least} to ${most} characters`,
      value,
    )
  }
}

/** Null gives undefined: nothing. */
export function orNothing<T>(check: Check<T>): Check<T | undefined> {
  return (value, place) => (value === null ? undefined : check(value, place))
}

export function oneOf<const T extends string>(words: readonly T[]): Check<T> {
  return (value, place) => {
    const found = words.find((word) => word === value)
    if (found === undefined) throw refused(place, `one of ${words.join(', ')}`, value)
    return found
  }
}

export function whole(least: number, most: number): Check<number> {
  return (value, place) => {
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number
    throw refused(place, `a whole number from ${least} to ${most}`, value)
  }
}

export const flag: Check<boolean> = (value, place) => {
  if (typeof value !== 'boolean') throw refused(place, 'true or false', value)
  return value
}

export const id: Check<string> = (value, place) => {
  if (typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value)) return value.toLowerCase()
  throw refused(place, 'an id of 24 hex characters', value)
}

/** Milliseconds since the epoch, from ISO text, milliseconds or a Date. */
export const time: Check<number> = (value, place) => {
  const found =
    typeof value === 'string' && value.trim() !== ''
      ? Date.parse(value)
      : value instanceof Date
        ? value.getTime()
        : value
  if (typeof found === 'number' && Number.isFinite(found)) return Math.round(found)
  throw refused(place, 'a date (ISO text or milliseconds)', value)
}

/** A list of ids, each once. */
export function ids(most: number): Check<string[]> {
  const read = listOf(id, most)
  return (value, place) => [...new Set(read(value, place))]
}

export function listOf<T>(check: Check<T>, most: number): Check<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw refused(place, 'a list', value)
    if (value.length > most)
      throw new Refusal('Validation', `Expected "${place}" to have at most ${most} items, got ${value.length}`)
    return value.map((item, i) => check(item, `${place}[${i}]`))
  }
}

const key = /^[0-9a-zA-Z_-]{1,255}$/

/** A name of a tag or an attribute. */
export const keyText: Check<string> = (value, place) => {
  if (typeof value === 'string' && key.test(value)) return value
  throw refused(place, '1 to 255 letters, digits, "_" or "-"', value)
}

export const tagValue = text(1, 255)

/** Tags with one value a key: `{ key: value }`. */
export const tagMap: Check<Record<string, string>> = (value, place) => {
  if (!isObject(value)) throw refused(place, 'an object of texts', value)
  const entries = Object.entries(value)
  if (entries.length > 100)
    throw new Refusal('Validation', `Expected "${place}" to have at most 100 tags, got ${entries.length}`)
  return Object.fromEntries(
    entries.map(([name, one]) => [keyText(name, `${place} key`), tagValue(one, `${place}.${name.slice(0, 80)}`)]),
  )
}

/** Tags of devices, a key as often as it likes: `[{ key, value }]`, or `{ key: value or [values] }`. */
export const tagList: Check<Tag[]> = (value, place) => {
  const pairs = Array.isArray(value)
    ? value
    : isObject(value)
      ? Object.entries(value).flatMap(([name, one]) => [one].flat().map((each) => ({ key: name, value: each })))
      : undefined
  if (pairs === undefined) throw refused(place, 'a list of { key, value }', value)
  const tags = listOf(tag, 100)(pairs, place)
  return tags.filter((one, i) => tags.findIndex((other) => other.key === one.key && other.value === one.value) === i)
}

const tag: Check<Tag> = (value, place) => {
  if (!isObject(value)) throw refused(place, '{ key, value }', value)
  return { key: keyText(value.key, `${place}.key`), value: tagValue(value.value, `${place}.value`) }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

/** A Refusal that says what was expected and what came. */
export function refused(place: string, expected: string, got: unknown): Refusal {
  const shown = Array.isArray(got)
    ? 'a list'
    : typeof got === 'object' && got !== null
      ? 'an object'
      : String(JSON.stringify(got))
  const short = shown.length > 80 ? `${shown.slice(0, 80)}...` : shown
  return new Refusal(
    'Validation',
    `Expected "${place}" to be ${expected}, got ${got === undefined ? 'nothing' : short}`,
  )
}
