import {
  broken,
  constant,
  type Field,
  type FieldScope,
  field,
  isBlank,
  type Options,
  type Resolved,
  type Setting,
  show,
  type ValueOf,
} from './field.ts'
import { template, value } from './fields-template.ts'
import type { Payload } from './payload.ts'

/**
 * A setting whose sibling key says what kind it is: `byType({ key: 'data', typeKey: 'dataType', default: 'json',
 * kinds: { json: json(), path: read() } })`.
 */
export function byType<const K extends Record<string, Field<unknown>>>(
  options: Options<keyof K & string> & { typeKey: string; kinds: K },
): Field<ValueOf<K[keyof K]>> {
  const initial = options.default ?? Object.keys(options.kinds)[0]!
  return {
    ...field<ValueOf<K[keyof K]>>('by-type', { ...options, default: initial }, (raw, scope) => {
      const given = scope.siblings[options.typeKey]
      const kind = isBlank(given) ? initial : String(given)
      if (!Object.hasOwn(options.kinds, kind)) {
        const known = Object.keys(options.kinds).join(', ')
        return broken(scope, 'config.choice', `Expected "${options.typeKey}" to be one of ${known}, got ${show(given)}`)
      }
      return options.kinds[kind]!.compile(raw, scope) as Setting<ValueOf<K[keyof K]>>
    }),
    typeKey: options.typeKey,
    kinds: options.kinds,
  }
}

/** A setting that the node asks for itself, as often as it likes: on the payload of that moment, or on another root, with a budget of its own. */
export function lazy<T>(inner: Field<T>): Field<(root?: Payload) => T> {
  return {
    ...inner,
    compile(raw, scope) {
      const setting = inner.compile(raw, scope)
      return (at) => (root) => setting(root === undefined ? at : { payload: root })
    },
  }
}

/** Undefined where the key is absent or null, with `blankIsAbsent` also where it is blank text; else what the inner field gives. */
export function optional<T>(inner: Field<T>, options: { blankIsAbsent?: boolean } = {}): Field<T | undefined> {
  return {
    ...inner,
    required: false,
    compile(raw, scope) {
      const absent = raw === undefined || raw === null || (options.blankIsAbsent === true && isBlank(raw))
      return absent ? constant(undefined) : inner.compile(raw, scope)
    },
  }
}

/** A list of settings groups, such as tag pairs. Missing or blank: an empty list. `most` bounds its length. */
export function list<F extends Record<string, Field<unknown>>>(
  options: Options & { of: F; most?: number },
): Field<Resolved<F>[]> {
  return {
    ...field('list', options, (raw, scope) => {
      const entries = compileList(raw, options.most, scope, (entry, entryScope) =>
        compileRecord(options.of, entry, entryScope),
      )
      return (at) => entries.map((entry) => entry(at))
    }),
    of: options.of,
  }
}

/** A list of string templates, each rendered to text; one that renders to nothing stays in its place as `''`. */
export function texts(options: Options & { most?: number } = {}): Field<string[]> {
  return field('texts', options, (raw, scope) => {
    const inner = template()
    const entries = compileList(raw, options.most, scope, (entry, entryScope) => inner.compile(entry, entryScope))
    return (at) => entries.map((entry) => entry(at))
  })
}

/** A list of value templates. A lone mustache that gives an array is spread into the list; missing values are dropped. */
export function values(options: Options = {}): Field<unknown[]> {
  return field('values', options, (raw, scope) => {
    const inner = value()
    const raws = typeof raw === 'string' && raw.trim() !== '' ? [raw] : raw
    const entries = compileList(raws, undefined, scope, (entry, entryScope) => inner.compile(entry, entryScope))
    return (at) =>
      entries.flatMap((entry) => {
        const one = entry(at)
        return one === undefined ? [] : Array.isArray(one) ? one : [one]
      })
  })
}

/** Settings in an object of their own, such as a user name and a password. Missing: each as if it were not given. */
export function group<F extends Record<string, Field<unknown>>>(options: Options & { of: F }): Field<Resolved<F>> {
  return {
    ...field('group', options, (raw, scope) => compileRecord(options.of, isBlank(raw) ? {} : raw, scope)),
    of: options.of,
  }
}

/** Compiles a group of fields against the object that holds their raw settings. */
export function compileGroup<F extends Record<string, Field<unknown>>>(
  fields: F,
  raw: Record<string, unknown>,
  scope: Omit<FieldScope, 'siblings'> & { meta?: Record<string, unknown>; metaPointer?: string },
): Setting<Resolved<F>> {
  const settings = Object.entries(fields).map(([name, one]) => {
    const meta = one.from === 'meta'
    const siblings = meta ? (scope.meta ?? {}) : raw
    const base = meta ? (scope.metaPointer ?? scope.pointer) : scope.pointer
    const fieldScope = { ...scope, siblings, pointer: `${base}/${one.key}` }
    const given = Object.hasOwn(siblings, one.key) ? siblings[one.key] : undefined
    return [name, one.compile(given, fieldScope)] as const
  })
  return (at) => {
    const resolved: Record<string, unknown> = {}
    for (const [name, setting] of settings) resolved[name] = setting(at)
    return resolved as Resolved<F>
  }
}

function compileRecord<F extends Record<string, Field<unknown>>>(fields: F, raw: unknown, scope: FieldScope) {
  if (raw !== null && typeof raw === 'object' && !Array.isArray(raw))
    return compileGroup(fields, raw as Record<string, unknown>, scope)
  return broken<Resolved<F>>(scope, 'config.type', `Expected an object, got ${show(raw)}`)
}

const MOST_ENTRIES = 10_000

function compileList<T>(
  raw: unknown,
  most: number | undefined,
  scope: FieldScope,
  compile: (entry: unknown, scope: FieldScope) => Setting<T>,
): Setting<T>[] {
  if (isBlank(raw)) return []
  if (!Array.isArray(raw)) return [broken(scope, 'config.type', `Expected a list, got ${show(raw)}`)]
  const limit = most ?? MOST_ENTRIES
  if (raw.length > limit) return [broken(scope, 'config.type', `Expected at most ${limit} entries, got ${raw.length}`)]
  return raw.map((entry, index) => compile(entry, { ...scope, pointer: `${scope.pointer}/${index}` }))
}
