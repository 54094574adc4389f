import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, isDuplicate } from './mongo-client.ts'
import { newStamp } from './mongo-document.ts'
import { StoreError } from './port.ts'

/** The right to be the only one that works on something. */
export interface Lease {
  /** Before every step: throws StoreError `unavailable` when another process has taken over. */
  check(): Promise<void>
}

/** Work that is done by one caller at a time, over all processes. */
export interface Leases {
  /** Waits for its turn, at most three times `leaseMs`; then StoreError `unavailable`. */
  hold<T>(key: string, work: (lease: Lease) => Promise<T>): Promise<T>
  /** Resolves when no turn is held, so that nobody has to wait for it to run out. */
  ended(): Promise<void>
}

interface Lock {
  _id: string
  key: string
  /** Grows while its holder lives. */
  beat: number
}

interface Job {
  work(lease: Lease): Promise<void>
  fail(error: unknown): void
}

/** Other processes get their turn after so long, however much is waiting here. */
const mostHeldMs = 200

/**
 * A lock is a document whose key no second one has; its `_id` is made for this turn, so that whoever removes it removes no
 * other. Its holder lets it beat; one that has not beaten for `leaseMs`, by the clock of the one who waits, may be removed by
 * him: no two machines need agree on the time. `taken` runs at the start of each turn.
 */
export function openLeases(options: {
  connection: Connection
  collection: string
  leaseMs: number
  taken?: (key: string, lease: Lease) => Promise<void>
}): Leases {
  const { connection, leaseMs, taken } = options
  const queues = new Map<string, Job[]>()
  const working = new Set<Promise<void>>()
  const locks = () => connection.collection<Lock>(options.collection)

  async function acquire(key: string): Promise<string> {
    const token = newStamp()
    const deadline = performance.now() + 3 * leaseMs
    let seen = { token: '', beat: 0, since: 0 }
    for (let delayMs = 1; performance.now() < deadline; delayMs = Math.min(delayMs * 2, 40)) {
      try {
        await locks().insertOne({ _id: token, key, beat: 0 })
        return token
      } catch (error) {
        if (!isDuplicate(error)) throw error
      }
      const held = await locks().findOne({ key })
      const now = performance.now()
      if (held === null) continue
      if (held._id !== seen.token || held.beat !== seen.beat) seen = { token: held._id, beat: held.beat, since: now }
      if (now - seen.since >= leaseMs) await locks().deleteOne({ _id: held._id, beat: held.beat })
      else await pause(delayMs * (0.5 + Math.random()))
    }
    throw new StoreError('unavailable', 'Expected a turn to write, others have been writing all the time. Try again.')
  }

  function leaseOf(token: string) {
    let beatAt = performance.now()
    const beat = async () => {
      const sentAt = performance.now()
      const { matchedCount } = await locks().updateOne({ _id: token }, { $inc: { beat: 1 } })
      if (matchedCount === 0) throw new StoreError('unavailable', 'Another process took over this write. Try again.')
      beatAt = sentAt
    }
    // A beat that fails is found by the next check.
    const timer = setInterval(() => void beat().catch(() => undefined), leaseMs / 4)
    timer.unref()
    const lease: Lease = {
      async check() {
        if (performance.now() - beatAt > leaseMs / 2) await beat()
      },
    }
    return { lease, stop: () => clearInterval(timer) }
  }

  /** One turn: as many of the jobs as there is time for. */
  async function turn(key: string, queue: Job[]) {
    const token = await acquire(key)
    const { lease, stop } = leaseOf(token)
    const until = performance.now() + mostHeldMs
    let current: Job | undefined
    try {
      await taken?.(key, lease)
      do {
        current = queue.shift()
        await current?.work(lease)
        current = undefined
      } while (queue.length > 0 && performance.now() < until)
    } catch (error) {
      // What was sent may still arrive: the lock is left to run out, and the next turn puts right what was begun.
      if (current === undefined) throw error
      current.fail(error)
      return
    } finally {
      stop()
    }
    await locks().deleteOne({ _id: token })
  }

  async function work(key: string, queue: Job[]) {
    while (queue.length > 0) {
      try {
        await connection.ask(() => turn(key, queue))
      } catch (error) {
        for (const job of queue.splice(0)) job.fail(error)
      }
    }
    queues.delete(key)
  }

  return {
    hold: (key, task) =>
      new Promise((resolve, reject) => {
        const job: Job = {
          async work(lease) {
            try {
              resolve(await task(lease))
            } catch (error) {
              // The task was refused before it wrote anything; all else ends the turn.
              if (!(error instanceof StoreError) || error.code === 'unavailable') throw error
              reject(error)
            }
          },
          fail: reject,
        }
        const queue = queues.get(key)
        if (queue !== undefined) {
          queue.push(job)
          return
        }
        const started = [job]
        queues.set(key, started)
        const worked = work(key, started).finally(() => working.delete(worked))
        working.add(worked)
      }),
    async ended() {
      await Promise.all(working)
    },
  }
}
