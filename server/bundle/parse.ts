import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'

/** Bounds of one parsed file: its bytes, its levels, and the values that come out of aliases. */
export const parseLimits = { bytes: 16 * 2 ** 20, depth: 200, aliased: 10_000 }

/** What a file holds, as plain JSON; or why it cannot be read, with a line where there is one. */
export type Parsed = { value: unknown } | { message: string; line?: number }

/** Parses JSON text. `__proto__` as a key is refused. */
export function parseJson(text: string): Parsed {
  let value: unknown
  try {
    value = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text)
  } catch (error) {
    const line = /line (\d+)/.exec((error as Error).message)?.[1]
    return { message: (error as Error).message, ...(line === undefined ? {} : { line: Number(line) }) }
  }
  const wrong = refuseJson(value, 0)
  return wrong === undefined ? { value } : { message: wrong }
}

/**
 * Parses one YAML 1.2 document. Keys are always the text as written (`y`, `no`, `22e52418`), and so is a number that
 * a double cannot hold or that has leading zeros: ids look like that. Tags of one's own are refused; aliases are
 * expanded within `parseLimits`.
 */
export function parseYaml(text: string): Parsed {
  const lines = new LineCounter()
  try {
    const document = parseDocument(text, { lineCounter: lines, version: '1.2', schema: 'core', stringKeys: false })
    const first = document.errors[0] ?? document.warnings[0]
    if (first !== undefined) {
      return { message: first.message.split('\n')[0]!.replace(/:$/, ''), line: lines.linePos(first.pos[0]).line }
    }
    return { value: toPlain(document.contents, { document, aliased: 0 }, { depth: 0, aliased: false }) }
  } catch (error) {
    if (error instanceof Refused)
      return { message: error.message, ...(error.at === undefined ? {} : { line: lines.linePos(error.at).line }) }
    // A text nested thousands of levels deep runs the parser out of stack.
    if (error instanceof RangeError) return { message: `Nested more than ${parseLimits.depth} levels deep` }
    throw error
  }
}

/** Finds the one-based line of what a JSON pointer names in a YAML or JSON text; of its nearest parent if it is not there. */
export function linesOf(source: string): (pointer: string) => number | undefined {
  const lines = new LineCounter()
  let contents: unknown
  try {
    contents = parseDocument(source, { lineCounter: lines }).contents
  } catch {
    // Only lines are lost: the problems themselves are reported without them.
    return () => undefined
  }
  return (pointer) => {
    const start = startOf(contents, pointer)
    return start === undefined ? undefined : lines.linePos(start).line
  }
}

function startOf(contents: unknown, pointer: string): number | undefined {
  let node = contents
  let start: number | undefined
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    const pair = isMap(node) ? node.items.find((one) => isScalar(one.key) && keyText(one.key) === name) : undefined
    const next = isSeq(node) ? node.items[Number(name)] : pair?.key
    if (next === undefined || next === null) break
    start = (next as Node).range?.[0] ?? start
    node = pair ? pair.value : next
  }
  return start
}

class Refused extends Error {
  readonly at: number | undefined
  constructor(message: string, at?: number) {
    super(message)
    this.at = at
  }
}

interface Expansion {
  document: Document
  /** Values made so far from aliases. */
  aliased: number
}

function toPlain(node: unknown, expansion: Expansion, place: { depth: number; aliased: boolean }): unknown {
  const at = (node as Node | null)?.range?.[0]
  if (place.aliased) expansion.aliased += 1
  if (expansion.aliased > parseLimits.aliased) {
    throw new Refused(`Its aliases stand for more than ${parseLimits.aliased} values; write them out`, at)
  }
  if (place.depth > parseLimits.depth) throw new Refused(`Nested more than ${parseLimits.depth} levels deep`, at)
  const inside = { ...place, depth: place.depth + 1 }
  if (isScalar(node)) return scalarOf(node)
  if (isSeq(node)) return node.items.map((item) => toPlain(item, expansion, inside))
  if (isMap(node)) {
    const result: Record<string, unknown> = {}
    for (const pair of node.items) {
      if (pair.key !== null && !isScalar(pair.key)) {
        throw new Refused('Expected a key that is text, got a list, a mapping or an alias', at)
      }
      const key = pair.key === null ? '' : keyText(pair.key)
      if (key === '__proto__') throw new Refused('The key "__proto__" is not allowed', at)
      result[key] = toPlain(pair.value, expansion, inside)
    }
    return result
  }
  if (isAlias(node)) return toPlain(targetOf(node, expansion.document), expansion, { ...inside, aliased: true })
  return null
}

function targetOf(alias: Alias, document: Document): Node {
  const target = alias.resolve(document)
  if (target === undefined) throw new Refused(`The alias *${alias.source} has no anchor`, alias.range?.[0])
  return target
}

function keyText(key: { value?: unknown; source?: string; type?: string }): string {
  return key.type === 'PLAIN' && key.source !== undefined ? key.source : String(key.value ?? '')
}

function scalarOf(node: { value: unknown; source?: string }): unknown {
  const { value, source } = node
  if (typeof value === 'bigint') return source ?? String(value)
  if (typeof value !== 'number' || source === undefined) return value
  // A large one that is written as it would be printed, such as 1.5e+300, is a number all the same.
  const exact =
    Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value) || String(value) === source)
  return exact && !/^[-+]?0[0-9]/.test(source) ? value : source
}

function refuseJson(value: unknown, depth: number): string | undefined {
  if (value === null || typeof value !== 'object') return undefined
  if (depth > parseLimits.depth) return `Nested more than ${parseLimits.depth} levels deep`
  if (Object.hasOwn(value, '__proto__')) return 'The key "__proto__" is not allowed'
  for (const one of Object.values(value)) {
    const wrong = refuseJson(one, depth + 1)
    if (wrong !== undefined) return wrong
  }
  return undefined
}
