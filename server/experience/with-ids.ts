const id = /(?<![0-9A-Za-z])[0-9a-f]{24}(?![0-9A-Za-z])/g

/** A JSON value with other ids wherever one stands in a text; what is not among `ids` stays. Keys of objects stay as well. */
export function withIds<T>(ids: ReadonlyMap<string, string>, value: T): T {
  const replace = (one: unknown): unknown => {
    if (typeof one === 'string') return one.length < 24 ? one : one.replace(id, (found) => ids.get(found) ?? found)
    if (Array.isArray(one)) return one.map(replace)
    if (one === null || typeof one !== 'object') return one
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, replace(inner)]))
  }
  return replace(value) as T
}
