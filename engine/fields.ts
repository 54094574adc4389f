import { FlowError, type FlowErrorCode } from './errors.ts'
import { compileExpression } from './expression.ts'
import { checkWritable, type Path, type Payload, parsePath, readPath, removePath, writePath } from './payload.ts'
import type { Templates } from './template.ts'

/** Holds the payload that a setting is read against; the object in it may be replaced while a node runs. */
export interface PayloadHolder {
  payload: Payload
}

/** A setting, compiled: asked once each time that its node runs. */
export type Setting<T> = (at: PayloadHolder) => T

/** What a field sees while a flow is compiled. */
export interface FieldScope {
  templates: Templates
  /** The object that holds the raw setting: siblings say how some settings are meant. */
  siblings: Record<string, unknown>
  /** JSON pointer of the raw setting in the flow document. */
  pointer: string
  report(problem: { code: FlowErrorCode; message: string; pointer: string }): void
}

/**
 * A kind of setting at a stored key. Everything but `compile` is plain data for forms and schemas.
 * `compile` reports what is wrong with the raw setting to its scope and then returns a setting that throws.
 */
export interface Field<T> {
  readonly kind: string
  /** The published key under `config` (or under `meta`, see `from`). Empty inside a wrapper that has the key. */
  readonly key: string
  readonly label?: string
  readonly help?: string
  readonly required?: boolean
  readonly default?: unknown
  readonly from?: 'config' | 'meta'
  readonly of?: unknown
  readonly kinds?: unknown
  compile(raw: unknown, scope: FieldScope): Setting<T>
}

export type ValueOf<F> = F extends Field<infer T> ? T : never
export type Resolved<F extends Record<string, Field<unknown>>> = { [K in keyof F]: ValueOf<F[K]> }

interface Options<D = never> {
  key?: string
  label?: string
  help?: string
  required?: boolean
  default?: D
  from?: 'config' | 'meta'
}

/** A place in the payload that a node reads or writes. A place that is not set reads undefined and drops writes. */
export interface Place {
  readonly given: boolean
  readonly text: string
  read(): unknown
  write(value: unknown): void
  remove(): void
}

/** Text used as written; a number counts as its text. Default `''`. `check` gives a message for text that will not do. */
export function text(
  options: Options<string> & {
    check?: (text: string) => string | { code: FlowErrorCode; message: string } | undefined
  } = {},
): Field<string> {
  return field('text', options, (raw, scope) => {
    const value = literal(typeof raw === 'number' ? String(raw) : raw, options, scope, 'string', '')
    const wrong = value === undefined ? undefined : options.check?.(value)
    if (typeof wrong === 'string') return broken(scope, 'config.type', wrong)
    if (wrong) return broken(scope, wrong.code, wrong.message)
    return constant(value ?? '')
  })
}

/** True or false, used as written; the texts "true" and "false" count. Default false. */
export function flag(options: Options<boolean> = {}): Field<boolean> {
  return field('flag', options, (raw, scope) => {
    const value = raw === 'true' ? true : raw === 'false' || raw === '' ? false : raw
    return constant(literal(value, options, scope, 'boolean', false) ?? false)
  })
}

/** One of a closed set of words. Without a default the first word is it. */
export function choice<const T extends string>(options: Options<T> & { of: readonly T[] }): Field<T> {
  return field('choice', options, (raw, scope) => {
    const value = raw === undefined || raw === null || raw === '' ? (options.default ?? options.of[0]!) : raw
    if (options.of.includes(value as T)) return constant(value as T)
    return broken(scope, 'config.choice', `Expected one of ${options.of.join(', ')}, got ${show(raw)}`)
  })
}

/**
 * A string template, rendered. Missing or blank: the default, else `''`; `required` and blank throws `config.empty`,
 * unless it only has to be written and `mayBeEmpty` once rendered.
 */
