const FROM = Symbol('from')
const VALUES = Symbol('values')

/**
 * Gives objects whose properties are made when they are first read, each by the maker of its name from what the object was
 * opened with; makers may read its other properties. A spread copies none of them: see `withOwn`.
 */
export function lazyObjects<From, T extends object>(
  makers: { [Name in keyof T]: (from: From, made: T) => T[Name] },
): (from: From) => T {
  type Made = T & { [FROM]: From; [VALUES]: Partial<T> }
  const shape = {}
  for (const name of Object.keys(makers) as (keyof T)[]) {
    Object.defineProperty(shape, name, {
      enumerable: true,
      get(this: Made) {
        this[VALUES][name] ??= makers[name](this[FROM], this)
        return this[VALUES][name]
      },
    })
  }
  return (from) => ({ __proto__: shape, [FROM]: from, [VALUES]: {} }) as unknown as Made
}

/** The same object with some properties of its own in the place of others; nothing more is made by that. */
export function withOwn<T extends object, Own extends Partial<T>>(object: T, own: Own): T & Own {
  return Object.create(object, Object.getOwnPropertyDescriptors(own)) as T & Own
}
