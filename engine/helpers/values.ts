import { limitError } from '../budget.ts'

const MOST_CHARS = 5_000_000
const MOST_COMPARED_CHARS = 10_000
const MOST_DEPTH = 200

/**
 * How a value prints in a template: nothing for undefined and null, elements joined by commas, `[object Object]`, ISO 8601
 * UTC for a Date. Never calls a method of the value. Throws `template.limit` past 5,000,000 characters.
 */
export function printValue(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return printArray(value, { chars: 0, most: MOST_CHARS }, 0)
  return printSingle(value)
}

/** A value as a number, as arithmetic sees it: '' and null are 0, a Date is its milliseconds, what is not numeric is NaN. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value
  // The text of more than one element has a comma in it.
  if (Array.isArray(value) && value.length > 1) return Number.NaN
  return Number(toPrimitive(value))
}

/** JavaScript's `<`, with Dates as milliseconds and arrays as their text. */
export function isLess(a: unknown, b: unknown): boolean {
  return (toPrimitive(a) as number) < (toPrimitive(b) as number)
}

/** JavaScript's `<=`, as `isLess`. */
export function isAtMost(a: unknown, b: unknown): boolean {
  return (toPrimitive(a) as number) <= (toPrimitive(b) as number)
}

/** JavaScript's `==`; two objects are equal when they are the same one. */
export function isLooselyEqual(a: unknown, b: unknown): boolean {
  if (isObject(a) === isObject(b)) {
    // biome-ignore lint/suspicious/noDoubleEquals: the author wrote ==
    return a == b
  }
  if (a === null || a === undefined || b === null || b === undefined) return false
  // biome-ignore lint/suspicious/noDoubleEquals: the author wrote ==
  return toPrimitive(a) == toPrimitive(b)
}

/** Empty for a block: false, undefined, null, '', NaN and []; 0 only where `if` asks. */
export function isEmpty(value: unknown): boolean {
  if (!value && value !== 0) return true
  return Array.isArray(value) && value.length === 0
}

/** A value that has keys of its own: an object that is no array and no Date. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

/** A value as the name of a property. A list makes a short name at most. */
export function toKey(value: unknown): string {
  return Array.isArray(value) ? printArray(value, { chars: 0, most: MOST_COMPARED_CHARS }, 0) : printValue(value)
}

/** One own property; undefined for what is inherited or missing. Works on strings (`length`, characters). */
export function readOwn(value: unknown, name: string): unknown {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'object' || typeof value === 'string') {
    if (Object.hasOwn(value as object, name)) {
      const found = (value as Record<string, unknown>)[name]
      return typeof found === 'function' ? undefined : found
    }
  }
  return undefined
}

/** The value at own properties only, from `value` down. */
export function readParts(value: unknown, parts: readonly string[]): unknown {
  let found = value
  for (const part of parts) {
    if (found === null || found === undefined) return undefined
    found = readOwn(found, part)
  }
  return found
}

/** The number of elements, characters or keys; undefined for anything else. */
export function lengthOf(value: unknown): number | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return isRecord(value) ? Object.keys(value).length : undefined
}

// A method such as valueOf may be data of the author, and is never called.
function toPrimitive(value: unknown): unknown {
  if (!isObject(value)) return value
  if (value instanceof Date) return value.getTime()
  return Array.isArray(value) ? printArray(value, { chars: 0, most: MOST_COMPARED_CHARS }, 0) : printSingle(value)
}

function isObject(value: unknown): value is object {
  return value !== null && (typeof value === 'object' || typeof value === 'function')
}

function printSingle(value: unknown): string {
  switch (typeof value) {
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'object':
      if (value === null) return ''
      if (!(value instanceof Date)) return '[object Object]'
      return Number.isNaN(value.getTime()) ? 'Invalid date' : value.toISOString()
    default:
      return ''
  }
}

function printArray(list: readonly unknown[], spent: { chars: number; most: number }, depth: number): string {
  if (depth > MOST_DEPTH) throw limitError(`arrays nested more than ${MOST_DEPTH} deep`, 'Print less')
  let text = ''
  for (let i = 0; i < list.length; i++) {
    const item = list[i]
    if (i > 0) text += ','
    const printed = Array.isArray(item)
      ? printArray(item, spent, depth + 1)
      : typeof item === 'string'
        ? item
        : printSingle(item)
    // An element counts even when it prints as nothing: a list may hold one list many times over.
    spent.chars += 1 + (Array.isArray(item) ? 0 : printed.length)
    if (spent.chars > spent.most) throw limitError(`a list of more than ${spent.most} characters`, 'Print less')
    text += printed
  }
  return text
}
