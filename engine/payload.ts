import { FlowError } from './errors.ts'

/** The JSON that a run carries, and the Dates that travel inside it. */
export type Payload = Record<string, unknown>

/**
 * A dotted place in a payload, parsed: `data.items.[2]` is `['data', 'items', 2]`; `.` is `[]`. Digits that no list counts
 * with are a key: `007`, `-1`.
 */
export type Path = readonly (string | number)[]

/**
 * Parses a payload path. Outer blanks are trimmed; `''` is undefined ("not set"); one pair of quotes inside brackets
 * is dropped. Throws `path.syntax` for what cannot be parsed.
 */
export function parsePath(text: string): Path | undefined {
  const source = text.trim()
  if (source === '') return undefined
  if (source === '.') return []
  const path: (string | number)[] = []
  const segment = /(?:\[([^\]]*)\]|([^.[\]{}\s]+))(\.|$)/y
  let end = 0
  while (end < source.length) {
    segment.lastIndex = end
    const match = segment.exec(source)
    if (!match || (match[3] === '.' && segment.lastIndex === source.length)) throw syntaxError(text)
    path.push(toSegment(match[1], match[2]))
    end = segment.lastIndex
  }
  return path
}

/** The value at `path`, own properties only; undefined where a link is missing. Never throws. */
export function readPath(root: unknown, path: Path): unknown {
  let value = root
  for (const name of path) {
    if (typeof value === 'string') {
      value = typeof name === 'number' ? value[name] : name === 'length' ? value.length : undefined
    } else if (value !== null && typeof value === 'object' && Object.hasOwn(value, name)) {
      value = (value as Record<string | number, unknown>)[name]
    } else return undefined
  }
  return value
}

const forbidden = new Set<unknown>(['__proto__', 'constructor', 'prototype'])

/** Throws `path.forbidden` for a path that cannot be written: the whole payload, or a name that reaches a prototype. */
export function checkWritable(path: Path): void {
  if (path.length === 0)
    throw new FlowError('path.forbidden', 'The whole payload (".") cannot be written; name a place in it')
  const bad = path.find((name) => forbidden.has(name))
  if (bad !== undefined)
    throw new FlowError('path.forbidden', `A payload path cannot write to "${bad}"; choose another name`)
}

/**
 * Puts a value at `path`. Missing parents become objects (arrays before an index), a primitive parent or a Date is replaced.
 * Throws `path.forbidden` as `checkWritable` does, and for an index of an array above 262,143.
 */
export function writePath(root: Payload, path: Path, value: unknown): void {
  checkWritable(path)
  let parent = root as Record<string | number, unknown>
  for (let i = 0; i < path.length - 1; i++) {
    const name = path[i]!
    const next = Object.hasOwn(parent, name) ? parent[name] : undefined
    if (next === null || typeof next !== 'object' || next instanceof Date) {
      const made = isIndex(path[i + 1]) ? [] : {}
      putOwn(parent, name, made)
      parent = made as Record<string | number, unknown>
    } else parent = next as Record<string | number, unknown>
  }
  putOwn(parent, path[path.length - 1]!, value)
}

/** Removes what is at `path`; an element of an array is spliced out. A missing place is left alone. */
export function removePath(root: Payload, path: Path): void {
  checkWritable(path)
  const parent = readPath(root, path.slice(0, -1))
  const name = path[path.length - 1]!
  if (Array.isArray(parent) && typeof name === 'number') parent.splice(name, 1)
  // Of a list only an element can go; its length cannot.
  else if (parent !== null && typeof parent === 'object' && !(Array.isArray(parent) && name === 'length'))
    delete (parent as Record<string | number, unknown>)[name]
}

/** A deep copy that shares nothing with its source. Dates stay Dates; functions and symbols become undefined. */
export function copyValue<T>(value: T): T {
  return copy(value, 0) as T
}

/**
 * A rough count of the bytes of `value` as JSON, stopping once it is over `limit`: cheap enough to ask after each node
 * that can grow a payload.
 */
export function sizeOf(value: unknown, limit = Number.POSITIVE_INFINITY): number {
  if (value === null || typeof value !== 'object') return sizeOfLeaf(value)
  let size = 0
  const stack: object[] = [value]
  // Leaves are counted where they are found: only what holds more goes on the stack.
  const add = (one: unknown) => {
    if (one === null || typeof one !== 'object') size += sizeOfLeaf(one)
    else stack.push(one)
  }
  for (let next = stack.pop(); next !== undefined && size <= limit; next = stack.pop()) {
    if (next instanceof Date) size += 26
    else if (Array.isArray(next)) {
      size += 2 + next.length
      for (let i = 0; i < next.length; i++) add(next[i])
    } else {
      size += 2
      for (const key of Object.keys(next)) {
        size += key.length + 4
        add((next as Payload)[key])
      }
    }
  }
  return size
}

function sizeOfLeaf(value: unknown): number {
  return typeof value === 'string' ? value.length + 2 : 6
}

const MOST_DEPTH = 500

function copy(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== 'object') {
    return typeof value === 'function' || typeof value === 'symbol' ? undefined : value
  }
  if (depth > MOST_DEPTH)
    throw new FlowError(
      'value.too-deep',
      `Expected a value of at most ${MOST_DEPTH} levels, got one that is nested deeper`,
    )
  if (value instanceof Date) return new Date(value.getTime())
  if (Array.isArray(value)) {
    const list: unknown[] = new Array(value.length)
    for (let i = 0; i < value.length; i++) list[i] = copy(value[i], depth + 1)
    return list
  }
  const result: Payload = {}
  for (const key of Object.keys(value)) {
    const inner = copy((value as Payload)[key], depth + 1)
    if (key === '__proto__') putOwn(result, key, inner)
    else result[key] = inner
  }
  return result
}

const MOST_INDEX = 262_143

function isIndex(name: string | number | undefined): boolean {
  return typeof name === 'number' && name <= MOST_INDEX
}

// A plain assignment to "__proto__" would change the prototype instead of making a key.
function putOwn(target: object, name: string | number, value: unknown): void {
  // One write could make an array of four billion holes, and whoever walks it would never come back.
  if (Array.isArray(target) && (name === 'length' || (typeof name === 'number' && !isIndex(name)))) {
    throw new FlowError('path.forbidden', `Expected an index of a list up to ${MOST_INDEX}, got "${name}"`)
  }
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
  else (target as Record<string | number, unknown>)[name] = value
}

function toSegment(bracketed: string | undefined, name: string | undefined): string | number {
  const given = bracketed ?? name!
  // An id such as 007 is a key: as a number it would be another one.
  if (/^\d+$/.test(given) && String(Number(given)) === given) return Number(given)
  if (bracketed === undefined) return given
  const quoted = /^(['"])(.*)\1$/.exec(bracketed)
  return quoted ? quoted[2]! : bracketed
}

function syntaxError(text: string): FlowError {
  return new FlowError(
    'path.syntax',
    `Expected a payload path like "data.items.[0].name", got "${text.slice(0, 200)}". Templates ({{...}}) are not allowed in a path.`,
  )
}
