import { setImmediate as pause, setTimeout as sleep } from 'node:timers/promises'

/** True when `work` ends in time; rejects as it does. */
export async function endsWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const over = new AbortController()
  const late = sleep(milliseconds, false, { signal: over.signal }).catch(() => false)
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    over.abort()
  }
}

const minuteMs = 60_000

/** Calls `complain` at once, then not again for a minute: what fails all the time does not fill the log. */
export function oncePerMinute<A extends unknown[]>(complain: (...args: A) => void): (...args: A) => void {
  let last = Number.NEGATIVE_INFINITY
  return (...args) => {
    const now = performance.now()
    if (now - last < minuteMs) return
    last = now
    complain(...args)
  }
}

/**
 * For loops over many things in a store that never has to be waited for: what it gives is called at each of them, and lets the
 * rest of the process have the thread once this one has kept it for `afterMs`.
 */
export function openRests(afterMs = 5): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < afterMs) return
    await pause()
    since = performance.now()
  }
}

/** As `openRests`, for loops that nobody waits for: they take the thread for a twentieth of the time. Ends early with `signal`. */
export function openEase(signal: AbortSignal, afterMs = 5): () => Promise<void> {
  let since = performance.now()
  return async () => {
    const spentMs = performance.now() - since
    if (spentMs < afterMs) return
    await sleep(spentMs * 19, undefined, { signal }).catch(() => undefined)
    since = performance.now()
  }
}

/** At most `places` works at a time; the others wait in the order they came. */
export function openGate(places: number): { enter(): Promise<void>; leave(): void } {
  const waiting: (() => void)[] = []
  let free = places
  return {
    async enter() {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
    },
    leave() {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    },
  }
}

export interface Alarms<T> {
  /** Of no effect once closed. */
  set(key: string, afterMs: number, what: T): void
  close(): void
}

/** Calls `ring` once for each key, at the earliest of the times that were set for it. */
export function openAlarms<T>(ring: (what: T) => void): Alarms<T> {
  const alarms = new Map<string, { at: number; timer: NodeJS.Timeout }>()
  let closed = false
  return {
    set(key, afterMs, what) {
      if (closed) return
      const at = performance.now() + afterMs
      const known = alarms.get(key)
      if (known !== undefined && known.at <= at) return
      clearTimeout(known?.timer)
      const timer = setTimeout(() => {
        alarms.delete(key)
        ring(what)
      }, afterMs)
      alarms.set(key, { at, timer })
    },
    close() {
      closed = true
      for (const { timer } of alarms.values()) clearTimeout(timer)
      alarms.clear()
    },
  }
}
