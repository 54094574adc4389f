import fc from 'fast-check'
import { missing, raws, shapes } from '../corpus/raws.ts'

/** How often a property is tried: `few` in the tests of each day, HEADGATE_FUZZ_RUNS in a long run. Seeds are fixed. */
export function effort(few: number): { numRuns: number; seed: number; endOnFailure: boolean } {
  const { HEADGATE_FUZZ_RUNS: runs, HEADGATE_FUZZ_SEED: seed } = process.env
  return { numRuns: Number(runs ?? few), seed: Number(seed ?? 4), endOnFailure: true }
}

/** One change somewhere in a value: `way` leads there, from its root down. */
export interface Mutation {
  way: number[]
  kind: 'drop' | 'replace' | 'repeat' | 'swap' | 'nest' | 'grow' | 'share' | 'rename'
  pick: number
}

const values = [...raws, ...shapes].map(({ value }) => value).filter((value) => value !== missing)

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    way: fc.array(fc.nat(50), { minLength: 1, maxLength: 8 }),
    kind: fc.constantFrom('drop', 'replace', 'replace', 'repeat', 'swap', 'nest', 'grow', 'share', 'rename'),
    pick: fc.nat(10_000),
  }) as fc.Arbitrary<Mutation>,
  { minLength: 1, maxLength: 4 },
)

/** A copy of a value of JSON with changes in it. */
export function mutate(value: unknown, changes: readonly Mutation[]): unknown {
  const root = { value: structuredClone(value) }
  for (const { way, kind, pick } of changes) {
    const steps = [0, ...way]
    let holder: Record<string, unknown> = root
    let key = 'value'
    for (const step of steps.slice(1)) {
      const inner = holder[key]
      if (inner === null || typeof inner !== 'object') break
      const keys = Object.keys(inner)
      if (keys.length === 0) break
      holder = inner as Record<string, unknown>
      key = keys[step % keys.length]!
    }
    change(holder, key, kind, pick)
  }
  return root.value
}

function change(holder: Record<string, unknown>, key: string, kind: Mutation['kind'], pick: number): void {
  const keys = Object.keys(holder)
  const other = keys[pick % keys.length]!
  const one = holder[key]
  if (kind === 'drop') {
    if (Array.isArray(holder)) holder.splice(Number(key), 1)
    else delete holder[key]
  } else if (kind === 'replace') put(holder, key, values[pick % values.length])
  else if (kind === 'repeat') {
    if (Array.isArray(holder)) holder.push(structuredClone(one))
    else put(holder, `${key}2`, structuredClone(one))
  } else if (kind === 'swap') {
    put(holder, key, holder[other])
    put(holder, other, one)
  } else if (kind === 'nest') put(holder, key, nested(one, pick % 200))
  else if (kind === 'grow')
    put(
      holder,
      key,
      Array.from({ length: pick % 6_000 }, () => one),
    )
  else if (kind === 'share') put(holder, key, structuredClone(holder[other]))
  else {
    delete holder[key]
    put(holder, ['__proto__', 'constructor', 'id', 'config', '', 'type'][pick % 6]!, one)
  }
}

// What grew stays within what a file may be.
function nested(value: unknown, levels: number): unknown {
  let outer = value
  for (let level = 0; level < levels; level += 1) outer = level % 2 ? [outer] : { a: outer }
  return outer
}

function put(holder: object, key: string, value: unknown): void {
  if (Array.isArray(holder) && !/^\d+$/.test(key)) return
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}
