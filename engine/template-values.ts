import type { Budget } from './budget.ts'
import type { Frame, Helper, Helpers } from './helpers/helper.ts'
import { readOwn, readParts } from './helpers/values.ts'
import { syntaxError } from './template-parse.ts'

/** Where a part of a template is rendered: its `this`, and what `../`, block parameters and partials mean there. */
export interface Scope {
  readonly context: unknown
  /** The scope that `../` reaches. */
  readonly up?: Scope
  readonly params?: Params
  readonly frame: Frame
  readonly partials?: Partials
}

/** Block parameters, innermost first. */
export interface Params {
  readonly values: readonly unknown[]
  readonly up?: Params
}

/** Inline partials that can be called, latest first. */
export interface Partials {
  readonly name: string
  readonly render: Render
  /** The scope of the definition. */
  readonly scope: Scope
  /** The content of a partial block: it keeps the scope of its caller. */
  readonly block?: boolean
  readonly up?: Partials
}

/** The scope of a whole template. */
export function rootScope(context: unknown, frame: Frame): Scope {
  return { context, up: undefined, params: undefined, frame, partials: undefined }
}

export type Render = (scope: Scope, budget: Budget) => string
export type Evaluate = (scope: Scope, budget: Budget) => unknown

/** What the parts of one template share while it is compiled. */
export interface Env {
  readonly helpers: Helpers
  readonly escape: boolean
  /** Names of the block parameters around the current place, outermost first. */
  readonly params: string[][]
  readonly defined: Set<string>
  readonly called: Map<string, hbs.AST.Node>
}

/** Something that may call a helper: a mustache, a block or a sub-expression. */
export type CallNode = hbs.AST.MustacheStatement | hbs.AST.BlockStatement | hbs.AST.SubExpression

/** The parts of a call that a block adds. */
export interface CallBlocks {
  body?: Render
  otherwise?: Render
  /** Whether the body names block parameters. */
  params: boolean
}

/** Compiles an argument: a path, a literal or a sub-expression. */
export function compileValue(node: hbs.AST.Expression, env: Env): Evaluate {
  switch (node.type) {
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral': {
      const { value } = node as hbs.AST.StringLiteral
      return () => value
    }
    case 'UndefinedLiteral':
      return () => undefined
    case 'NullLiteral':
      return () => null
    case 'SubExpression': {
      const helper = helperOf(node as hbs.AST.SubExpression, env)
      return compileCall(helper!, node as hbs.AST.SubExpression, env)
    }
    default:
      return compilePath(node as hbs.AST.PathExpression, env)
  }
}

/**
 * The helper that a node calls; undefined where the node is a path. A name with arguments must be a helper: throws
 * `template.syntax` for one that is unknown or called in the wrong way.
 */
export function helperOf(node: CallNode, env: Env): Helper | undefined {
  const { path } = node
  const name = nameOf(path, env)
  const helper = name !== undefined && Object.hasOwn(env.helpers, name) ? env.helpers[name] : undefined
  const called = node.type === 'SubExpression' || node.params.length > 0 || node.hash !== undefined
  if (!helper) {
    if (called) throw syntaxError(unknownHelper(String(originalOf(path)), env.helpers), node)
    return undefined
  }
  const block = node.type === 'BlockStatement'
  if (helper.block === 'only' && !block)
    throw syntaxError(`"${name}" needs a block: {{#${name} ...}}...{{/${name}}}`, node)
  if (helper.block === undefined && block) throw syntaxError(`"${name}" gives a value and takes no block`, node)
  const least = helper.least ?? 0
  if (node.params.length < least)
    throw syntaxError(`"${name}" needs ${least} argument${least > 1 ? 's' : ''}, got ${node.params.length}`, node)
  return helper
}

/** Compiles the call of a helper. The value is that of the helper; text that it makes is paid for. */
export function compileCall(helper: Helper, node: CallNode, env: Env, blocks?: CallBlocks): Evaluate {
  const args = node.params.map((param) => compileValue(param, env))
  const pairs = (node.hash?.pairs ?? []).map((pair) => ({ key: pair.key, value: compileValue(pair.value, env) }))
  return (scope, budget) => {
    budget.step(1)
    const values = new Array<unknown>(args.length)
    for (let i = 0; i < args.length; i++) values[i] = args[i]!(scope, budget)
    const hash = pairs.length === 0 ? NO_HASH : (Object.create(null) as Record<string, unknown>)
    for (const pair of pairs) (hash as Record<string, unknown>)[pair.key] = pair.value(scope, budget)
    const result = helper.run(values, {
      hash,
      context: scope.context,
      frame: scope.frame,
      budget,
      body: blocks && ((context, options) => renderBlock(blocks.body, blocks.params, scope, budget, context, options)),
      otherwise: (context) => renderBlock(blocks?.otherwise, false, scope, budget, context),
    })
    if (typeof result === 'string') budget.text(result.length)
    budget.look()
    return result
  }
}

