import { Queue as TokenQueue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { ConfigError } from '../config.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import type { Dispatch } from './port.ts'
import { endsWithin, oncePerMinute } from './wait.ts'

export interface BullOptions {
  /** redis://user:password@host:port/database, or rediss:// for TLS. */
  url: string
  /** Leads all keys; default `headgate`. Installations that share a Redis need one each. */
  prefix?: string
  log: Logger
}

/** A tenant in line. Which of its applications wait stands beside the line; what is to be done there, in the store. */
type Token = Pick<Scope, 'tenant'>

const queueName = 'tenants'
const oldest = [6, 2] as const
const answerMs = 2_000
const firstConnectMs = 3_000
const longestPauseMs = 2_000

/**
 * Dispatch over processes: a line in Redis, where each tenant has one token at most; whoever takes it from there has the next turn
 * of the first of its applications that wait, and puts the tenant to the end of the line when there are others. A Redis that is away, now or at the start, is waited for and stops nothing else. Throws ConfigError, which names no
 * password, for a URL that cannot be used, refused credentials, and a server older than 6.2.
 */
export async function openBullDispatch({ url, prefix = 'headgate', log }: BullOptions): Promise<Dispatch> {
  checkUrl(url)
  const complain = oncePerMinute((error) => log.warn({ err: error }, 'Redis cannot be reached: jobs start later'))
  const redis = connect(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0 }, complain)
  await firstAnswer(redis, log)
  // The version was looked at; BullMQ would write to the console itself.
  const shared = { prefix, skipVersionCheck: true }
  const line = new TokenQueue<Token>(queueName, { ...shared, connection: redis, skipMetasUpdate: true })
  line.on('error', complain)
  const adding = new Map<string, { again: boolean; added?: Promise<void> }>()
  const turns = new Set<Promise<unknown>>()
  let workers: { worker: Worker<Token>; connection: Redis } | undefined
  let closed = false

  /** One call of Redis at a time for each application: what is asked for meanwhile is one more. */
  function wake(scope: Scope) {
    const key = scopeKey(scope)
    const under = adding.get(key)
    if (under !== undefined) {
      under.again = true
      return
    }
    if (closed || redis.status !== 'ready') return
    const mine: { again: boolean; added?: Promise<void> } = { again: false }
    adding.set(key, mine)
    mine.added = putInLine(scope)
      .catch(complain)
      .finally(() => {
        adding.delete(key)
        if (mine.again) wake(scope)
      })
  }

  const waitingOf = (tenant: string) => `${prefix}:waiting:${encodeURIComponent(tenant)}`

  async function putInLine({ tenant, application }: Scope): Promise<void> {
    await redis.eval(addWaiting, 2, waitingOf(tenant), `${prefix}:waited`, application)
    await addToken(tenant)
  }

  async function addToken(tenant: string): Promise<void> {
    const deduplication = { id: encodeURIComponent(tenant) }
    await line.add('turn', { tenant }, { deduplication, removeOnComplete: true, removeOnFail: true })
  }

  /** Undefined: another token's turn has taken it. */
  async function firstWaiting(tenant: string): Promise<Scope | undefined> {
    const [application] = await redis.zpopmin(waitingOf(tenant))
    if (application === undefined) return undefined
    if ((await redis.zcard(waitingOf(tenant))) > 0) await addToken(tenant)
    return { tenant, application }
  }

  return {
    lookMs: 5_000,
    wake,

    onWake(turn, concurrency) {
      const connection = connect(url, { maxRetriesPerRequest: null }, complain)
      const serve = async (scope: Scope) => {
        if (await turn(scope)) wake(scope)
      }
      const worker = new Worker<Token>(
        queueName,
        async (token) => {
          // From here on a wake puts the application in line again: this turn may look too early to see why.
          await token.removeDeduplicationKey().catch(complain)
          const scope = await firstWaiting(token.data.tenant)
          if (scope === undefined) return
          const served = serve(scope)
          turns.add(served)
          await served.finally(() => turns.delete(served))
        },
        { ...shared, connection, concurrency, runRetryDelay: 1_000 },
      )
      worker.on('error', complain)
      workers = { worker, connection }
    },

    async check() {
      if (redis.status !== 'ready') throw new Error('Redis cannot be reached')
      const late = new Error(`Redis did not answer within ${answerMs} ms`)
      if (!(await endsWithin(redis.ping(), answerMs))) throw late
    },

    async close() {
      const stopped = workers?.worker.close().catch(complain)
      while (turns.size > 0) await Promise.allSettled(turns)
      closed = true
      const added = [...adding.values()].map((one) => one.added)
      await endsWithin(Promise.allSettled([stopped, ...added]), answerMs)
      await endsWithin(line.close(), answerMs)
      workers?.connection.disconnect()
      redis.disconnect()
    },
  }
}

/** Behind those that wait, by a count of its own, which no clock decides; one that waits keeps its place. */
const addWaiting = `return redis.call('ZADD', KEYS[1], 'NX', redis.call('INCR', KEYS[2]), ARGV[1])`

function connect(url: string, options: object, complain: (error: unknown) => void): Redis {
  const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 10), longestPauseMs)
  // The answers of protocol 2 are those that BullMQ was made for.
  const redis = new Redis(url, { ...options, retryStrategy, protocol: 2, connectTimeout: firstConnectMs })
  redis.on('error', complain)
  return redis
}

function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const fits = parsed !== undefined && /^rediss?:$/.test(parsed.protocol) && parsed.hostname !== ''
  if (fits && /^\/?\d*$/.test(parsed.pathname)) return
  throw new ConfigError('REDIS_URL: expected redis://user:password@host:port or rediss://..., got something else')
}

/** Waits for the first connection. Throws ConfigError for what waiting would not mend. */
async function firstAnswer(redis: Redis, log: Logger): Promise<void> {
  const refused = new Promise<string | undefined>((resolve) => {
    redis.once('ready', () => resolve(undefined))
    redis.on('error', (error: Error) => {
      if (/WRONGPASS|NOAUTH|NOPERM|ERR AUTH|invalid password|without any password/i.test(error.message)) {
        resolve('a user and password that the server refuses')
      } else if (/DB index|invalid DB/i.test(error.message)) resolve('a database that the server does not have')
    })
  })
  try {
    const reason = await Promise.race([refused, after(firstConnectMs, 'late')])
    if (reason === 'late') {
      log.warn('Redis cannot be reached yet: jobs start later')
      redis.once('ready', () =>
        checkServer(redis, log).catch((error) => log.error({ err: error }, 'Redis cannot be used')),
      )
      return
    }
    if (reason !== undefined) throw new ConfigError(`REDIS_URL: expected access to the server, got ${reason}.`)
    await checkServer(redis, log)
  } catch (error) {
    redis.disconnect()
    throw error
  }
}

async function checkServer(redis: Redis, log: Logger): Promise<void> {
  const info = await redis.info()
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
  const version = field('redis_version') ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new ConfigError(`REDIS_URL: expected Redis ${oldest.join('.')} or newer, got ${version}. Upgrade the server.`)
  }
  const policy = field('maxmemory_policy') ?? 'noeviction'
  if (policy !== 'noeviction') {
    log.warn({ policy }, 'Redis may drop keys of the queue: set its maxmemory-policy to noeviction')
  }
}

function after<T>(milliseconds: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, value).unref())
}
