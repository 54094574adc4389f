import { FlowError } from '../../engine/errors.ts'
import type { FlowValues } from '../../nodes/services/run.ts'
import { StoreError, type Values } from '../store/port.ts'

const MOST_BYTES = 16 * 1024
const MOST_KEY_CHARS = 1_000

/**
 * The storage of one flow: shared by all its runs and versions, unseen by other flows. `owner`: the id of the flow, or what
 * tells a custom node in one place from that in others.
 */
export function flowValues(values: Values, owner: string): FlowValues {
  const space = `flow:${owner}`
  const states = `state:${owner}`
  return {
    get: (key) => values.get(space, key),
    async all() {
      try {
        return await values.entries(space)
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'limit') throw error
        const message =
          'Expected at most 5 MB of stored values to read at once, got more. Read them one by one, by key.'
        throw new FlowError('value.too-large', message, { cause: error })
      }
    },
    async set(key, value) {
      checkKey(key)
      checkSize(key, value)
      await values.set(space, key, value)
    },
    remove: (key) => values.take(space, key),
    async add(key, amount) {
      checkKey(key)
      try {
        return await values.add(space, key, amount)
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'not-number') throw error
        throw new FlowError('value.not-number', `Expected a number to be stored under "${key}", got another value`)
      }
    },
    async transition(key, change) {
      checkKey(key)
      // Ends: each turn that is lost is one that another run has won.
      for (;;) {
        const before = await values.get(states, key)
        const { after, result } = change(before)
        checkSize(key, after)
        if (JSON.stringify(before) === JSON.stringify(after)) return result
        if (await values.swap(states, key, { before, after })) return result
      }
    },
  }
}

function checkSize(key: string, value: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '')
  if (bytes <= MOST_BYTES) return
  throw new FlowError(
    'value.too-large',
    `Expected a value of at most ${MOST_BYTES} bytes of JSON for "${key}", got ${bytes}`,
  )
}

function checkKey(key: string): void {
  if (key.length <= MOST_KEY_CHARS) return
  const message = `Expected a storage key of at most ${MOST_KEY_CHARS} characters, got ${key.length}. Check its template.`
  throw new FlowError('value.too-large', message)
}
