/**
 * A new list in the order of what `read` gives for each item: numbers, dates and booleans by size, then texts by their
 * characters, then everything else as it came. Stable; undefined and null come last in either direction.
 */
export function inOrder(
  items: readonly unknown[],
  read: (item: unknown) => unknown,
  order: 'ascending' | 'descending',
): unknown[] {
  const sign = order === 'descending' ? -1 : 1
  return items
    .map((item) => ({ item, key: keyOf(read(item)) }))
    .sort((a, b) => (a.key.rank !== b.key.rank ? rankOrder(a.key, b.key, sign) : sign * compare(a.key.by, b.key.by)))
    .map(({ item }) => item)
}

interface Key {
  rank: number
  by: number | string
}

const OTHERS = 2
const NULL = 3
const UNDEFINED = 4

function keyOf(value: unknown): Key {
  if (value === undefined || (typeof value === 'number' && Number.isNaN(value))) return { rank: UNDEFINED, by: 0 }
  if (value === null) return { rank: NULL, by: 0 }
  if (typeof value === 'number' || typeof value === 'boolean' || value instanceof Date) {
    return { rank: 0, by: Number(value) }
  }
  return typeof value === 'string' ? { rank: 1, by: value } : { rank: OTHERS, by: 0 }
}

function rankOrder(a: Key, b: Key, sign: number): number {
  return a.rank >= NULL || b.rank >= NULL ? a.rank - b.rank : sign * (a.rank - b.rank)
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
