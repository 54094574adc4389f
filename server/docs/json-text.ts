const MOST_CHARS = 200
const LINE_CHARS = 100

/** JSON for a person: what fits on a line stands on one; text above 200 characters is cut. */
export function jsonText(value: unknown, indent = ''): string {
  const plain: unknown = value instanceof Date ? value.toISOString() : value
  if (typeof plain === 'string')
    return JSON.stringify(plain.length > MOST_CHARS ? `${plain.slice(0, MOST_CHARS)}…` : plain)
  if (plain === null || typeof plain !== 'object') return JSON.stringify(plain) ?? 'null'
  const isList = Array.isArray(plain)
  const inner = `${indent}  `
  const entries = isList ? plain.map((one) => ['', one] as const) : Object.entries(plain)
  const parts = entries
    .filter(([, one]) => isList || one !== undefined)
    .map(([key, one]) => `${isList ? '' : `${JSON.stringify(key)}: `}${jsonText(one, inner)}`)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (parts.length === 0) return `${open}${close}`
  const room = isList ? '' : ' '
  const line = `${open}${room}${parts.join(', ')}${room}${close}`
  if (line.length + indent.length <= LINE_CHARS && !line.includes('\n')) return line
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`
}
