import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { catalog } from '../../../nodes/index.ts'
import { openPlans } from '../../../server/flows/plans.ts'
import type { RunJobInput } from '../../../server/flows/run-job.ts'
import { openSchedules } from '../../../server/flows/schedules.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import { makeApplication, until } from '../jobs/world.ts'
import { adapters } from '../store/adapters.ts'

const log = pino({ level: 'silent' })
const everyMs = 2_000

for (const adapter of adapters) {
  describe(`${adapter.name}: timers of processes with different clocks`, () => {
    test.each([-120_000, 120_000])(
      'one is %i ms off: each moment fires once, and no more often than it should',
      async (off) => {
        const store = await adapter.open()
        const app = await makeApplication(store)
        const trigger = { type: 'timer', key: 'k', config: { seconds: everyMs / 1_000 }, outputIds: [] }
        await app.collection('flows').insert({
          ...{ name: 'Tick', flowClass: 'cloud', enabled: true },
          content: { triggers: [trigger], nodes: [], globals: [] },
        })
        const begun = performance.now()
        for (const ahead of [0, off]) {
          const now = () => Date.now() + ahead
          const queue = { of: () => openJobs({ app, now, wake: () => undefined, nudge: () => undefined }) }
          const schedules = openSchedules({ store, plans: openPlans(catalog), queue, log, now, refreshMs: 100 })
          onTestFinished(() => schedules.close())
          await schedules.open()
        }
        const jobs = await until(
          () => app.collection('jobs').find({ limit: 1_000 }),
          ({ length }) => length >= 4,
        )
        const elapsed = performance.now() - begun
        const times = jobs.map(({ input }) => (input as RunJobInput).time).toSorted((a, b) => a - b)
        for (const [n, time] of times.slice(1).entries()) expect(time - times[n]!).toBeGreaterThanOrEqual(everyMs)
        expect(times.length).toBeLessThanOrEqual(elapsed / everyMs + 1)
      },
    )
  })
}
