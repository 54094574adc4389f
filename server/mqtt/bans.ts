/** Who is kept out for a while. */
export interface Bans {
  has(who: string): boolean
  /** For 30 seconds; who does it again within as long as he was kept out, for twice as long as before, up to an hour. */
  add(who: string): void
}

const firstMs = 30_000
const longestMs = 3_600_000
const mostKept = 10_000

/** Kept in this process. */
export function openBans(now: () => number): Bans {
  const bans = new Map<string, { until: number; lengthMs: number }>()
  return {
    has: (who) => (bans.get(who)?.until ?? 0) > now(),
    add(who) {
      if (bans.size >= mostKept) for (const [key, { until }] of bans) if (until <= now()) bans.delete(key)
      const before = bans.get(who)
      const again = before !== undefined && now() < before.until + before.lengthMs
      const lengthMs = again ? Math.min(2 * before.lengthMs, longestMs) : firstMs
      bans.set(who, { until: now() + lengthMs, lengthMs })
    },
  }
}