export function template(options: Options<string> & { mayBeEmpty?: boolean } = {}): Field<string> {
  return rendered('template', options, (source, { templates }) => templates.text(source))
}

/** Like `template`, but a lone mustache that gives an array or an object prints as JSON. */
export function bodyTemplate(options: Options<string> = {}): Field<string> {
  return rendered('template', options, (source, { templates }) => templates.body(source))
}

/** A template that gives one of a closed set of words, trimmed. Another word throws `config.type`. */
export function choiceTemplate<const T extends string>(options: Options<T> & { of: readonly T[] }): Field<T> {
  const inner = rendered('choice-template', options, (source, { templates }) => templates.text(source))
  return {
    ...inner,
    compile(raw, scope) {
      const setting = inner.compile(raw, scope)
      return (at) => {
        const word = setting(at).trim() || (options.default ?? options.of[0]!)
        const found = options.of.find((one) => one === word)
        if (found === undefined) throw wrongType(options, `one of ${options.of.join(', ')}`, word)
        return found
      }
    },
  }
}

/** A number, or a template that renders to one. Blank: the default, else undefined. Not a number throws `config.type`. */
export function numberTemplate(options: Options<number> & { default: number }): Field<number>
export function numberTemplate(options?: Options<number>): Field<number | undefined>
export function numberTemplate(options: Options<number> = {}): Field<number | undefined> {
  return field('number', options, (raw, scope) => {
    if (typeof raw === 'number') return constant(raw)
    if (typeof raw === 'boolean' || (typeof raw === 'string' && !raw.includes('{{') && Number.isNaN(Number(raw)))) {
      return broken(scope, 'config.type', `Expected a number or a template that renders to one, got ${show(raw)}`)
    }
    const setting = compileText(raw, scope, (source) => scope.templates.text(source))
    return (at) => {
      const printed = setting(at).trim()
      if (printed === '') {
        if (options.required) throw empty(options)
        return options.default
      }
      const value = Number(printed)
      if (Number.isNaN(value)) throw wrongType(options, 'a number', printed)
      return value
    }
  })
}

/** A value template: a lone mustache gives the raw value, anything else the rendered text. */
export function value(options: Options = {}): Field<unknown> {
  return field('value', options, (raw, scope) => {
    if (typeof raw === 'number' || typeof raw === 'boolean') return constant(raw)
    return compileText(raw, scope, (source) => scope.templates.value(source))
  })
}

/**
 * A JSON template. Blank gives undefined. Text that is not JSON throws, or gives undefined with `lenient`.
 * A raw setting that already is an object or a list is taken as it stands.
 */
export function json(options: Options & { lenient?: boolean } = {}): Field<unknown> {
  return field('json', options, (raw, scope) => {
    if (raw !== null && typeof raw === 'object') return constant(raw)
    if (raw === undefined || raw === null || (typeof raw === 'string' && raw.trim() === '')) {
      if (options.required) return broken(scope, 'config.missing', 'Expected a JSON template, got nothing')
      return constant(undefined)
    }
    const setting = compileText(raw, scope, (source) => scope.templates.json(source))
    if (!options.lenient) return setting
    return (at) => {
      try {
        return setting(at)
      } catch (error) {
        // The format stores undefined for text that is not JSON; everything else is still an error.
        if (error instanceof FlowError && error.code === 'template.not-json') return undefined
        throw error
      }
    }
  })
}

/** An expression over the payload, or over another root given to the setting by `lazy`. */
export function expression(options: Options = {}): Field<unknown> {
  return field('expression', options, (raw, scope) => {
    if (options.required && isBlank(raw)) return broken(scope, 'config.missing', 'Expected an expression, got nothing')
    return compileText(raw, scope, (source) => compileExpression(source, scope.templates))
  })
}

