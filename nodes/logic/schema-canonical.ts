import { FlowError } from '../../engine/errors.ts'
import { spend, type Walk } from './schema-walk.ts'

const MOST_DEPTH = 500

/** Text that two values share exactly when they are equal as JSON: the order of keys does not count. */
export function canonical(value: unknown, walk?: Walk, depth = 0): string {
  if (value === null || typeof value !== 'object' || value instanceof Date) {
    const text = JSON.stringify(value) ?? 'undefined'
    if (walk) spend(walk, 1 + text.length / 50)
    return text
  }
  if (depth > MOST_DEPTH) throw new FlowError('value.too-deep', `A value is nested more than ${MOST_DEPTH} levels deep`)
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, walk, depth + 1)).join()}]`
  const parts = Object.keys(value)
    .filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical((value as Record<string, unknown>)[key], walk, depth + 1)}`)
  if (walk) spend(walk, 1 + parts.length)
  return `{${parts.join()}}`
}
