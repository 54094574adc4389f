import { type Budget, defaultLimits, limitError, openBudget, type TemplateLimits, withinLimits } from './budget.ts'
import { FlowError } from './errors.ts'
import { toJson } from './helpers/encoding.ts'
import { type Helpers, rootFrame } from './helpers/helper.ts'
import { sharedHelpers, sharedHelpersAt } from './helpers/list.ts'
import { metaHelpers } from './helpers/meta.ts'
import { printValue, readParts } from './helpers/values.ts'
import { parseJsonText } from './json-text.ts'
import { compileMustache, compileTemplate, openEnv } from './template-compile.ts'
import { excerpt, loneMustache } from './template-parse.ts'
import { type Evaluate, plainParts, rootScope } from './template-values.ts'

export { printValue }

/**
 * A compiled template. Renders from `root` (the payload); throws `template.limit` or `template.helper`. Templates that are
 * rendered for one purpose may share a budget; without one each render has its own.
 */
export type Compiled<T> = (root: unknown, budget?: Budget) => T

/** Compiles the templates of flow settings. All of it throws `template.syntax`; a compiled template is never parsed again. */
export interface Templates {
  /** Text. A lone mustache prints its raw value, not escaped; anything else is rendered, HTML-escaped. '' if missing. */
  text(source: string): Compiled<string>
  /** A lone mustache gives its raw value (undefined if missing, shared with the payload); anything else rendered text. */
  value(source: string): Compiled<unknown>
  /** The JSON value of the text; a lone mustache that is no text is taken as it is. Throws `template.not-json`. */
  json(source: string): Compiled<unknown>
  /** As `text`, but a lone mustache that is a list or an object prints as JSON text. */
  body(source: string): Compiled<string>
  /** Rendered text, never escaped. */
  plain(source: string): Compiled<string>
  /** The raw value of exactly one mustache, for expressions. Throws `template.syntax` for any other text. */
  operand(source: string): Compiled<unknown>
  /** A fresh budget with the limits of these templates, to be shared by several renders. */
  budget(): Budget
}

/**
 * Templates with the shared helpers, and limits for each render; `now` is the clock of those that ask for the time (default:
 * the real one). Holds nothing that has to be closed.
 */
export function openTemplates(options: { limits?: Partial<TemplateLimits>; now?: () => number } = {}): Templates {
  const limits: TemplateLimits = { ...defaultLimits, ...options.limits }
  const shared = options.now ? sharedHelpersAt(options.now) : sharedHelpers
  const helpers: Helpers = { ...shared, ...metaHelpers(shared) }
  const kit: Kit = { helpers, limits }
  return {
    text: (source) => compileEither(source, kit, printValue),
    value: (source) => compileEither(source, kit, (value) => value),
    body: (source) => compileEither(source, kit, printBody),
    json: (source) => compileJson(source, kit),
    plain: (source) => compileText(source, kit, false),
    budget: () => openBudget(limits),
    operand: (source) => {
      const value = compileLone(source, kit)
      if (value) return value
      throw new FlowError('template.syntax', `Expected one {{...}} without a block, got "${excerpt(source)}".`)
    },
  }
}

interface Kit {
  helpers: Helpers
  limits: TemplateLimits
}

function compileEither<T>(source: string, kit: Kit, convert: (value: unknown) => T): Compiled<T> {
  const lone = compileLone(source, kit)
  if (lone) return (root, budget) => convert(lone(root, budget))
  return compileText(source, kit, true) as Compiled<T & string>
}

function compileText(source: string, kit: Kit, html: boolean): Compiled<string> {
  if (typeof source === 'string' && !source.includes('{{')) return () => source
  const template = compileTemplate(source, kit.helpers, { escape: html })
  return (root, budget = openBudget(kit.limits)) =>
    withinLimits(() => {
      const text = template(root, rootFrame(root), budget)
      if (text.length > kit.limits.outputChars)
        throw limitError(`more than ${kit.limits.outputChars} characters`, 'Print less')
      return text
    })
}

function compileLone(source: string, kit: Kit): Compiled<unknown> | undefined {
  const mustache = typeof source === 'string' ? loneMustache(source) : undefined
  if (!mustache) return undefined
  const parts = plainParts(mustache, openEnv(kit.helpers, false))
  if (parts) return (root) => readParts(root, parts)
  const evaluate: Evaluate = compileMustache(mustache, kit.helpers)
  return (root, budget = openBudget(kit.limits)) =>
    withinLimits(() => evaluate(rootScope(root, rootFrame(root)), budget))
}

function compileJson(source: string, kit: Kit): Compiled<unknown> {
  const value = compileEither(source, kit, (found) => found)
  return (root, budget) => {
    const found = value(root, budget)
    if (typeof found === 'string') return parseJson(found, source)
    if (found !== undefined) return found
    throw new FlowError('template.not-json', `Expected JSON, got nothing. Check the template "${excerpt(source)}".`)
  }
}

function parseJson(text: string, source: string): unknown {
  try {
    return parseJsonText(text)
  } catch (cause) {
    if (cause instanceof FlowError) throw cause
    const reason = (cause as Error).message
    throw new FlowError(
      'template.not-json',
      `Expected JSON, got text that is not: ${reason}. Check the template "${excerpt(source)}"; {{jsonEncode x}} inserts any value.`,
      { cause },
    )
  }
}

function printBody(value: unknown): string {
  return value !== null && typeof value === 'object' && !(value instanceof Date) ? toJson(value) : printValue(value)
}
