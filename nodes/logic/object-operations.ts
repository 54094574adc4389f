import { FlowError } from '../../engine/errors.ts'
import { checkListLength } from '../bounds.ts'
import { keyText } from '../key-text.ts'

type Entries = [key: string, value: unknown][]

/** The object that takes the place of the one before, or a result beside it. The source is never changed in place. */
type ObjectStep = { object: unknown } | { result: unknown }

type Operation = (source: unknown, input: () => unknown) => ObjectStep

export type ObjectOperation =
  | 'mergeDeep'
  | 'assign'
  | 'pick'
  | 'omit'
  | 'zipObject'
  | 'keys'
  | 'values'
  | 'entries'
  | 'fromPairs'

/** What an Object node can do, by the published name. Objects are made of own properties, also a key like "__proto__". */
export const objectOperations: Record<ObjectOperation, Operation> = {
  mergeDeep: (source, input) => ({ object: mergeDeep(objectOf(source), objectInput(input()), 0) }),
  assign: (source, input) => ({
    object: Object.fromEntries([...entriesOf(source), ...Object.entries(objectInput(input()))]),
  }),
  pick(source, input) {
    const keys = new Set(keysInput(input()))
    return { object: Object.fromEntries(entriesOf(source).filter(([key]) => keys.has(key))) }
  },
  omit(source, input) {
    const keys = new Set(keysInput(input()))
    return { object: Object.fromEntries(entriesOf(source).filter(([key]) => !keys.has(key))) }
  },
  zipObject(source, input) {
    const items = listOf(source, 'zipObject')
    return { object: Object.fromEntries(keysInput(input()).map((key, index) => [key, items[index]])) }
  },
  keys: (source) => ({ result: entriesOf(source).map(([key]) => key) }),
  values: (source) => ({ result: entriesOf(source).map(([, value]) => value) }),
  entries: (source) => ({ result: entriesOf(source) }),
  fromPairs: (source) => ({ result: Object.fromEntries(listOf(source, 'fromPairs').map(pairOf)) }),
}

const MOST_DEPTH = 500

// Lists are merged by index, objects by key; where one side is a list and the other is not, the input takes its place.
// A missing value does not win over one that is there.
function mergeDeep(left: object, right: object, depth: number): object {
  if (depth > MOST_DEPTH)
    throw new FlowError('value.too-deep', `An object is nested more than ${MOST_DEPTH} levels deep`)
  if (Array.isArray(left) !== Array.isArray(right)) return right
  const merge = (before: unknown, value: unknown) => {
    if (value === undefined) return before
    return isTree(value) && isTree(before) ? mergeDeep(before, value, depth + 1) : value
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    const longer = left.length > right.length ? left : right
    return longer.map((_, index) => merge(left[index], right[index]))
  }
  const merged = new Map<string, unknown>(Object.entries(left))
  for (const [key, value] of Object.entries(right)) merged.set(key, merge(merged.get(key), value))
  return Object.fromEntries(merged)
}

function isTree(value: unknown): value is object {
  return value !== null && typeof value === 'object' && !(value instanceof Date)
}

function objectOf(source: unknown): object {
  if (isTree(source)) return source
  throw new FlowError(
    'object.source',
    `Expected an object, got ${source === null ? 'null' : `a ${typeof source}`}. Check the path "Object".`,
  )
}

function entriesOf(source: unknown): Entries {
  const entries = Object.entries(objectOf(source))
  checkListLength(entries.length)
  return entries
}

function listOf(source: unknown, operation: string): unknown[] {
  if (Array.isArray(source)) return source
  // The source that is not there is an empty object; here it is an empty list.
  if (isTree(source) && Object.keys(source).length === 0) return []
  throw new FlowError(
    'object.source',
    `Expected a list for "${operation}", got ${show(source)}. Check the path "Object".`,
  )
}

function objectInput(input: unknown): object {
  if (input === undefined || input === null) return {}
  if (isTree(input)) return input
  throw new FlowError('object.input', `Expected "Input" to be an object, got ${show(input)}. Check its template.`)
}

function keysInput(input: unknown): string[] {
  if (input === undefined || input === null) return []
  if (typeof input === 'string') return [input]
  if (!Array.isArray(input)) {
    throw new FlowError(
      'object.input',
      `Expected "Input" to be a list of keys, got ${show(input)}. Check its template.`,
    )
  }
  checkListLength(input.length)
  return input.map(keyText)
}

function pairOf(pair: unknown): [string, unknown] {
  if (Array.isArray(pair)) return [keyText(pair[0]), pair[1]]
  throw new FlowError('object.source', `Expected each item to be a pair [key, value], got ${show(pair)}`)
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 50)
}
