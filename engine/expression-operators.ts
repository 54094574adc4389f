import { limitError } from './budget.ts'
import { isAtMost, isLess, isLooselyEqual, printValue, toNumber } from './helpers/values.ts'

/** An operator between two values; `level` says how tightly it binds. */
export interface Operator {
  level: number
  apply(a: unknown, b: unknown): unknown
}

const MOST_CHARS = 5_000_000

/** The operators that evaluate both sides, by their text. `&&`, `||` and `^` are with the parser. */
export const binaryOperators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    '==': { level: 3, apply: isLooselyEqual },
    '===': { level: 3, apply: (a, b) => a === b },
    '!=': { level: 3, apply: (a, b) => !isLooselyEqual(a, b) },
    '!==': { level: 3, apply: (a, b) => a !== b },
    '<': { level: 4, apply: isLess },
    '<=': { level: 4, apply: isAtMost },
    '>': { level: 4, apply: (a, b) => isLess(b, a) },
    '>=': { level: 4, apply: (a, b) => isAtMost(b, a) },
    '>>': { level: 5, apply: (a, b) => toNumber(a) >> toNumber(b) },
    '<<': { level: 5, apply: (a, b) => toNumber(a) << toNumber(b) },
    '+': { level: 6, apply: add },
    '-': { level: 6, apply: (a, b) => toNumber(a) - toNumber(b) },
    '*': { level: 7, apply: (a, b) => toNumber(a) * toNumber(b) },
    '/': { level: 7, apply: (a, b) => toNumber(a) / toNumber(b) },
    '%': { level: 7, apply: (a, b) => toNumber(a) % toNumber(b) },
  } satisfies Record<string, Operator>),
)

// A sum of numbers, also of numeric text; only text that is no number is joined.
function add(a: unknown, b: unknown): unknown {
  const [x, y] = [toNumber(a), toNumber(b)]
  if (!isPlainText(a, x) && !isPlainText(b, y)) return x + y
  const [left, right] = [printValue(a), printValue(b)]
  if (left.length + right.length > MOST_CHARS)
    throw limitError(`more than ${MOST_CHARS} characters of text`, 'Join less')
  return left + right
}

function isPlainText(value: unknown, number: number): boolean {
  return typeof value === 'string' && Number.isNaN(number)
}
