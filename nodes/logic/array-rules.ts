import { FlowError } from '../../engine/errors.ts'
import { toNumber } from '../../engine/helpers/values.ts'
import { type Payload, parsePath, readPath } from '../../engine/payload.ts'
import { checkListLength } from '../bounds.ts'
import { keyText } from '../key-text.ts'
import { inOrder } from './order.ts'

/** One rule of an Array node. `input` is asked on the payload, or for `filter` on a root of its own for each item. */
export interface ArrayRule {
  type: string
  input(root?: Payload): unknown
  index(): number | undefined
  order: 'ascending' | 'descending'
}

/** What a rule did: the list that takes the place of the one before, a result to put at its output path, or both. */
export interface ArrayStep {
  items?: unknown[]
  result?: unknown
}

interface Surroundings {
  payload: Payload
  turn(): Promise<void> | undefined
}

/** The list that a rule works on, safe to change: a missing one is empty, a text is its characters. Throws `array.source`. */
export function toList(source: unknown): unknown[] {
  if (source === undefined || source === null) return []
  if (Array.isArray(source)) {
    checkListLength(source.length)
    return [...source]
  }
  if (typeof source === 'string') {
    checkListLength(source.length)
    return [...source]
  }
  throw new FlowError('array.source', `Expected a list or a text, got ${describe(source)}. Check the path "List".`)
}

/** Applies one rule. `items` may be changed in place; the payload is left alone. */
export function applyRule(items: unknown[], rule: ArrayRule, around: Surroundings): ArrayStep | Promise<ArrayStep> {
  if (rule.type === 'filter') return filter(items, rule, around)
  const apply = rules[rule.type]
  if (!apply) throw new FlowError('config.type', `Expected a rule of an Array node, got "${rule.type}"`)
  return apply(items, rule)
}

const rules: Record<string, (items: unknown[], rule: ArrayRule) => ArrayStep> = {
  push: (items, rule) => ({ items: [...items, rule.input()] }),
  unshift: (items, rule) => ({ items: [rule.input(), ...items] }),
  concat(items, rule) {
    const more = rule.input()
    return { items: more === undefined ? items : items.concat(more) }
  },
  insertAt(items, rule) {
    items.splice(rule.index() ?? 0, 0, rule.input())
    return { items }
  },
  removeAt(items, rule) {
    const at = positionOf(items, rule)
    return { items, result: at === undefined ? undefined : items.splice(at, 1)[0] }
  },
  replaceAt(items, rule) {
    const at = positionOf(items, rule)
    return { items, result: at === undefined ? undefined : items.splice(at, 1, rule.input())[0] }
  },
  shift: (items) => ({ result: items.shift(), items }),
  pop: (items) => ({ result: items.pop(), items }),
  slice: (items, rule) => ({ items: items.slice(Number(rule.input() ?? 0), rule.index()) }),
  reverse: (items) => ({ items: items.reverse() }),
  compact: (items) => ({ items: items.filter(Boolean) }),
  flatten: (items) => ({ items: items.flat(1) }),
  deduplicate: (items) => ({ items: [...new Set(items)] }),
  deduplicateBy(items, rule) {
    const read = reader(rule)
    const firsts = new Map<unknown, unknown>()
    for (const item of items) if (!firsts.has(read(item))) firsts.set(read(item), item)
    return { result: [...firsts.values()] }
  },
  sort: (items, rule) => ({ result: inOrder(items, (item) => item, rule.order) }),
  sortBy: (items, rule) => ({ result: inOrder(items, reader(rule), rule.order) }),
  indexOf: (items, rule) => ({ result: items.indexOf(rule.input()) }),
  lookupAt: (items, rule) => ({ result: items.at(rule.index() ?? 0) }),
  length: (items) => ({ result: items.length }),
  sum: (items) => ({ result: sum(items) }),
  // Object.fromEntries makes own properties, also of a key like "__proto__".
  keyBy(items, rule) {
    const read = reader(rule)
    return { result: Object.fromEntries(items.map((item) => [keyText(read(item)), item])) }
  },
  groupBy(items, rule) {
    const read = reader(rule)
    return { result: Object.fromEntries(Map.groupBy(items, (item) => keyText(read(item)))) }
  },
}

async function filter(items: unknown[], rule: ArrayRule, { payload, turn }: Surroundings): Promise<ArrayStep> {
  const kept: unknown[] = []
  for (const [index, value] of items.entries()) {
    await turn()
    if (rule.input({ value, index, array: items, payload })) kept.push(value)
  }
  return { result: kept }
}

/** Reads a property: by its name as it stands, else by its name as a path. */
function reader(rule: ArrayRule): (item: unknown) => unknown {
  const name = String(rule.input() ?? '').trim()
  const path = pathOf(name)
  return (item) => {
    if (item !== null && typeof item === 'object' && Object.hasOwn(item, name)) return (item as Payload)[name]
    return path && readPath(item, path)
  }
}

// A name such as "Serial Number" is no path: it only stands for itself.
function pathOf(name: string) {
  try {
    return parsePath(name)
  } catch (error) {
    if (error instanceof FlowError) return undefined
    throw error
  }
}

function positionOf(items: readonly unknown[], rule: ArrayRule): number | undefined {
  const index = Math.trunc(rule.index() ?? 0)
  const at = index < 0 ? items.length + index : index
  return at >= 0 && at < items.length ? at : undefined
}

// Missing items count nothing; what is no number leaves no sum.
function sum(items: readonly unknown[]): number | null {
  const total = items.reduce<number>((sum, item) => (item === undefined ? sum : sum + toNumber(item)), 0)
  return Number.isFinite(total) ? total : null
}

function describe(value: unknown): string {
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
