import { setImmediate } from 'node:timers/promises'
import { FlowError } from '../engine/errors.ts'
import { copyValue, sizeOf } from '../engine/payload.ts'

/** The most items of a list that a node makes. */
export const MOST_ITEMS = 262_144

/** The most characters of a text, and the most bytes of a value, that a node makes. */
export const MOST_BYTES = 5 << 20

/**
 * A deep copy for another place of the payload. Without it two places would share one value, and a value put inside
 * itself would have no end. Throws `limit.payload` for more than 5 MB.
 */
export function copyBounded<T>(value: T): T {
  if (value === null || typeof value !== 'object') return copyValue(value)
  if (sizeOf(value, MOST_BYTES) > MOST_BYTES) {
    throw new FlowError('limit.payload', `A value is larger than ${MOST_BYTES} bytes and cannot be copied`, {
      name: 'PayloadTooLarge',
    })
  }
  return copyValue(value)
}

/** Throws `text.too-long` when a text of `length` characters is more than a node may make. */
export function checkTextLength(length: number): void {
  if (length <= MOST_BYTES) return
  throw new FlowError('text.too-long', `Expected a text of at most ${MOST_BYTES} characters, got ${length}`)
}

/** Throws `array.too-long` when a list of `length` items is more than a node may make. */
export function checkListLength(length: number): void {
  if (length <= MOST_ITEMS) return
  throw new FlowError('array.too-long', `Expected a list of at most ${MOST_ITEMS} items, got ${length}`)
}

const SLICE_MS = 10

/**
 * For work that an author can make long: call what it returns before each piece, and await it. Lets other requests go
 * on every 10 ms, and stops with the signal's reason when the run is over.
 */
export function takeTurns(signal: AbortSignal): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < SLICE_MS) return undefined
    return setImmediate().then(() => {
      signal.throwIfAborted()
      since = performance.now()
    })
  }
}