/** A place to read and write. `writes` refuses, when the flow is read, a place that can never be written. */
export function path(options: Options<string> & { writes?: boolean } = {}): Field<Place> {
  return field('path', options, (raw, scope) => {
    const parsed = compilePath(raw, options, scope)
    if (typeof parsed === 'function') return parsed
    if (parsed === undefined) return constant(nowhere)
    if (options.writes) {
      try {
        checkWritable(parsed)
      } catch (error) {
        return broken(scope, 'path.forbidden', (error as FlowError).message)
      }
    }
    const written = String(raw ?? options.default).trim()
    return (at) => placeOf(at, parsed, written)
  })
}

/** The value at a path; undefined where nothing is. */
export function read(options: Options<string> = {}): Field<unknown> {
  return field('read', options, (raw, scope) => {
    const parsed = compilePath(raw, options, scope)
    if (typeof parsed === 'function') return parsed
    return parsed === undefined ? constant(undefined) : (at) => readPath(at.payload, parsed)
  })
}

/** The whole payload, whatever stands at the key: for kinds of a `byType` that need no setting. */
export function wholePayload(): Field<Payload> {
  return field('whole-payload', {}, () => (at) => at.payload)
}

/** Undefined, whatever stands at the key: for kinds of a `byType` that need no setting. */
export function nothing(): Field<undefined> {
  return field('nothing', {}, () => constant(undefined))
}

/**
 * A setting whose sibling key says what kind it is: `byType({ key: 'data', typeKey: 'dataType', default: 'json',
 * kinds: { json: json(), path: read() } })`.
 */
export function byType<const K extends Record<string, Field<unknown>>>(
  options: Options<keyof K & string> & { typeKey: string; kinds: K },
): Field<ValueOf<K[keyof K]>> {
  return {
    ...field<ValueOf<K[keyof K]>>('by-type', options, (raw, scope) => {
      const given = scope.siblings[options.typeKey]
      const kind = isBlank(given) ? (options.default ?? Object.keys(options.kinds)[0]!) : String(given)
      if (!Object.hasOwn(options.kinds, kind)) {
        const known = Object.keys(options.kinds).join(', ')
        return broken(scope, 'config.choice', `Expected "${options.typeKey}" to be one of ${known}, got ${show(given)}`)
      }
      return options.kinds[kind]!.compile(raw, scope) as Setting<ValueOf<K[keyof K]>>
    }),
    kinds: options.kinds,
  }
}

/** A setting that the node asks for itself, as often as it likes: on the payload of that moment, or on another root. */
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
        compileGroup(options.of, asRecord(entry, entryScope), entryScope),
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

/** Settings in an object of their own, such as a user name and a password. Missing: each as if it were not given. */
export function group<F extends Record<string, Field<unknown>>>(options: Options & { of: F }): Field<Resolved<F>> {
  return {
    ...field('group', options, (raw, scope) =>
      compileGroup(options.of, isBlank(raw) ? {} : asRecord(raw, scope), scope),
    ),
    of: options.of,
  }
}

