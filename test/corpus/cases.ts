import type { Field } from '../../engine/fields.ts'
import type { AnyNode } from '../../engine/node.ts'
import type { Payload } from '../../engine/payload.ts'
import { loops, missing, type Raw, raws, shapes, withKey } from './raws.ts'

/** Settings and a payload for one visit of a node. */
export interface Case {
  /** Which setting or place has which value. */
  what: string
  config: Payload
  meta: Payload
  payload: Payload
}

type Fields = Record<string, Field<unknown>>

/**
 * Every setting of a node with every value, also inside lists, groups and kinds, on top of the settings of its first example;
 * each word of its choices with each of its examples; and its examples with every value in the places of their payloads.
 */
export function* casesOf(node: AnyNode): Generator<Case> {
  const fields = node.config as Fields
  const examples = node.examples.length > 0 ? node.examples : [{ title: 'nothing', config: {}, payload: {} }]
  for (const { title, config, payload } of examples) {
    const named = { meta: {}, config, payload }
    yield { what: title, ...named }
    for (const { what, config: own } of wordsOf(fields, config))
      yield { ...named, what: `${title}, ${what}`, config: own }
    for (const one of payloadsOf(payload)) yield { ...named, what: `${title}, ${one.what}`, payload: one.payload }
  }
  const { config, payload } = examples[0]!
  yield { what: 'no settings', config: {}, meta: {}, payload }
  yield { what: 'a loop of loops', config: bombed(fields, config), meta: {}, payload }
  for (const { what, config: own } of settingsOf(ofConfig(fields), config))
    yield { what, config: own, meta: {}, payload }
  const meta = Object.fromEntries(Object.entries(fields).filter(([, one]) => one.from === 'meta'))
  for (const { what, config: own } of settingsOf(meta, {})) yield { what: `meta.${what}`, config, meta: own, payload }
}

interface Setting {
  what: string
  config: Payload
}

/** Every field of some settings with every value, the others as in `base`. */
export function* settingsOf(fields: Fields, base: Payload): Generator<Setting> {
  for (const one of Object.values(fields)) {
    for (const raw of valuesOf(one)) yield setting(one.key, raw, base)
    if (one.typeKey !== undefined) {
      for (const raw of raws) yield setting(one.typeKey, raw, base)
      for (const [kind, inner] of Object.entries(one.kinds as Fields)) {
        const typed = { ...base, [one.typeKey]: kind }
        for (const raw of valuesOf(inner)) yield named(kind, setting(one.key, raw, typed))
        yield* inside({ ...inner, key: one.key }, typed)
      }
    }
    yield* inside(one, base)
  }
}

function* inside(one: Pick<Field<unknown>, 'kind' | 'key' | 'of'>, base: Payload): Generator<Setting> {
  if (one.of === null || typeof one.of !== 'object' || Array.isArray(one.of)) return
  const given = base[one.key]
  const entry = (Array.isArray(given) ? given[0] : given) ?? {}
  for (const inner of settingsOf(one.of as Fields, entry as Payload)) {
    const value = one.kind === 'list' ? [inner.config] : inner.config
    yield { what: `${one.key}.${inner.what}`, config: { ...base, [one.key]: value } }
  }
}

function* wordsOf(fields: Fields, base: Payload): Generator<Setting> {
  for (const { key, of, typeKey, kinds, kind } of Object.values(fields)) {
    const words = Array.isArray(of) ? of : kind === 'flag' ? [true, false] : []
    for (const word of words) yield setting(key, { name: String(word), value: word }, base)
    for (const word of typeKey === undefined ? [] : Object.keys(kinds as Fields))
      yield setting(typeKey!, { name: word, value: word }, base)
  }
}

function* payloadsOf(payload: Payload): Generator<{ what: string; payload: Payload }> {
  for (const [key, value] of Object.entries(payload)) {
    for (const { name, value: shape } of shapes)
      yield { what: `${key}: ${name}`, payload: withKey(payload, key, shape) }
    if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Date) continue
    for (const inner of payloadsOf(value as Payload))
      yield { what: `${key}.${inner.what}`, payload: { ...payload, [key]: inner.payload } }
  }
}

function valuesOf({ default: initial }: Field<unknown>): Raw[] {
  return [{ name: 'its default', value: initial ?? missing }, ...raws]
}

function setting(key: string, { name, value }: Raw, base: Payload): Setting {
  return { what: `${key}: ${name}`, config: withKey(base, key, value) }
}

function named(kind: string, { what, config }: Setting): Setting {
  return { what: `${kind} ${what}`, config }
}

function ofConfig(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, one]) => one.from !== 'meta'))
}

function bombed(fields: Fields, base: Payload): Payload {
  const texts = Object.values(fields).filter(
    ({ kind }) => kind === 'template' || kind === 'value' || kind === 'expression',
  )
  return Object.assign({ ...base }, ...texts.map(({ key }) => ({ [key]: loops })))
}
