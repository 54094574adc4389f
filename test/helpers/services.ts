import { FlowError } from '../../engine/errors.ts'
import type { Payload } from '../../engine/payload.ts'
import type { DebugLog, FlowValues } from '../../nodes/services/run.ts'

/** Key-value storage in memory, with the rules of the real one but its size. */
export function memoryValues(initial: Payload = {}): FlowValues {
  const values = new Map(Object.entries(initial))
  const states = new Map<string, unknown>()
  return {
    get: async (key) => values.get(key),
    all: async () => Object.fromEntries(values),
    async set(key, value) {
      if (value === undefined) values.delete(key)
      else values.set(key, value)
    },
    async remove(key) {
      const before = values.get(key)
      values.delete(key)
      return before
    },
    async add(key, amount) {
      const before = values.get(key) ?? 0
      if (typeof before !== 'number') throw new FlowError('value.not-number', `Expected a number, got ${typeof before}`)
      values.set(key, before + amount)
      return before + amount
    },
    async transition(key, change) {
      const { after, result } = change(states.get(key))
      const kept = JSON.stringify(after)
      if (kept === undefined) states.delete(key)
      else states.set(key, JSON.parse(kept))
      return result
    },
  }
}

type DebugEntry = Parameters<DebugLog['write']>[0]

/** A debug log that keeps what is written. */
export function recordDebug(): DebugLog & { entries: DebugEntry[] } {
  const entries: DebugEntry[] = []
  return {
    entries,
    write: (entry) => entries.push(structuredClone({ ...entry, node: undefined }) as unknown as DebugEntry),
  }
}
