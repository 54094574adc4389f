import { type Budget, defaultLimits, openBudget } from '../budget.ts'
import { FlowError } from '../errors.ts'
import { compileExpression, type Operands } from '../expression.ts'
import { compileMustache, compileTemplate } from '../template-compile.ts'
import { excerpt, loneMustache } from '../template-parse.ts'
import { rootScope } from '../template-values.ts'
import type { Call, Frame, Helpers } from './helper.ts'
import { printValue } from './values.ts'

const MOST_CACHED = 200
const MOST_CACHED_CHARS = 10_000

/**
 * `template` and `evalExpression`: text of the payload as a template or as an expression. `helpers` are what that text
 * may call; these two are not among them, so that it cannot start over.
 */
export function metaHelpers(helpers: Helpers): Helpers {
  const templates = cacheOf((source) => compileTemplate(source, helpers))
  const expressions = cacheOf((source) => compileExpression(source, operandsOf(helpers)))
  return {
    template: {
      least: 1,
      run: (args, call) => {
        if (args[0] === undefined || args[0] === null) return ''
        const source = printValue(args[0])
        if (!source.includes('{{')) return source
        return templates(source, call.budget)(contextOf(args, call), call.frame, call.budget)
      },
    },
    evalExpression: {
      least: 1,
      run: (args, call) => {
        if (args[0] === undefined || args[0] === null) return undefined
        const place: Place = { context: contextOf(args, call), frame: call.frame }
        return expressions(printValue(args[0]), call.budget)(place, call.budget)
      },
    },
  }
}

// The root of an expression inside a template: its context, and what `@name` reads there.
interface Place {
  context: unknown
  frame: Frame
}

function operandsOf(helpers: Helpers): Operands {
  return {
    operand: (source) => {
      const mustache = loneMustache(source)
      if (!mustache) throw new FlowError('template.syntax', `Expected one {{...}}, got "${excerpt(source)}".`)
      const evaluate = compileMustache(mustache, helpers)
      return (place, budget) => evaluate(rootScope((place as Place).context, (place as Place).frame), budget!)
    },
    plain: (source) => {
      const template = compileTemplate(source, helpers, { escape: false })
      return (place, budget) => template((place as Place).context, (place as Place).frame, budget!)
    },
    budget: () => openBudget(defaultLimits),
  }
}

function contextOf(args: readonly unknown[], call: Call): unknown {
  return args.length > 1 ? args[1] : call.context
}

// Text of the payload may differ at each call: it is kept for a while only, and its parsing is paid for.
function cacheOf<T>(compile: (source: string) => T): (source: string, budget: Budget) => T {
  const cache = new Map<string, T>()
  return (source, budget) => {
    const known = cache.get(source)
    if (known) return known
    budget.step(10 + source.length / 2)
    const made = compile(source)
    if (source.length > MOST_CACHED_CHARS) return made
    if (cache.size >= MOST_CACHED) cache.delete(cache.keys().next().value!)
    cache.set(source, made)
    return made
  }
}
