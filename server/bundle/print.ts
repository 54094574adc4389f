import { Document, isScalar, Scalar, visit } from 'yaml'

/**
 * Prints an envelope as YAML: no anchors, no document marker, a newline at the end. Text that YAML 1.1 or 1.2 could read
 * as something else is quoted.
 */
export function printYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar(_key, node) {
      if (!isScalar(node) || typeof node.value !== 'string') return
      if (isMisread(node.value)) node.type = Scalar.QUOTE_SINGLE
      else if (node.value.includes('\n')) node.type = isBlock(node.value) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE
    },
  })
  return document.toString({ lineWidth: 100, singleQuote: true })
}

/** The same value with the keys of every object in order, and without what is undefined. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sortKeys(one)]))
}

const words = /^(?:y|n|yes|no|on|off|true|false|null|~|<<|=|[-+]?\.inf|\.nan|)$/i
// More than are numbers or dates in any version: a quote too many does no harm.
const numbers = /^(?:[-+.0-9][-+.:_0-9a-fox]*|e[-+]?[0-9]+)$/i
const dates = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|[Tt \t])/

function isMisread(text: string): boolean {
  return text.length < 100 && (words.test(text) || numbers.test(text) || dates.test(text))
}

// Text that a literal block gives back as it is: its first line says how far the block is indented, and at most one
// newline ends it.
function isBlock(text: string): boolean {
  const tail = text.slice(text.trimEnd().length)
  return /^\S/.test(text) && (tail === '' || tail === '\n') && !/\p{Cc}/u.test(text.replace(/[\n\t]/g, ''))
}
