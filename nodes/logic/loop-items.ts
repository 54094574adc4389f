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
 * number says (its absolute value, rounded up). Anything else has none. The list is a snapshot.
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
  if (Array.isArray(source)) return source.map((value) => [value])
  if (typeof source === 'string') return Array.from(source, (character) => [character])
  if (typeof source === 'number' && Number.isFinite(source)) {
    // One more than any loop may have is enough to be refused.
    const turns = Math.min(Math.abs(Math.ceil(source)), 262_145)
    return Array.from({ length: turns }, (_, index) => [index])
  }
  if (source !== null && typeof source === 'object' && !(source instanceof Date)) {
    return Object.entries(source).map(([key, value]) => [value, key])
  }
  return []
}
