import { type Budget, withinLimits } from './budget.ts'
import { FlowError } from './errors.ts'
import { expressionFunctions } from './expression-functions.ts'
import { binaryOperators, type Operator } from './expression-operators.ts'
import { expressionError, type Token, tokenize } from './expression-tokens.ts'
import { printValue, toNumber } from './helpers/values.ts'
import type { Templates } from './template.ts'

/** What an expression needs of the templates in it. */
export type Operands = Pick<Templates, 'operand' | 'plain' | 'budget'>

type Closure = (root: unknown, budget: Budget) => unknown

const MOST_TOKENS = 2000
const MOST_NESTING = 100

/**
 * Compiles an expression such as `{{data.a}} + 1 > 2 && length({{list}}) === 0` to its value for a root (the payload).
 * Each `{{...}}` is a raw value; inside a quoted text it is rendered, unescaped. Missing data never throws.
 * Throws `expression.syntax`, and `template.syntax` for what is inside the mustaches.
 */
export function compileExpression(source: string, operands: Operands): (root: unknown, budget?: Budget) => unknown {
  const tokens = tokenize(source)
  if (tokens.length > MOST_TOKENS)
    throw new FlowError(
      'expression.syntax',
      `Expected at most ${MOST_TOKENS} parts in an expression, got ${tokens.length}.`,
    )
  const parser: Parser = { source, tokens, operands, next: 0, nesting: 0 }
  const closure = parseBinary(parser, 0)
  if (parser.next < tokens.length) throw unexpected(parser, 'an operator')
  return (root, budget = operands.budget()) => withinLimits(() => closure(root, budget))
}

interface Parser {
  source: string
  tokens: readonly Token[]
  operands: Operands
  next: number
  nesting: number
}

// Takes operators that bind at least as tightly as `least`, from left to right.
function parseBinary(parser: Parser, least: number): Closure {
  let left = parseUnary(parser)
  for (let found = operatorAt(parser); found && found.level >= least; found = operatorAt(parser)) {
    parser.next += 1
    left = found.combine(left, parseBinary(parser, found.level + 1))
  }
  return left
}

function parseUnary(parser: Parser): Closure {
  const sign = ['!', '-', '+'].find((text) => isOperator(parser, text))
  if (sign === undefined) return parsePower(parser)
  parser.next += 1
  const operand = nested(parser, parseUnary)
  if (sign === '!') return (root, budget) => !operand(root, budget)
  return sign === '-'
    ? (root, budget) => -toNumber(operand(root, budget))
    : (root, budget) => toNumber(operand(root, budget))
}

// Binds more tightly than a sign before it, and from the right: -2^2 is -4, 2^3^2 is 512.
function parsePower(parser: Parser): Closure {
  const base = parsePrimary(parser)
  if (!isOperator(parser, '^')) return base
  parser.next += 1
  const exponent = nested(parser, parseUnary)
  return (root, budget) => toNumber(base(root, budget)) ** toNumber(exponent(root, budget))
}

function parsePrimary(parser: Parser): Closure {
  const token = parser.tokens[parser.next]
  if (!token) throw unexpected(parser, 'a value')
  parser.next += 1
  switch (token.kind) {
    case 'number': {
      const { value } = token
      return () => value
    }
    case 'string':
      return compileString(token.parts, parser)
    case 'operand':
      return parser.operands.operand(token.source)
    case 'name':
      return isOperator(parser, '(') ? parseCall(token, parser) : constantOf(token, parser)
    default: {
      if (token.text !== '(') {
        parser.next -= 1
        throw unexpected(parser, 'a value')
      }
      const inner = nested(parser, (inside) => parseBinary(inside, 0))
      expectOperator(parser, ')')
      return inner
    }
  }
}

function parseCall(token: { text: string; at: number }, parser: Parser): Closure {
  const run = expressionFunctions.get(token.text)
  if (!run)
    throw expressionError(
      parser.source,
      token.at,
      `Expected one of the functions ${[...expressionFunctions.keys()].join(', ')}, got "${token.text}"`,
    )
  expectOperator(parser, '(')
  const args: Closure[] = []
  while (!isOperator(parser, ')')) {
    if (args.length > 0) expectOperator(parser, ',')
    args.push(nested(parser, (inside) => parseBinary(inside, 0)))
  }
  parser.next += 1
  return (root, budget) => {
    budget.look()
    return run(...args.map((arg) => arg(root, budget)))
  }
}

const constants: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
  ['E', Math.E],
  ['PI', Math.PI],
])

function constantOf(token: { text: string; at: number }, parser: Parser): Closure {
  if (!constants.has(token.text))
    throw expressionError(
      parser.source,
      token.at,
      `Expected a value such as {{${token.text}}}, got the bare word "${token.text}"`,
    )
  const value = constants.get(token.text)
  return () => value
}

function compileString(parts: readonly { mustache: boolean; text: string }[], parser: Parser): Closure {
  if (parts.every((part) => !part.mustache)) {
    const text = parts.map((part) => part.text).join('')
    return () => text
  }
  const closures = parts.map((part) => (part.mustache ? parser.operands.plain(part.text) : () => part.text))
  return (root, budget) => closures.map((closure) => printValue(closure(root, budget))).join('')
}

interface Found {
  level: number
  combine(left: Closure, right: Closure): Closure
}

function operatorAt(parser: Parser): Found | undefined {
  const token = parser.tokens[parser.next]
  return token?.kind === 'operator' ? combiners.get(token.text) : undefined
}

const combiners: ReadonlyMap<string, Found> = new Map<string, Found>([
  ['||', { level: 1, combine: (left, right) => (root, budget) => left(root, budget) || right(root, budget) }],
  ['&&', { level: 2, combine: (left, right) => (root, budget) => left(root, budget) && right(root, budget) }],
  ...[...binaryOperators].map(([text, { level, apply }]: [string, Operator]): [string, Found] => [
    text,
    { level, combine: (left, right) => (root, budget) => apply(left(root, budget), right(root, budget)) },
  ]),
])

function nested(parser: Parser, parse: (parser: Parser) => Closure): Closure {
  parser.nesting += 1
  if (parser.nesting > MOST_NESTING)
    throw new FlowError('expression.syntax', `Expected an expression nested at most ${MOST_NESTING} deep, got more.`)
  const closure = parse(parser)
  parser.nesting -= 1
  return closure
}

function isOperator(parser: Parser, text: string): boolean {
  const token = parser.tokens[parser.next]
  return token?.kind === 'operator' && token.text === text
}

function expectOperator(parser: Parser, text: string): void {
  if (!isOperator(parser, text)) throw unexpected(parser, `"${text}"`)
  parser.next += 1
}

function unexpected(parser: Parser, expected: string): FlowError {
  const token = parser.tokens[parser.next]
  const at = token?.at ?? parser.source.length
  const got = token ? `"${parser.source.slice(at, at + 10)}"` : 'the end'
  return expressionError(parser.source, at, `Expected ${expected}, got ${got}`)
}
