/** What two runs have in common; "…" stands where they differ. */
export function steady<T>(first: T, second: T): T {
  return common(first, second) as T
}

function common(first: unknown, second: unknown): unknown {
  if (first instanceof Date && second instanceof Date) return common(first.toISOString(), second.toISOString())
  if (Array.isArray(first) && Array.isArray(second) && first.length === second.length) {
    return first.map((one, index) => common(one, second[index]))
  }
  if (isObject(first) && isObject(second)) {
    const keys = Object.keys(first).filter((key) => Object.hasOwn(second, key))
    return Object.fromEntries(keys.map((key) => [key, common(first[key], second[key])]))
  }
  return Object.is(first, second) ? first : '…'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
