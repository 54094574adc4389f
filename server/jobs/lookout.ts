import { setTimeout as sleep } from 'node:timers/promises'
import type { AppStore, Store } from '../store/port.ts'
import type { Scope } from '../store/scope.ts'
import type { LeaseWatch } from './lease-watch.ts'
import type { Retention } from './retention.ts'
import { openEase, openRests } from './wait.ts'

export interface LookoutOptions {
  store: Store
  watch: LeaseWatch
  retention: Retention
  now(): number
  /** How often it looks for what is due. */
  lookMs: number
  /** How often it goes through all applications. */
  sweepMs: number
  /** Ends everything. */
  signal: AbortSignal
  /** Looks after the leases of an application. */
  leases(app: AppStore): Promise<unknown>
  /** Jobs of this application are due, now or within `lookMs`. */
  found(scope: Scope, dueAt: number): void
  complain(error: unknown, message: string, application?: string): void
}

/**
 * Sees what nobody was told of: jobs that are due, and those whose worker died. It asks for what there is to do, not for each
 * application: those that have nothing to do cost nothing. Only ended jobs that are too old are looked for everywhere, seldom and
 * slowly. Resolves when the signal has ended it.
 */
export async function keepLookout(options: LookoutOptions): Promise<void> {
  await Promise.all([keepLooking(options), keepSweeping(options)])
}

async function keepLooking(options: LookoutOptions): Promise<void> {
  const { lookMs, signal, complain } = options
  while (!signal.aborted) {
    await look(options).catch((error) => complain(error, 'the applications with jobs could not be looked at'))
    await sleep(lookMs, undefined, { signal }).catch(() => undefined)
  }
}

/** One application that fails keeps no other from being looked at. */
async function look({ store, watch, now, lookMs, signal, leases, found, complain }: LookoutOptions): Promise<void> {
  const rest = openRests()
  for (const { scope } of await store.due('jobs', 'leaseUntil', Number.POSITIVE_INFINITY)) {
    await rest()
    if (signal.aborted) return
    try {
      await leases(store.app(scope))
    } catch (error) {
      complain(error, 'the jobs of an application could not be looked at', scope.application)
    }
  }
  watch.forget()
  for (const { scope, at } of await store.due('jobs', 'dueAt', now() + lookMs)) {
    await rest()
    if (signal.aborted) return
    found(scope, at)
  }
}

async function keepSweeping({ store, retention, sweepMs, signal, complain }: LookoutOptions): Promise<void> {
  const ease = openEase(signal)
  while (!signal.aborted) {
    try {
      for (const scope of await store.applications()) {
        await ease()
        if (signal.aborted) return
        await retention
          .sweep(store.app(scope), signal)
          .catch((error) => complain(error, 'ended jobs could not be removed', scope.application))
      }
    } catch (error) {
      complain(error, 'the applications could not be listed')
    }
    await sleep(sweepMs, undefined, { signal }).catch(() => undefined)
  }
}
