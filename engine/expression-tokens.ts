import { FlowError } from './errors.ts'

/** A piece of an expression and where it starts. `text` parts of a string are literal text and `{{...}}`, in turn. */
export type Token =
  | { kind: 'number'; value: number; at: number }
  | { kind: 'string'; parts: readonly { mustache: boolean; text: string }[]; at: number }
  | { kind: 'operand'; source: string; at: number }
  | { kind: 'name' | 'operator'; text: string; at: number }

const MOST_CHARS = 32_768
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y
const NAME = /[A-Za-z_]\w*/y
const OPERATOR = /===|!==|==|!=|<=|>=|<<|>>|&&|\|\||[<>+\-*/%^!(),]/y
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', 0: '\0' }

/** Cuts an expression into tokens. Throws `expression.syntax`. */
export function tokenize(source: string): Token[] {
  if (typeof source !== 'string' || source.length > MOST_CHARS)
    throw new FlowError('expression.syntax', `Expected an expression of at most ${MOST_CHARS} characters.`)
  const tokens: Token[] = []
  let at = skipBlanks(source, 0)
  while (at < source.length) {
    const { token, end } = tokenAt(source, at)
    tokens.push(token)
    at = skipBlanks(source, end)
  }
  return tokens
}

/** `expression.syntax`, with the place. */
export function expressionError(source: string, at: number, what: string): FlowError {
  const shown = source.length > 200 ? `${source.slice(0, 200)}...` : source
  return new FlowError('expression.syntax', `${what} at character ${at + 1} of "${shown}".`)
}

function tokenAt(source: string, at: number): { token: Token; end: number } {
  const char = source[at]!
  if (char === "'" || char === '"') return stringAt(source, at)
  if (source.startsWith('{{', at)) {
    const end = mustacheEnd(source, at)
    if (end === undefined) throw expressionError(source, at, 'Expected "}}" for the "{{"')
    return { token: { kind: 'operand', source: source.slice(at, end), at }, end }
  }
  const number = matchAt(NUMBER, source, at)
  if (number) return { token: { kind: 'number', value: Number(number), at }, end: at + number.length }
  const name = matchAt(NAME, source, at)
  if (name) return { token: { kind: 'name', text: name, at }, end: at + name.length }
  const operator = matchAt(OPERATOR, source, at)
  if (operator) return { token: { kind: 'operator', text: operator, at }, end: at + operator.length }
  throw expressionError(source, at, `Expected a value or an operator, got "${char}"`)
}

// Quotes inside the mustache belong to it, also in a quoted text: "{{lookup a "b"}}".
function stringAt(source: string, at: number): { token: Token; end: number } {
  const parts: { mustache: boolean; text: string }[] = []
  let text = ''
  let i = at + 1
  while (i < source.length && source[i] !== source[at]) {
    const end = source.startsWith('{{', i) ? mustacheEnd(source, i) : undefined
    if (end !== undefined) {
      parts.push({ mustache: false, text }, { mustache: true, text: source.slice(i, end) })
      text = ''
      i = end
    } else if (source[i] === '\\') {
      const { value, end: after } = escapeAt(source, i)
      text += value
      i = after
    } else text += source[i++]
  }
  if (i >= source.length) throw expressionError(source, at, `Expected a closing ${source[at]}`)
  parts.push({ mustache: false, text })
  return { token: { kind: 'string', parts: parts.filter((part) => part.mustache || part.text !== ''), at }, end: i + 1 }
}

function escapeAt(source: string, at: number): { value: string; end: number } {
  const code = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))/y
  code.lastIndex = at
  const match = code.exec(source)
  if (match) return { value: String.fromCharCode(Number.parseInt(match[1] ?? match[2]!, 16)), end: code.lastIndex }
  const char = source[at + 1] ?? ''
  return { value: ESCAPES[char] ?? char, end: at + 2 }
}

function mustacheEnd(source: string, at: number): number | undefined {
  const close = source.startsWith('{{{', at) ? '}}}' : '}}'
  let i = at + close.length
  while (i < source.length) {
    if (source.startsWith(close, i)) return i + close.length
    const char = source[i]!
    const end = char === '"' || char === "'" ? source.indexOf(char, i + 1) : char === '[' ? source.indexOf(']', i) : i
    i = (end < 0 ? i : end) + 1
  }
  return undefined
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}

function skipBlanks(source: string, at: number): number {
  let i = at
  while (i < source.length && /\s/.test(source[i]!)) i += 1
  return i
}
