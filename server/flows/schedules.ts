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
  /** Looks at all applications and starts, restarts and stops schedules as their flows say; only once they are open. */
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
  /** How often applications are looked at for changed flows; default 2,000 ms. */
  refreshMs?: number
}

/** setTimeout takes no more than 2^31 - 1 ms, about 25 days; an interval may be a year. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/**
 * Fires the timer triggers of all applications, each firing once over all processes: when one is due stands in the store, and
 * whoever moves it on puts the run on the queue in the same write. The first firing of an interval comes one whole interval
 * after its start. A firing that is late by up to a minute (no process was up, the clock jumped) still takes place, once;
 * what was missed before is not made up. A run may overlap with the one before.
 */
export function openSchedules({ store, plans, queue, log, now, refreshMs = 2_000 }: SchedulesOptions): Schedules {
  const applications = new Map<string, { scope: Scope; schedules: AppSchedules }>()
  let refreshing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const of = (scope: Scope) => {
    const known = applications.get(scopeKey(scope))
    if (known) return known.schedules
    const app = store.app(scope)
    const schedules = openAppSchedules({ app, plans, jobs: queue.of(app), now })
    applications.set(scopeKey(scope), { scope, schedules })
    return schedules
  }

  // One application that cannot be read or written keeps its schedules, and keeps nobody else's from being looked at.
  const guard = async (scope: Scope, what: string, work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      log.error({ err: error, application: scope.application }, what)
    }
  }

  const refresh = async () => {
    const scopes = await store.applications()
    const present = new Set(scopes.map(scopeKey))
    for (const key of applications.keys()) if (!present.has(key)) applications.delete(key)
    const rest = openRests()
    for (const scope of scopes) {
      await rest()
      if (closed) return
      await guard(scope, 'the schedules of an application could not be refreshed', () => of(scope).refresh())
    }
    arm()
  }

  const fire = async () => {
    const rest = openRests()
    for (const { scope, schedules } of applications.values()) {
      await rest()
      if (closed) return
      if (schedules.nextAt() > now()) continue
      await guard(scope, 'a schedule could not fire; it is tried again', () => schedules.fire())
    }
    arm()
  }

  const arm = () => {
    clearTimeout(timer)
    if (closed) return
    const nextAt = Math.min(...[...applications.values()].map(({ schedules }) => schedules.nextAt()))
    if (nextAt === Number.POSITIVE_INFINITY) return
    timer = setTimeout(() => void fire(), Math.min(Math.max(nextAt - now(), 0), LONGEST_DELAY_MS))
  }

  const shared = () => {
    refreshing ??= refresh().finally(() => {
      refreshing = undefined
    })
    return refreshing
  }
  let watch: NodeJS.Timeout | undefined

  return {
    async open() {
      watch = setInterval(() => {
        shared().catch((error) => log.error({ err: error }, 'schedules could not be refreshed'))
      }, refreshMs)
      watch.unref()
      await shared()
    },
    refresh: async () => (watch === undefined ? undefined : shared()),
    close() {
      closed = true
      clearInterval(watch)
      clearTimeout(timer)
    },
  }
}
