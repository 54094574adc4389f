import { condition, type Helpers } from './helper.ts'
import { matchesPattern } from './pattern.ts'
import { isAtMost, isLess, isRecord, printValue } from './values.ts'

/** Comparisons: booleans as values, blocks with `{{else}}`. */
export const conditionHelpers: Helpers = {
  eq: condition(([a, b]) => a === b),
  ne: condition(([a, b]) => a !== b),
  gt: condition(([a, b]) => isLess(b, a)),
  gte: condition(([a, b]) => isAtMost(b, a)),
  lt: condition(([a, b]) => isLess(a, b)),
  lte: condition(([a, b]) => isAtMost(a, b)),
  match: condition(([text, pattern], { budget }) => matchesPattern(printValue(text), printValue(pattern), budget)),
  includes: condition(([collection, value], { budget }) => {
    budget.step(searchSteps(collection, value))
    return includesValue(collection, value)
  }),
}

/** Whether a list holds a value, an object has it under some key, or a text contains it. */
export function includesValue(collection: unknown, value: unknown): boolean {
  if (Array.isArray(collection)) return collection.includes(value)
  if (typeof collection === 'string')
    return value !== undefined && value !== null && collection.includes(printValue(value))
  return isRecord(collection) && Object.values(collection).includes(value)
}

// A search for one text in another may look at each pair of characters.
function searchSteps(collection: unknown, value: unknown): number {
  if (typeof collection === 'string')
    return 1 + (collection.length * (typeof value === 'string' ? value.length : 1)) / 2000
  return isRecord(collection) || Array.isArray(collection) ? Object.keys(collection).length : 1
}
