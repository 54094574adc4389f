import type { Logger } from 'pino'
import { openLocalDispatch } from './local-dispatch.ts'
import type { Dispatch } from './port.ts'

/** What REDIS_URL names, or dispatch within this process. Throws ConfigError for a Redis that cannot be used. */
export async function openDispatch(redisUrl: string | undefined, log: Logger): Promise<Dispatch> {
  if (redisUrl === undefined) return openLocalDispatch()
  // Loaded when it is asked for: it is large.
  const { openBullDispatch } = await import('./bullmq.ts')
  return openBullDispatch({ url: redisUrl, log })
}
