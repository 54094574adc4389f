import { type Filter, StoreError } from './port.ts'

const deepest = 50
const mostParts = 1000
const mostValues = 100_000

/**
 * Throws StoreError `limit` for a filter that is nested deeper than 50, has more than 1,000 parts or more than 100,000 values
 * in all. For every adapter: the three bounds are the same.
 */
export function checkFilter(filter: Filter) {
  let parts = 0
  let values = 0
  const visit = (part: Filter, depth: number) => {
    parts += 1
    if (depth > deepest) throw tooLarge(`at most ${deepest} levels`)
    if (parts > mostParts) throw tooLarge(`at most ${mostParts} parts`)
    if ('all' in part) for (const inner of part.all) visit(inner, depth + 1)
    else if ('any' in part) for (const inner of part.any) visit(inner, depth + 1)
    else if ('not' in part) visit(part.not, depth + 1)
    else values += valuesOf(part)
    if (values > mostValues) throw tooLarge(`at most ${mostValues} values`)
  }
  visit(filter, 1)
}

function valuesOf(part: Exclude<Filter, { all: unknown } | { any: unknown } | { not: unknown }>): number {
  if ('within' in part) return part.within.length
  if ('tag' in part) {
    const sizes = [part.key, part.value].map((side) => {
      if (side === undefined) return 0
      return 'in' in side ? side.in.length : side.notIn.length
    })
    return sizes.reduce((a, b) => a + b, 0)
  }
  if ('has' in part) return part.has.length
  return part.op === 'in' ? part.value.length : 1
}

function tooLarge(expected: string): StoreError {
  return new StoreError('limit', `Expected a filter of ${expected}. Ask in several steps.`)
}
