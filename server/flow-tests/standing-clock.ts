import type { Clock } from '../../nodes/services/run.ts'

/** A clock that stands still but for the delays of the flow, which take no time. */
export function standingClock(clock: { now: number }): Clock {
  return {
    now: () => clock.now,
    async sleep(milliseconds, signal) {
      signal.throwIfAborted()
      clock.now += milliseconds
    },
  }
}
