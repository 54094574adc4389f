import { Cron } from 'croner'
import type { Logger } from 'pino'
import type { PlanTrigger } from '../../engine/compile.ts'
import type { Store } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import type { AppFlows, Plans } from './plans.ts'
import type { Runner } from './runner.ts'

export interface Timers {
  /** Looks at all applications and starts, restarts and stops timers as their flows say. */
  refresh(): Promise<void>
  close(): void
}

export interface TimersOptions {
  store: Store
  plans: Plans
  runner: Runner
  log: Logger
  /** How often applications are looked at for changed flows; default 2,000 ms. */
  refreshMs?: number
}

/**
 * Fires timer triggers. The first firing of an interval comes one whole interval after its start; missed firings are not
 * made up. A run may overlap with the one before.
 */
export function openTimers({ store, plans, runner, log, refreshMs = 2_000 }: TimersOptions): Timers {
  const timers = new Map<string, { stamp: string; scope: string; stop(): void }>()
  let refreshing: Promise<void> | undefined
  let closed = false

  const refresh = async () => {
    const wanted = new Map<string, Wanted>()
    const unknown = new Set<string>()
    for (const scope of await store.applications()) {
      try {
        for (const one of wantedTimers(scope, await plans.of(store.app(scope)))) wanted.set(one.id, one)
      } catch (error) {
        // One application that cannot be read keeps its timers, and keeps nobody else's from being looked at.
        unknown.add(scopeKey(scope))
        log.error({ err: error, application: scope.application }, 'the timers of an application could not be refreshed')
      }
    }
    if (closed) return
    for (const [id, timer] of timers) {
      if (wanted.get(id)?.stamp === timer.stamp || unknown.has(timer.scope)) continue
      timer.stop()
      timers.delete(id)
    }
    for (const one of wanted.values()) {
      if (timers.has(one.id)) continue
      const fire = () => {
        const { scope, flowId, trigger } = one
        const start = { data: {}, relay: { type: 'timer', id: trigger.key } }
        runner
          .fireTrigger(scope, { flowId, triggerKey: trigger.key }, start)
          .catch((error) =>
            log.error({ err: error, application: scope.application, flowId }, 'a timer could not start its run'),
          )
      }
      timers.set(one.id, { stamp: one.stamp, scope: scopeKey(one.scope), stop: schedule(one.trigger, fire) })
    }
  }

  const shared = () => {
    refreshing ??= refresh().finally(() => {
      refreshing = undefined
    })
    return refreshing
  }
  const watch = setInterval(() => {
    shared().catch((error) => log.error({ err: error }, 'timers could not be refreshed'))
  }, refreshMs)
  watch.unref()

  return {
    refresh: shared,
    close() {
      closed = true
      clearInterval(watch)
      for (const timer of timers.values()) timer.stop()
      timers.clear()
    },
  }
}

interface Wanted {
  id: string
  /** Changes with the schedule: the timer is then started anew. */
  stamp: string
  scope: Scope
  flowId: string
  trigger: PlanTrigger
}

function wantedTimers(scope: Scope, flows: AppFlows): Wanted[] {
  return flows.flows.flatMap((flow) =>
    flow.plan.triggers
      .filter((trigger) => trigger.type === 'timer')
      .map((trigger) => ({
        id: [scopeKey(scope), flow.id, trigger.key].join('\n'),
        stamp: JSON.stringify(trigger.config),
        scope,
        flowId: flow.id,
        trigger,
      })),
  )
}

function schedule(trigger: PlanTrigger, fire: () => void): () => void {
  const { cron, tz, seconds } = trigger.config as { cron: string; tz: string; seconds: number }
  if (cron === '') return every(seconds * 1000, fire)
  const job = new Cron(cron, { timezone: tz || 'UTC' }, fire)
  return () => job.stop()
}

// setTimeout takes no more than 2^31 - 1 ms, about 25 days; an interval may be a year.
const LONGEST_DELAY_MS = 2 ** 31 - 1

function every(intervalMs: number, fire: () => void): () => void {
  let due = performance.now() + intervalMs
  let timer: NodeJS.Timeout
  const wait = () => {
    timer = setTimeout(tick, Math.min(Math.max(due - performance.now(), 0), LONGEST_DELAY_MS))
  }
  const tick = () => {
    const late = performance.now() - due
    if (late >= -1) {
      // After a standstill (a suspended machine) missed firings are left out; the next one keeps the beat.
      due += intervalMs * (1 + Math.floor(Math.max(late, 0) / intervalMs))
      fire()
    }
    wait()
  }
  wait()
  return () => clearTimeout(timer)
}
