import type { Budget } from './budget.ts'
import { FlowError } from './errors.ts'
import { printValue } from './helpers/values.ts'
import { syntaxError } from './template-parse.ts'
import { compileValue, type Env, type Evaluate, type Partials, type Render, type Scope } from './template-values.ts'

type CompileProgram = (program: hbs.AST.Program, env: Env) => Render

/** Compiles `{{#*inline "name"}}`: a partial that can be called in the block around it, also from above. */
export function compileInline(
  node: hbs.AST.DecoratorBlock,
  env: Env,
  compileProgram: CompileProgram,
): { name: string; render: Render } {
  const [given] = node.params
  if (originalOf(node.path) !== 'inline' || (given?.type !== 'StringLiteral' && given?.type !== 'NumberLiteral'))
    throw syntaxError('The only block decorator is {{#*inline "name"}}...{{/inline}}', node)
  const name = String((given as hbs.AST.StringLiteral).value)
  env.defined.add(name)
  return { name, render: compileProgram(node.program, env) }
}

/** Compiles `{{> name context key=value}}`. Only inline partials can be named. */
export function compilePartial(node: hbs.AST.PartialStatement, env: Env): Render {
  const name = compileName(node, env)
  const context = compileContext(node, env)
  const { indent } = node
  return (scope, budget) => {
    const called = name(scope, budget)
    const partial = findPartial(scope.partials, called)
    if (!partial) throw unknownPartial(called)
    const text = callPartial(partial, context(scope, budget), scope, scope.partials, budget)
    return indent ? indentLines(text, indent, budget) : text
  }
}

/** Compiles `{{#> name}}content{{/name}}`: the partial prints the content at `{{> @partial-block}}`; without it the content is rendered. */
export function compilePartialBlock(
  node: hbs.AST.PartialBlockStatement,
  env: Env,
  compileProgram: CompileProgram,
): Render {
  const name = compileName(node, env)
  const context = compileContext(node, env)
  const render = compileProgram(node.program, env)
  return (scope, budget) => {
    const content: Partials = { name: PARTIAL_BLOCK, render, scope, block: true, up: scope.partials }
    const partial = findPartial(scope.partials, name(scope, budget)) ?? content
    return callPartial(partial, context(scope, budget), scope, content, budget)
  }
}

/** Throws `template.syntax` for a call of a partial that the template does not define. */
export function checkPartials(env: Env): void {
  for (const [name, node] of env.called)
    if (name !== PARTIAL_BLOCK && !env.defined.has(name))
      throw syntaxError(
        `There is no inline partial "${name}". Define it with {{#*inline "${name}"}}...{{/inline}}`,
        node,
      )
}

const PARTIAL_BLOCK = '@partial-block'

type PartialNode = hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement

function compileName(node: PartialNode, env: Env): (scope: Scope, budget: Budget) => string {
  if (node.name.type === 'SubExpression') {
    const evaluate = compileValue(node.name, env)
    return (scope, budget) => printValue(evaluate(scope, budget))
  }
  const name = originalOf(node.name as hbs.AST.PathExpression)
  if (node.type === 'PartialStatement') env.called.set(name, node)
  return () => name
}

function compileContext(node: PartialNode, env: Env): Evaluate {
  if (node.params.length > 1) throw syntaxError(`A partial takes one context, got ${node.params.length}`, node)
  const given = node.params[0] && compileValue(node.params[0], env)
  const pairs = node.hash?.pairs.map((pair) => ({ key: pair.key, value: compileValue(pair.value, env) }))
  return (scope, budget) => {
    const context = given ? given(scope, budget) : scope.context
    if (!pairs) return context
    const merged: Record<string, unknown> = {}
    if (context !== null && typeof context === 'object') {
      budget.step(Object.keys(context).length)
      for (const key of Object.keys(context)) if (key !== '__proto__') merged[key] = (context as typeof merged)[key]
    }
    for (const { key, value } of pairs) if (key !== '__proto__') merged[key] = value(scope, budget)
    return merged
  }
}

// A partial sees the block parameters and the `../` of its definition, and the `@data` and partials of its caller.
function callPartial(
  partial: Partials,
  context: unknown,
  scope: Scope,
  partials: Partials | undefined,
  budget: Budget,
): string {
  budget.enter()
  const home = partial.scope
  const text = partial.render(
    {
      context,
      up: partial.block && context === home.context ? home.up : partial.block ? home : home.up,
      params: home.params,
      frame: scope.frame,
      partials: partial.block ? home.partials : partials,
    },
    budget,
  )
  budget.leave()
  return text
}

function findPartial(partials: Partials | undefined, name: string): Partials | undefined {
  let found = partials
  while (found && found.name !== name) found = found.up
  return found
}

function unknownPartial(name: string): FlowError {
  return new FlowError(
    'template.syntax',
    `Expected an inline partial of the blocks around the call, got "${name}". Move its definition further out.`,
  )
}

function indentLines(text: string, indent: string, budget: Budget): string {
  const lines = text.split('\n')
  budget.step(lines.length)
  budget.text(lines.length * indent.length)
  return lines.map((line, i) => (line === '' && i === lines.length - 1 ? line : indent + line)).join('\n')
}

function originalOf(node: hbs.AST.PathExpression): string {
  return String(node.original)
}
