/** How often a flow is started for one device in a span of time; what is over it is left out. */
export interface LoopGuard {
  /** False when `key` has had its share of this span. `first`: it is the first time in the span that something is left out. */
  take(key: string): { allowed: boolean; first: boolean }
  /** What was left out since the start of the process. */
  dropped(): number
}

/** Counts in the memory of this process: with several processes each allows as much. Default 30 in 15,000 ms. */
export function openLoopGuard({
  now,
  most = 30,
  spanMs = 15_000,
}: {
  now(): number
  most?: number
  spanMs?: number
}): LoopGuard {
  const counts = new Map<string, number>()
  let span = 0
  let dropped = 0
  return {
    take(key) {
      const current = Math.floor(now() / spanMs)
      // All spans begin together: one clearing keeps the memory to what a span brings.
      if (current !== span) counts.clear()
      span = current
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      const allowed = count <= most
      if (!allowed) dropped += 1
      return { allowed, first: count === most + 1 }
    },
    dropped: () => dropped,
  }
}
