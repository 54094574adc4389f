import { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { oncePerMinute } from '../jobs/wait.ts'
import { scopeKey } from '../store/scope.ts'
import type { Signal } from './relay.ts'

const channel = 'headgate:mqtt'

/** Wakes over Redis. One that is away is waited for; wakes are lost meanwhile. */
export function openRedisSignal(url: string, log: Logger): Signal {
  const complain = oncePerMinute((error) => log.warn({ err: error }, 'Redis cannot be reached: commands arrive later'))
  const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 10), 2_000)
  const options = { retryStrategy, protocol: 2, maxRetriesPerRequest: null } as const
  const publisher = new Redis(url, { ...options, enableOfflineQueue: false })
  publisher.on('error', complain)
  let listener: Redis | undefined
  return {
    wake(scope) {
      if (publisher.status === 'ready') publisher.publish(channel, scopeKey(scope)).catch(complain)
    },
    onWake(wake) {
      listener = new Redis(url, options)
      listener.on('error', complain)
      listener.on('message', (_channel: string, key: string) => wake(key))
      listener.subscribe(channel).catch(complain)
    },
    async close() {
      listener?.disconnect()
      publisher.disconnect()
    },
  }
}
