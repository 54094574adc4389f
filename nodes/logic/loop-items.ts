import { FlowError } from '../../engine/errors.ts'

/** The most turns of one loop. */
export const MOST_TURNS = 262_144

/** What a turn of a loop finds at its item path. `first` and `last` are absent when they do not apply. */
export interface LoopItem {
  value: unknown
  index: number
  key?: string
  first?: true
  last?: true
}

/**
 * The items of a loop source: elements of an array, characters of a text, entries of an object, or as many turns as a
 * number says (its absolute value, rounded up). Anything else has none. Throws `loop.too-long` above 262,144.
 */
export function loopItems(source: unknown): LoopItem[] {
  const entries = entriesOf(source)
  const end = entries.length - 1
  return entries.map(([value, key], index) => ({
    value,
    index,
    ...(key === undefined ? {} : { key }),
    ...(index === 0 ? { first: true as const } : {}),
    ...(index === end ? { last: true as const } : {}),
  }))
}

function entriesOf(source: unknown): [value: unknown, key?: string][] {
  if (Array.isArray(source)) return atMost(source).map((value) => [value])
  if (typeof source === 'string') {
    // A character is one unit of the text or two: a text of twice the turns has too many, and is not taken apart.
    if (source.length > 2 * MOST_TURNS) throw tooLong(source.length)
    return atMost(Array.from(source)).map((character) => [character])
  }
  if (typeof source === 'number' && Number.isFinite(source)) {
    const turns = Math.abs(Math.ceil(source))
    if (turns > MOST_TURNS) throw tooLong(turns)
    return Array.from({ length: turns }, (_, index) => [index])
  }
  if (source !== null && typeof source === 'object' && !(source instanceof Date)) {
    return atMost(Object.entries(source)).map(([key, value]) => [value, key])
  }
  return []
}

function atMost<T>(items: T[]): T[] {
  if (items.length > MOST_TURNS) throw tooLong(items.length)
  return items
}

function tooLong(items: number): FlowError {
  return new FlowError('loop.too-long', `Expected at most ${MOST_TURNS} items to loop over, got ${items}`)
}
