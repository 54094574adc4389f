import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { inject } from 'vitest'
import { openDispatch } from '../../server/jobs/open-dispatch.ts'
import type { Dispatch } from '../../server/jobs/port.ts'
import { openStore } from '../../server/store/open.ts'
import type { Store } from '../../server/store/port.ts'
import { requireOrSkip } from './services-needed.ts'
import { mongoDatabase, storeSettings } from './store.ts'

/** What a server stands on. */
export interface Stack {
  name: string
  /** Settings of a new, empty one; `DATA_DIR` is the folder of the embedded store. */
  env(): Record<string, string>
  open(env: Record<string, string>, log: Logger): Promise<{ store: Store; dispatch: Dispatch }>
}

const [mongo, redis] = [inject('mongo'), inject('redis')]
requireOrSkip('MongoDB', 'url' in mongo, 'reason' in mongo ? mongo.reason : '')
requireOrSkip('Redis', 'url' in redis, 'reason' in redis ? redis.reason : '')

async function open(env: Record<string, string>, log: Logger) {
  const store = await openStore(env.STORE_URL, join(env.DATA_DIR!, 'headgate.db'))
  return { store, dispatch: await openDispatch(env.REDIS_URL, log) }
}

export const embedded: Stack = { name: 'SQLite and the queue in the process', env: storeSettings, open }

/** Undefined where a service is missing: the reason was printed. */
export const shared: Stack | undefined =
  'url' in mongo && 'url' in redis
    ? {
        name: 'MongoDB and BullMQ',
        // Databases of Redis are few: what is left over from one test is a wake for an application that the next does not have.
        env: () => ({ STORE_URL: mongoDatabase(), REDIS_URL: `${redis.url}/${randomBytes(1)[0]! % 16}` }),
        open,
      }
    : undefined

export const stacks: readonly Stack[] = shared ? [embedded, shared] : [embedded]
