import Handlebars from 'handlebars'
import { FlowError } from './errors.ts'

/** Longest template text, in characters. */
export const MOST_TEMPLATE_CHARS = 131_072

const MOST_NESTING = 250

interface Lexer {
  yy: object
  lex(): number | string | undefined
  setInput(text: string): void
}
interface Parser {
  lexer: Lexer
  terminals_: Record<string, string>
}

const parser = (Handlebars as unknown as { Parser: Parser }).Parser

/**
 * Parses Handlebars text. Only text: a tree from outside is refused. Throws `template.syntax` with the place of the
 * mistake, and for text that is too long or nested too deeply.
 */
export function parseTemplate(source: string): hbs.AST.Program {
  if (typeof source !== 'string')
    throw new FlowError('template.syntax', `Expected template text, got ${typeof source}.`)
  if (source.length > MOST_TEMPLATE_CHARS)
    throw new FlowError(
      'template.syntax',
      `Expected a template of at most ${MOST_TEMPLATE_CHARS} characters, got ${source.length}. Split it into components.`,
    )
  try {
    checkNesting(source)
    return Handlebars.parse(source)
  } catch (error) {
    if (error instanceof FlowError) throw error
    const message = error instanceof Error ? error.message : String(error)
    const reason = message.includes("got 'CLOSE_UNESCAPED'") ? `Put a blank between "}}" and "}". ${message}` : message
    throw new FlowError('template.syntax', `Expected a Handlebars template, got "${excerpt(source)}". ${reason}`, {
      cause: error,
    })
  }
}

/** The mustache that is the whole of a template but for outer blanks; undefined if there is more or less. */
export function loneMustache(source: string): hbs.AST.MustacheStatement | undefined {
  const text = source.trim()
  if (!text.startsWith('{{') || !text.endsWith('}}')) return undefined
  const { body } = parseTemplate(text)
  const only = body[0]
  return body.length === 1 && only?.type === 'MustacheStatement' ? (only as hbs.AST.MustacheStatement) : undefined
}

/** `template.syntax` at the place of a node. */
export function syntaxError(message: string, node: hbs.AST.Node): FlowError {
  const { line, column } = node.loc.start
  return new FlowError('template.syntax', `${message} (line ${line}, column ${column + 1})`)
}

/** The start of a text, for a message. */
export function excerpt(source: string): string {
  return source.length > 120 ? `${source.slice(0, 120)}...` : source
}

// The parser needs time that grows with the square of the nesting (minutes for a template within the allowed length), so
// that its tokens are looked at first.
function checkNesting(source: string): void {
  if (source.split('{{', MOST_NESTING + 1).length + source.split('(', MOST_NESTING + 1).length <= MOST_NESTING) return
  const { lexer, terminals_ } = parser
  lexer.yy = {}
  lexer.setInput(source)
  let blocks = 0
  let calls = 0
  const open: number[] = []
  for (let token = lexer.lex(); token !== undefined && terminals_[token] !== undefined; token = lexer.lex()) {
    switch (terminals_[token]) {
      case 'EOF':
        return
      case 'OPEN_SEXPR':
        calls += 1
        break
      case 'CLOSE_SEXPR':
        calls -= 1
        break
      case 'OPEN_BLOCK':
      case 'OPEN_INVERSE':
      case 'OPEN_PARTIAL_BLOCK':
      case 'OPEN_RAW_BLOCK':
        open.push(blocks)
        blocks += 1
        break
      case 'OPEN_INVERSE_CHAIN':
        blocks += 1
        break
      case 'OPEN_ENDBLOCK':
      case 'END_RAW_BLOCK':
        blocks = open.pop() ?? 0
        break
    }
    if (blocks > MOST_NESTING || calls > MOST_NESTING)
      throw new FlowError(
        'template.syntax',
        `Expected blocks and calls nested at most ${MOST_NESTING} deep, got more. Split the template into partials.`,
      )
  }
}
