import { createHash } from 'node:crypto'
import { RateLimiterMemory } from 'rate-limiter-flexible'

/** Failed password checks of a quarter of an hour, by account. */
export interface Attempts {
  /**
   * Runs a password check, one at a time for an account. After ten failures in 15 minutes it is false without being run; a
   * success forgets the failures. Accounts are never locked: time alone opens them again.
   */
  guard(account: string, check: () => Promise<boolean>): Promise<boolean>
}

const mostFailures = 10

/** Kept in this process. */
export function openAttempts(): Attempts {
  const limiter = new RateLimiterMemory({ points: mostFailures, duration: 15 * 60 })
  const lines = new Map<string, Promise<unknown>>()

  async function attempt(key: string, check: () => Promise<boolean>): Promise<boolean> {
    const failures = (await limiter.get(key))?.consumedPoints ?? 0
    if (failures >= mostFailures) return false
    const right = await check()
    if (right) await limiter.delete(key)
    else await limiter.penalty(key)
    return right
  }

  return {
    async guard(account, check) {
      // Fixed length: what is kept must not grow with what strangers type.
      const key = createHash('sha256').update(account).digest('base64')
      // One after the other: a thousand guesses at once would all see no failure yet.
      const before = lines.get(key) ?? Promise.resolve()
      const turn = before.then(() => attempt(key, check))
      const settled = turn.catch(() => undefined)
      lines.set(key, settled)
      try {
        return await turn
      } finally {
        if (lines.get(key) === settled) lines.delete(key)
      }
    },
  }
}
