import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { noRelay, openRelay, type Relay } from './relay.ts'

/** Carries orders over the store where several processes may share one; REDIS_URL makes it fast. */
export async function openRelayOf(
  { storeUrl, redisUrl }: Pick<Config, 'storeUrl' | 'redisUrl'>,
  { log, now }: { log: Logger; now(): number },
): Promise<Relay> {
  if (storeUrl === undefined) return noRelay
  const onError = (error: unknown) => log.warn({ err: error }, 'messages for devices of this process could not be read')
  // Loaded when it is asked for: it is large.
  const signal = redisUrl === undefined ? undefined : (await import('./signal.ts')).openRedisSignal(redisUrl, log)
  return openRelay({ now, signal, onError })
}
