import { FlowError } from '../errors.ts'

/** A value on its way into a child: `json` is absent for undefined, `dates` (JSON paths) where no Date is in it. */
export interface Packed {
  json?: string
  dates?: string
}

/** One line that a script wrote with `console`. */
export interface LogLine {
  level: 'log' | 'info' | 'warn' | 'error'
  text: string
}

/** What the realm answers, parsed. Every part of it may be the author's doing. */
export interface RealmReply {
  value?: unknown
  dates?: unknown
  logs?: unknown
  failure?: 'error' | 'async' | 'result' | 'too-large'
  name?: string
  message?: string
  stack?: string
  length?: number
}

type Keys = (string | number)[]

const maxDepth = 500

/**
 * A value as JSON and the places of its Dates. What JSON drops is dropped (functions), what it turns into null is null.
 * Throws `function.input` for a cycle, a bigint, more than 500 levels, or more than `limitBytes`.
 */
export function pack(value: unknown, limitBytes: number): Packed {
  try {
    const json = JSON.stringify(value) as string | undefined
    if (json === undefined) return {}
    if (json.length > limitBytes || (json.length * 3 > limitBytes && Buffer.byteLength(json) > limitBytes)) {
      const message = `Expected at most ${limitBytes} bytes for a function node, got more. Hand it a smaller part by its payload path.`
      throw new FlowError('function.input', message, { name: 'PayloadTooLarge' })
    }
    const dates: Keys[] = []
    collectDates(value, [], dates)
    return dates.length === 0 ? { json } : { json, dates: JSON.stringify(dates) }
  } catch (error) {
    if (error instanceof FlowError) throw error
    const message = `Expected a value that JSON can hold for a function node: ${(error as Error).message}`
    throw new FlowError('function.input', message, { cause: error, name: 'ValidationError' })
  }
}

function collectDates(value: unknown, path: Keys, found: Keys[]): void {
  if (typeof value !== 'object' || value === null) return
  if (path.length > maxDepth) throw new RangeError(`it is nested deeper than ${maxDepth} levels`)
  if (value instanceof Date) {
    if (!Number.isNaN(value.getTime())) found.push([...path])
    return
  }
  // Such an object writes its own JSON, in which these paths mean nothing.
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value)
  for (const [name, member] of entries) {
    if (typeof member !== 'object' || member === null) continue
    path.push(name)
    collectDates(member, path, found)
    path.pop()
  }
}

/** The value of a reply with its Dates made again. Paths that lead nowhere are passed over. */
export function unpack(reply: RealmReply): unknown {
  const root = { value: reply.value }
  for (const path of Array.isArray(reply.dates) ? (reply.dates as unknown[]) : []) {
    if (Array.isArray(path)) putDate(root, ['value', ...(path as Keys)])
  }
  return root.value
}

function putDate(root: object, path: Keys): void {
  let parent: unknown = root
  for (const name of path.slice(0, -1)) {
    if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, name)) return
    parent = (parent as Record<string | number, unknown>)[name]
  }
  const last = path[path.length - 1] as string | number
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, last)) return
  const text = (parent as Record<string | number, unknown>)[last]
  const value = typeof text === 'string' ? new Date(text) : undefined
  if (!value || Number.isNaN(value.getTime())) return
  Object.defineProperty(parent, last, { value, writable: true, enumerable: true, configurable: true })
}

/** The log lines of a reply, well-formed ones only. */
export function logsOf(reply: RealmReply): LogLine[] {
  return Array.isArray(reply.logs) ? (reply.logs as LogLine[]).filter((line) => typeof line?.text === 'string') : []
}
