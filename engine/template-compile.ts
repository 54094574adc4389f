import type { Budget } from './budget.ts'
import type { Frame, Helpers } from './helpers/helper.ts'
import { escapeWithin } from './helpers/html.ts'
import { section } from './helpers/iteration.ts'
import { printValue } from './helpers/values.ts'
import { parseTemplate, syntaxError } from './template-parse.ts'
import { checkPartials, compileInline, compilePartial, compilePartialBlock } from './template-partials.ts'
import {
  type CallBlocks,
  compileCall,
  compilePath,
  type Env,
  type Evaluate,
  helperOf,
  type Render,
  rootScope,
} from './template-values.ts'

/** A compiled template: renders `context`, with what `@name` reads in `frame`, at the expense of `budget`. */
export type Template = (context: unknown, frame: Frame, budget: Budget) => string

/**
 * Compiles Handlebars text to closures: no code is generated, only own properties are read, and each iteration, call and
 * printed text is paid for from the budget of the render. `escape` (default true) is for HTML in double braces.
 * Throws `template.syntax`; the template throws `template.limit`.
 */
export function compileTemplate(source: string, helpers: Helpers, options: { escape?: boolean } = {}): Template {
  const env = openEnv(helpers, options.escape ?? true)
  const render = compileProgram(parseTemplate(source), env)
  checkPartials(env)
  return (context, frame, budget) => render(rootScope(context, frame), budget)
}

/** The raw value of a lone mustache, for a context. */
export function compileMustache(node: hbs.AST.MustacheStatement, helpers: Helpers): Evaluate {
  const env = openEnv(helpers, false)
  const helper = helperOf(node, env)
  return helper ? compileCall(helper, node, env) : compilePath(node.path, env)
}

/** A fresh state of compilation. */
export function openEnv(helpers: Helpers, html: boolean): Env {
  return { helpers, escape: html, params: [], defined: new Set(), called: new Map() }
}

/** Compiles the statements of a template or of a block. */
export function compileProgram(program: hbs.AST.Program, env: Env): Render {
  const named = program.blockParams !== undefined
  if (named) env.params.push(program.blockParams)
  const { body } = program
  const inlines = body.flatMap((node) =>
    isInline(node) ? [compileInline(node as hbs.AST.DecoratorBlock, env, compileProgram)] : [],
  )
  const parts = body.flatMap((node) => (isInline(node) ? [] : compileStatement(node, env)))
  if (named) env.params.pop()
  const render = joinParts(parts)
  if (inlines.length === 0) return render
  return (scope, budget) => {
    let partials = scope.partials
    for (const inline of inlines) partials = { ...inline, scope, up: partials }
    return render({ ...scope, partials }, budget)
  }
}

type Part = string | Render

function isInline(node: hbs.AST.Statement): boolean {
  return node.type === 'DecoratorBlock'
}

function joinParts(parts: readonly Part[]): Render {
  const steps = 1 + parts.length
  const chars = parts.reduce((sum, part) => sum + (typeof part === 'string' ? part.length : 0), 0)
  return (scope, budget) => {
    budget.step(steps)
    budget.text(chars)
    let text = ''
    for (const part of parts) text += typeof part === 'string' ? part : part(scope, budget)
    return text
  }
}

function compileStatement(node: hbs.AST.Statement, env: Env): Part[] {
  switch (node.type) {
    case 'ContentStatement': {
      const { value } = node as hbs.AST.ContentStatement
      return value === '' ? [] : [value]
    }
    case 'CommentStatement':
      return []
    case 'MustacheStatement':
      return [compilePrint(node as hbs.AST.MustacheStatement, env)]
    case 'BlockStatement':
      return [compileBlock(node as hbs.AST.BlockStatement, env)]
    case 'PartialStatement':
      return [compilePartial(node as hbs.AST.PartialStatement, env)]
    case 'PartialBlockStatement':
      return [compilePartialBlock(node as hbs.AST.PartialBlockStatement, env, compileProgram)]
    default:
      throw syntaxError('The only decorator is {{#*inline "name"}}...{{/inline}}', node)
  }
}

function compilePrint(node: hbs.AST.MustacheStatement, env: Env): Render {
  const helper = helperOf(node, env)
  const escaped = env.escape && node.escaped && !helper?.raw
  const evaluate = helper ? compileCall(helper, node, env) : compilePath(node.path, env)
  return (scope, budget) => {
    const value = evaluate(scope, budget)
    if (value === undefined || value === null) return ''
    const text = printValue(value)
    if (escaped) return escapeWithin(budget, text, escapeHtml)
    budget.text(text.length)
    return text
  }
}

function compileBlock(node: hbs.AST.BlockStatement, env: Env): Render {
  const helper = helperOf(node, env)
  const blocks: CallBlocks = {
    body: node.program && compileProgram(node.program, env),
    otherwise: node.inverse && compileProgram(node.inverse, env),
    params: node.program?.blockParams !== undefined,
  }
  const call = helper
    ? compileCall(helper, node, env, blocks)
    : compileCall(section, { ...node, params: [node.path] }, env, blocks)
  return (scope, budget) => printValue(call(scope, budget))
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
  '`': '&#x60;',
  '=': '&#x3D;',
}

/** Text for HTML, in an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return /[&<>"'`=]/.test(text) ? text.replace(/[&<>"'`=]/g, (char) => ESCAPES[char]!) : text
}
