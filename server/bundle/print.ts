import { Document, isScalar, Scalar, visit } from 'yaml'

/**
 * Prints an envelope as YAML: no anchors, no document marker, a newline at the end. Text that YAML 1.1 or 1.2 could read
 * as something else is quoted.
 */
export function printYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar(_key, node) {
      if (isScalar(node) && typeof node.value === 'string' && isMisread(node.value)) node.type = Scalar.QUOTE_SINGLE
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

const words = /^(?:y|n|yes|no|on|off|true|false|null|~|<<|=|)$/i
const numbers =
  /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-f_]+|[0-9][0-9_]*(?::[0-5]?[0-9])*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?|\.[0-9_]+(?:e[-+]?[0-9]+)?|\.inf)$|^\.nan$/i
const dates = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|[Tt \t])/

function isMisread(text: string): boolean {
  return text.length < 100 && (words.test(text) || numbers.test(text) || dates.test(text))
}
