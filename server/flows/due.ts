import { Cron } from 'croner'

/** A timer trigger, as far as it says when it fires: `cron`, `tz` and `seconds`. */
export interface Timing {
  config: unknown
}

/** As far as dates reach: what never fires again. */
const NEVER = 8.64e15

/**
 * When a timer trigger fires next, strictly after `after`, in milliseconds since the epoch. An interval counts on from `from`,
 * so that it keeps its beat. A cron schedule follows the wall clock of its zone: a time that the clock skips in spring fires
 * at the end of the gap, one that comes twice in autumn fires the first time, and schedules of every so many minutes go on
 * through both.
 */
export function nextDue(trigger: Timing, { from, after }: { from: number; after: number }): number {
  const { cron, tz, seconds } = trigger.config as { cron: string; tz: string; seconds: number }
  if (cron !== '') {
    const next = new Cron(cron, { timezone: tz || 'UTC', paused: true }).nextRun(new Date(after))
    return next?.getTime() ?? NEVER
  }
  const intervalMs = seconds * 1000
  const beats = Math.max(Math.floor((after - from) / intervalMs), 0) + 1
  return Math.round(from + beats * intervalMs)
}

/** True when a moment lies beyond the next but one firing: the clock was set back since, and would wait for too long. */
export function isTooFar(trigger: Timing, dueAt: number, now: number): boolean {
  const next = nextDue(trigger, { from: now, after: now })
  return dueAt > next && dueAt > nextDue(trigger, { from: next, after: next })
}
