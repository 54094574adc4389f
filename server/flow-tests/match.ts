import { defaultLimits, openBudget } from '../../engine/budget.ts'
import { matchesPattern } from '../../engine/helpers/pattern.ts'

/** One place where what came is not what was expected. */
export interface Mismatch {
  /** Dotted: `reply.data.email`. */
  at: string
  expected: string
  got: string
}

/**
 * Where `got` is not as `expected`: of objects only the expected keys count, lists have the same length. An object with one
 * of the keys `$any`, `$absent`, `$match`, `$contains` or `$equals` says more than a value could.
 */
export function mismatches(expected: unknown, got: unknown, at: string): Mismatch[] {
  const special = specialOf(expected)
  if (special) return special.fits(got) ? [] : [{ at, expected: special.words, got: show(got) }]
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) {
      const what = Array.isArray(got) ? `a list of ${got.length}: ${show(got)}` : show(got)
      return [{ at, expected: `a list of ${expected.length}: ${show(expected)}`, got: what }]
    }
    return expected.flatMap((one, index) => mismatches(one, got[index], `${at}.${index}`))
  }
  if (isObject(expected)) {
    const plain = toPlain(got)
    if (!isObject(plain)) return [{ at, expected: show(expected), got: show(got) }]
    return Object.entries(expected).flatMap(([key, one]) =>
      mismatches(one, Object.hasOwn(plain, key) ? plain[key] : undefined, `${at}.${key}`),
    )
  }
  return expected === toPlain(got) ? [] : [{ at, expected: show(expected), got: show(got) }]
}

/** Where two values are not the same in every key. */
export function differences(expected: unknown, got: unknown, at: string): Mismatch[] {
  if (specialOf(expected)) return mismatches(expected, got, at)
  const [left, right] = [toPlain(expected), toPlain(got)]
  if (Array.isArray(left) && Array.isArray(right) && left.length === right.length) {
    return left.flatMap((one, index) => differences(one, right[index], `${at}.${index}`))
  }
  if (isObject(left) && isObject(right)) {
    const keys = new Set([...Object.keys(left), ...Object.keys(right)])
    const own = (one: Record<string, unknown>, key: string) => (Object.hasOwn(one, key) ? one[key] : undefined)
    return [...keys].flatMap((key) => differences(own(left, key), own(right, key), `${at}.${key}`))
  }
  return left === right ? [] : [{ at, expected: show(expected), got: show(got) }]
}

/** A value as messages quote it, in one line of at most 300 characters. */
export function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
  return text.length <= 300 ? text : `${text.slice(0, 300)}...`
}

interface Special {
  words: string
  fits(got: unknown): boolean
}

function specialOf(expected: unknown): Special | undefined {
  if (!isObject(expected)) return undefined
  const [[key, value] = [], ...rest] = Object.entries(expected)
  if (key === undefined || rest.length > 0) return undefined
  switch (key) {
    case '$any':
      return { words: 'anything', fits: (got) => got !== undefined }
    case '$absent':
      return { words: 'nothing', fits: (got) => got === undefined }
    case '$match':
      return {
        words: `text that fits ${value}`,
        fits: (got) => matchesPattern(textOf(got), String(value), openBudget(defaultLimits)),
      }
    case '$contains':
      return { words: `something with ${show(value)} in it`, fits: (got) => contains(got, value) }
    case '$equals':
      return { words: `exactly ${show(value)}`, fits: (got) => differences(value, got, '').length === 0 }
    default:
      return undefined
  }
}

function contains(got: unknown, value: unknown): boolean {
  if (Array.isArray(got)) return got.some((one) => mismatches(value, one, '').length === 0)
  return textOf(got).includes(String(value))
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

// Dates and views are compared as the JSON that they become.
function toPlain(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}