/** A setting that is kept as it stands and not used: what a sibling's other kinds have written here. */
export function unused(options: Options = {}): Field<undefined> {
  return field('unused', options, () => constant(undefined))
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

const nowhere: Place = {
  given: false,
  text: '',
  read: () => undefined,
  write: () => undefined,
  remove: () => undefined,
}

function placeOf(at: PayloadHolder, parsed: Path, written: string): Place {
  return {
    given: true,
    text: written,
    read: () => readPath(at.payload, parsed),
    write: (one) => writePath(at.payload, parsed, one),
    remove: () => removePath(at.payload, parsed),
  }
}

function field<T>(
  kind: string,
  options: Options<unknown>,
  compile: (raw: unknown, scope: FieldScope) => Setting<T>,
): Field<T> {
  const { key = '', label, help, required, default: initial, from } = options
  return { kind, key, label, help, required, default: initial, from, compile }
}

function rendered(
  kind: string,
  options: Options<string> & { mayBeEmpty?: boolean },
  compile: (source: string, scope: FieldScope) => (root: unknown) => string,
): Field<string> {
  return field(kind, options, (raw, scope) => {
    if (options.required && isBlank(raw) && isBlank(options.default)) {
      return broken(scope, 'config.missing', 'Expected a template, got nothing')
    }
    const initial = options.default ?? ''
    // A blank is a text where nothing else takes its place: one splits words at it.
    const source = isBlank(raw) && (initial !== '' || typeof raw !== 'string') ? initial : raw
    const setting = compileText(source, scope, (text) => compile(text, scope))
    return (at) => {
      const printed = setting(at) || initial
      if (options.required && !options.mayBeEmpty && printed === '') throw empty(options)
      return printed
    }
  })
}

function compileText<T>(
  raw: unknown,
  scope: FieldScope,
  compile: (source: string) => (root: unknown) => T,
): Setting<T> {
  if (raw !== undefined && raw !== null && typeof raw === 'object') {
    return broken(scope, 'config.type', `Expected text, got ${show(raw)}`)
  }
  try {
    const setting = compile(raw === undefined || raw === null ? '' : String(raw))
    return (at) => setting(at.payload)
  } catch (error) {
    if (!(error instanceof FlowError)) throw error
    return broken(scope, error.code, error.message)
  }
}

function compilePath(raw: unknown, options: Options<string>, scope: FieldScope): Path | undefined | Setting<never> {
  const given = isBlank(raw) ? options.default : raw
  if (isBlank(given)) {
    if (!options.required) return undefined
    return broken(scope, 'config.missing', 'Expected a payload path like "working.result", got nothing')
  }
  if (typeof given !== 'string') {
    return broken(scope, 'config.type', `Expected a payload path like "working.result", got ${show(given)}`)
  }
  try {
    return parsePath(given)
  } catch (error) {
    return broken(scope, 'path.syntax', (error as FlowError).message)
  }
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

function asRecord(entry: unknown, scope: FieldScope): Record<string, unknown> {
  if (entry !== null && typeof entry === 'object' && !Array.isArray(entry)) return entry as Record<string, unknown>
  broken(scope, 'config.type', `Expected an object, got ${show(entry)}`)
  return {}
}

function literal<T>(raw: unknown, options: Options<T>, scope: FieldScope, type: string, initial: T): T | undefined {
  if (raw === undefined || raw === null) {
    if (options.required) broken(scope, 'config.missing', `Expected a ${type}, got nothing`)
    return options.default ?? initial
  }
  if (typeof raw === type) return raw as T
  broken(scope, 'config.type', `Expected a ${type}, got ${show(raw)}`)
  return undefined
}

function broken<T>(scope: FieldScope, code: FlowErrorCode, message: string): Setting<T> {
  scope.report({ code, message, pointer: scope.pointer })
  return failing(scope, code, message)
}

// Stands in for a setting that will not do: a run that reaches it stops with the words of the problem.
function failing<T>(
  scope: FieldScope,
  code: FlowErrorCode = 'config.type',
  message = 'The setting is not valid',
): Setting<T> {
  return () => {
    throw new FlowError(code, `${message} (at ${scope.pointer})`)
  }
}

function constant<T>(one: T): Setting<T> {
  return () => one
}

function isBlank(raw: unknown): boolean {
  return raw === undefined || raw === null || (typeof raw === 'string' && raw.trim() === '')
}

function empty(options: Options<unknown>): FlowError {
  const name = options.label ?? options.key
  return new FlowError(
    'config.empty',
    `Expected "${name}" to render to some text, got nothing. Check its template and the payload.`,
  )
}

function wrongType(options: Options<unknown>, expected: string, got: string): FlowError {
  const name = options.label ?? options.key
  return new FlowError(
    'config.type',
    `Expected "${name}" to be ${expected}, got "${got.slice(0, 100)}". Check its template.`,
  )
}

function show(raw: unknown): string {
  return (JSON.stringify(raw) ?? String(raw)).slice(0, 100)
}