/** Compiles a path: own properties only, undefined where a link is missing. */
export function compilePath(node: hbs.AST.PathExpression | hbs.AST.Literal, env: Env): Evaluate {
  const path = toPath(node)
  const { parts, depth } = path
  const [first, ...rest] = parts
  if (path.data) return compileData(first, rest, depth)
  if (first !== undefined && isUnscoped(path)) {
    const place = paramPlace(first, env)
    if (place) return ({ params }) => readParts(valuesOf(params, place.up)?.[place.index], rest)
  }
  if (depth > 0) return (scope) => readParts(contextAbove(scope, depth), parts)
  if (parts.length === 0) return (scope) => scope.context
  if (parts.length === 1) return (scope) => readOwn(scope.context, first!)
  return (scope) => readParts(scope.context, parts)
}

/** The parts of a path that reads from the root payload and calls nothing: `{{a.b}}`; undefined for any other node. */
export function plainParts(node: hbs.AST.MustacheStatement, env: Env): readonly string[] | undefined {
  const path = toPath(node.path)
  if (path.data || path.depth > 0 || helperOf(node, env)) return undefined
  return path.parts
}

const NO_HASH: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null))

// A block that keeps its `this` keeps its scope, so that `../` counts changes of `this` and not blocks.
function renderBlock(
  render: Render | undefined,
  named: boolean,
  scope: Scope,
  budget: Budget,
  context: unknown,
  options?: { frame?: Frame; params?: readonly unknown[] },
): string {
  if (!render) return ''
  const frame = options?.frame ?? scope.frame
  if (context === scope.context && frame === scope.frame && !named) return render(scope, budget)
  const same = context === scope.context && context !== null && typeof context === 'object'
  const params = named ? { values: options?.params ?? [], up: scope.params } : scope.params
  return render({ context, up: same ? scope.up : scope, params, frame, partials: scope.partials }, budget)
}

function compileData(name: string | undefined, rest: readonly string[], depth: number): Evaluate {
  const read = frameReaders[name as keyof typeof frameReaders] as ((frame: Frame) => unknown) | undefined
  if (name === undefined || !Object.hasOwn(frameReaders, name) || !read) return () => undefined
  return (scope) => {
    let frame: Frame | undefined = scope.frame
    for (let i = 0; i < depth && frame; i++) frame = frame.parent
    return frame && readParts(read(frame), rest)
  }
}

const frameReaders = {
  root: (frame: Frame) => frame.root,
  args: (frame: Frame) => frame.args,
  key: (frame: Frame) => frame.key,
  index: (frame: Frame) => frame.index,
  first: (frame: Frame) => frame.first,
  last: (frame: Frame) => frame.last,
}

function paramPlace(name: string, env: Env): { up: number; index: number } | undefined {
  for (let up = 0; up < env.params.length; up++) {
    const index = env.params[env.params.length - 1 - up]!.indexOf(name)
    if (index >= 0) return { up, index }
  }
  return undefined
}

function valuesOf(params: Params | undefined, up: number): readonly unknown[] | undefined {
  let found = params
  for (let i = 0; i < up && found; i++) found = found.up
  return found?.values
}

function contextAbove(scope: Scope, depth: number): unknown {
  let found: Scope | undefined = scope
  for (let i = 0; i < depth && found; i++) found = found.up
  return found?.context
}

// A name that a helper may have: one part, not written as `this.x`, `../x` or `@x`, and no block parameter.
function nameOf(node: hbs.AST.PathExpression | hbs.AST.Literal, env: Env): string | undefined {
  const path = toPath(node)
  const name = path.parts[0]
  return !path.data && name !== undefined && isSimple(path) && !paramPlace(name, env) ? name : undefined
}

function isSimple(path: { parts: readonly string[]; depth: number; original: string }): boolean {
  return path.parts.length === 1 && isUnscoped(path)
}

// Not written as `this.x`, `./x` or `../x`.
function isUnscoped(path: { depth: number; original: string }): boolean {
  return path.depth === 0 && !/^\.|^this\b/.test(path.original)
}

function toPath(node: hbs.AST.PathExpression | hbs.AST.Literal): {
  parts: readonly string[]
  depth: number
  data: boolean
  original: string
} {
  if (node.type === 'PathExpression') return node as hbs.AST.PathExpression
  const name = originalOf(node)
  return { parts: [name], depth: 0, data: false, original: name }
}

function originalOf(node: hbs.AST.PathExpression | hbs.AST.Literal): string {
  return String((node as { original?: unknown }).original)
}

function unknownHelper(name: string, helpers: Helpers): string {
  const near = Object.keys(helpers).find((known) => known.toLowerCase() === name.toLowerCase())
  return near
    ? `There is no helper "${name}"; did you mean "${near}"?`
    : `There is no helper "${name}". Arguments may follow the name of a helper only`
}
