import type { Budget } from './budget.ts'
import { FlowError, type FlowErrorCode } from './errors.ts'
import type { Payload } from './payload.ts'
import type { Templates } from './template.ts'

/** Holds the payload that a setting is read against; the object in it may be replaced while a node runs. */
export interface PayloadHolder {
  payload: Payload
  /** What all settings that are read against it may cost together; opened by the first that needs one. */
  budget?: Budget
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
  /** What all templates and expressions of the flow may take to compile together, in microseconds or so; undefined: any time. */
  work?: { left: number }
}

/** Nobody else gets the thread while a flow or a page is compiled: a second or so, however large it is. */
export const mostCompileWork = 1_000_000

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
  /** The words to choose from, or the settings of each entry of a list or group. */
  readonly of?: unknown
  /** Of a setting that a sibling says the kind of: the key of that sibling, and a field for each of its words. `default` is a word. */
  readonly typeKey?: string
  readonly kinds?: unknown
  compile(raw: unknown, scope: FieldScope): Setting<T>
}

export type ValueOf<F> = F extends Field<infer T> ? T : never

export type Resolved<F extends Record<string, Field<unknown>>> = { [K in keyof F]: ValueOf<F[K]> }

/** The words that every kind of setting may be given. */
export interface Options<D = never> {
  key?: string
  label?: string
  help?: string
  required?: boolean
  default?: D
  from?: 'config' | 'meta'
}

/** A field of a kind, from its words and its way to compile. */
export function field<T>(
  kind: string,
  options: Options<unknown>,
  compile: (raw: unknown, scope: FieldScope) => Setting<T>,
): Field<T> {
  const { key = '', label, help, required, default: initial, from } = options
  return { kind, key, label, help, required, default: initial, from, compile }
}

/**
 * Compiles a raw setting that is text: missing is `''`, numbers and flags count as their text, an object is broken. The settings of
 * one visit of a node share a budget: a list of thousands must not take the time of thousands.
 */
export function compileText<T>(
  raw: unknown,
  scope: FieldScope,
  compile: (source: string) => (root: unknown, budget?: Budget) => T,
): Setting<T> {
  if (raw !== undefined && raw !== null && typeof raw === 'object') {
    return broken(scope, 'config.type', `Expected text, got ${show(raw)}`)
  }
  const source = raw === undefined || raw === null ? '' : String(raw)
  try {
    if (scope.work) spendCompileWork(source, scope.work)
    const setting = compile(source)
    if (isCheap(source)) return (at) => setting(at.payload)
    return (at) => {
      at.budget ??= scope.templates.budget()
      at.budget.resume()
      try {
        return setting(at.payload, at.budget)
      } finally {
        at.budget.rest()
      }
    }
  } catch (error) {
    if (!(error instanceof FlowError)) throw error
    return broken(scope, error.code, error.message)
  }
}

const MUSTACHE_WORK = 50
const CHAR_WORK = 0.2

/** Pays for a template or an expression that is compiled next. Throws `template.limit` when nothing is left. */
export function spendCompileWork(source: string, work: { left: number }): void {
  work.left -= source.length * CHAR_WORK + (source.split('{{').length - 1) * MUSTACHE_WORK
  if (work.left >= 0) return
  throw new FlowError(
    'template.limit',
    `Expected at most ${mostCompileWork / MUSTACHE_WORK} places {{...}} and ${mostCompileWork / CHAR_WORK} characters in all templates of a flow or page, got more. Split it.`,
  )
}

// Text as it stands, or the value at one path: most settings, and nothing that could take long.
function isCheap(source: string): boolean {
  return !source.includes('{{') || /^\{\{[\w.@[\]-]+\}\}$/.test(source)
}

/** Reports what is wrong with the raw setting, and stands in for it: a run that reaches it stops with the same words. */
export function broken<T>(scope: FieldScope, code: FlowErrorCode, message: string): Setting<T> {
  scope.report({ code, message, pointer: scope.pointer })
  return () => {
    throw new FlowError(code, `${message} (at ${scope.pointer})`)
  }
}

/** A setting that is the same on every payload. */
export function constant<T>(one: T): Setting<T> {
  return () => one
}

/** True for what counts as not written: absent, null, or nothing but blanks. */
export function isBlank(raw: unknown): boolean {
  return raw === undefined || raw === null || (typeof raw === 'string' && raw.trim() === '')
}

/** The raw setting as it stands; where it is missing its default, else `initial`. Anything but the `type` is broken. */
export function literal<T>(
  raw: unknown,
  options: Options<T>,
  scope: FieldScope,
  { type, initial }: { type: 'string' | 'boolean'; initial: T },
): Setting<T> {
  if (raw === undefined || raw === null) {
    if (options.required) return broken(scope, 'config.missing', `Expected a ${type}, got nothing`)
    return constant(options.default ?? initial)
  }
  return typeof raw === type ? constant(raw as T) : broken(scope, 'config.type', `Expected a ${type}, got ${show(raw)}`)
}

/** A required setting has rendered to nothing. */
export function empty(options: Options<unknown>): FlowError {
  const name = options.label ?? options.key
  return new FlowError(
    'config.empty',
    `Expected "${name}" to render to some text, got nothing. Check its template and the payload.`,
  )
}

/** A setting has rendered to something of the wrong type. */
export function wrongType(options: Options<unknown>, expected: string, got: string): FlowError {
  const name = options.label ?? options.key
  return new FlowError(
    'config.type',
    `Expected "${name}" to be ${expected}, got "${got.slice(0, 100)}". Check its template.`,
  )
}

/** A raw setting as messages quote it. */
export function show(raw: unknown): string {
  return (JSON.stringify(raw) ?? String(raw)).slice(0, 100)
}
