import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { HttpError } from '../errors.ts'

export interface ExperienceLimits {
  /** Default 5 MB, also once unpacked. */
  bodyBytes: number
  /** How long a request waits for a flow to reply; default 30,000. */
  replyTimeoutMs: number
  /** Sustained requests of one host; default 50. Infinity: no limit. */
  requestsPerSecond: number
  /** Requests of one host at once, within the time that refills them; default 500. */
  burst: number
  /** Memory that bodies may take until their runs end, of one application and of all; default 200 and 600 MB. */
  heldBytesPerApplication: number
  heldBytes: number
  /** Requests that wait for a reply, of one application and of all; default 2,000 and 10,000. */
  waitingPerApplication: number
  waiting: number
}

export const defaultLimits: ExperienceLimits = {
  bodyBytes: 5_000_000,
  replyTimeoutMs: 30_000,
  requestsPerSecond: 50,
  burst: 500,
  heldBytesPerApplication: 200_000_000,
  heldBytes: 600_000_000,
  waitingPerApplication: 2_000,
  waiting: 10_000,
}

/** Counts the requests of each host in memory. Throws HttpError `request.rate` with `retry-after`. */
export function openRateLimit(limits: Pick<ExperienceLimits, 'burst' | 'requestsPerSecond'>): {
  take(host: string): Promise<void> | undefined
} {
  const { burst, requestsPerSecond } = limits
  if (!Number.isFinite(requestsPerSecond)) return { take: () => undefined }
  // A window that holds one burst and is as long as its refill: the sustained rate follows.
  const limiter = new RateLimiterMemory({ points: burst, duration: Math.max(1, Math.ceil(burst / requestsPerSecond)) })
  return {
    async take(host) {
      try {
        await limiter.consume(host)
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
        throw new HttpError('request.rate', `Expected at most ${requestsPerSecond} requests a second, got more`, {
          headers: { 'retry-after': String(seconds) },
        })
      }
    },
  }
}
