import type { Logger } from 'pino'
import type { Queue } from '../jobs/port.ts'
import { openRests } from '../jobs/wait.ts'
import type { Store } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import type { Plans } from './plans.ts'
import { type AppSchedules, openAppSchedules } from './schedules-of-app.ts'

export interface Schedules {
  /** Begins to look and to fire; the first look is done when it resolves. */
  open(): Promise<void>
  /** Starts, restarts and stops schedules as changed flows say; only once they are open. */
  refresh(): Promise<void>
  close(): void
}

export interface SchedulesOptions {
  store: Store
  plans: Plans
  queue: Pick<Queue, 'of'>
  log: Logger
  /** Milliseconds since the epoch. */
  now(): number
  /** How often it looks for changed flows, and for what is due until the next look; default 2,000 ms. */
  refreshMs?: number
}

/** Wait after a firing that failed. */
const RETRY_MS = 1_000

/**
 * Fires the timer triggers of all applications, each firing once over all processes: when one is due stands in the store, and
 * whoever moves it on puts the run on the queue in the same write. The first firing of an interval comes one whole interval
 * after its start. A firing that is late by up to a minute (no process was up, the clock jumped) still takes place, once;
 * what was missed before is not made up. A run may overlap with the one before. Applications whose flows did not change and
 * that have nothing due are not asked, and none is kept in memory.
 */
export function openSchedules({ store, plans, queue, log, now, refreshMs = 2_000 }: SchedulesOptions): Schedules {
  /** When applications are due before the next look. */
  let coming = new Map<string, { scope: Scope; at: number }>()
  let looking: Promise<void> | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let watch: NodeJS.Timeout | undefined
  let closed = false

  /** One application that cannot be read or written keeps nobody else's schedules from being looked at. */
  const guard = async (scope: Scope, what: string, work: (schedules: AppSchedules) => Promise<void>) => {
    const app = store.app(scope)
    try {
      await work(openAppSchedules({ app, plans, jobs: queue.of(app), now }))
    } catch (error) {
      log.error({ err: error, application: scope.application }, what)
    }
  }

  const each = async <T extends { scope: Scope }>(all: Iterable<T>, work: (one: T) => Promise<void>) => {
    const rest = openRests()
    for (const one of all) {
      await rest()
      if (closed) return
      await work(one)
    }
  }

  const look = async () => {
    await each(await store.unsettled(), ({ scope, revision }) =>
      guard(scope, 'the schedules of an application could not be refreshed', async (schedules) => {
        if (await schedules.adopt(revision)) await store.settle(scope, revision)
      }),
    )
    if (now() < lookedAt) await recover({ always: true })
    lookedAt = now()
    const due = await store.due('schedules', 'nextAt', now() + refreshMs)
    coming = new Map(due.map((one) => [scopeKey(one.scope), one]))
    arm()
  }

  const recover = async (options?: { always: boolean }) => {
    await each(await store.due('schedules', 'nextAt', Number.POSITIVE_INFINITY), ({ scope }) =>
      guard(scope, 'the schedules of an application could not be looked at', (schedules) => schedules.recover(options)),
    )
  }

  const fire = async () => {
    const due = [...coming].filter(([, { at }]) => at <= now())
    await each(
      due.map(([key, { scope }]) => ({ key, scope })),
      async ({ key, scope }) => {
        let at = now() + RETRY_MS
        await guard(scope, 'a schedule could not fire; it is tried again', async (schedules) => {
          at = await schedules.fire()
        })
        coming.set(key, { scope, at })
      },
    )
    arm()
  }

  const arm = () => {
    clearTimeout(timer)
    if (closed) return
    let next = Number.POSITIVE_INFINITY
    for (const { at } of coming.values()) next = Math.min(next, at)
    // What is due after the next look is found by that.
    if (next <= now() + refreshMs) timer = setTimeout(() => void fire(), Math.max(next - now(), 0))
  }

  const shared = () => {
    looking ??= look().finally(() => {
      looking = undefined
    })
    return looking
  }
  const complain = (error: unknown) => log.error({ err: error }, 'schedules could not be refreshed')

  return {
    async open() {
      watch = setInterval(() => void shared().catch(complain), refreshMs)
      watch.unref()
      await shared()
      recover().then(arm, complain)
    },
    refresh: async () => (watch === undefined ? undefined : shared()),
    close() {
      closed = true
      clearInterval(watch)
      clearTimeout(timer)
    },
  }
}
