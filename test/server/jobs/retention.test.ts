import { expect, test, vi } from 'vitest'
import { openRetention } from '../../../server/jobs/retention.ts'
import type { WriteOperation } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import { makeApplication } from './world.ts'

const told = { input: 1, progress: { completed: 0 }, attempts: 1, requestedBy: { type: 'system', id: 'system' } }
const job = { ...told, kind: 'run', status: 'done' as const }

const ended = (n: number): WriteOperation => ({ insert: 'jobs', document: { ...job, key: `${n}`, endedAt: n } })

test('holds few jobs in memory at a time, however many it removes', async () => {
  const app = await makeApplication(await openTestStore())
  await app.write(Array.from({ length: 120 }, (_, n) => ended(n)))
  const jobs = app.collection('jobs')
  const find = vi.spyOn(jobs, 'find')
  await openRetention({ now: () => 1_000, limits: { ended: 5 } }).sweep(app)
  for (const [query] of find.mock.calls) expect(query?.limit).toBeLessThanOrEqual(25)
  const left = await jobs.find({ sort: { field: 'endedAt', direction: 'asc' } })
  expect(left.map(({ endedAt }) => endedAt)).toEqual([115, 116, 117, 118, 119])
})

test('removes no job that waits or runs', async () => {
  const app = await makeApplication(await openTestStore())
  const jobs = app.collection('jobs')
  await jobs.insert({ ...job, key: 'waits', status: 'queued', dueAt: 1 })
  await jobs.insert({ ...job, key: 'runs', status: 'running', leaseUntil: 1 })
  await openRetention({ now: () => 1e15, limits: { ended: 0, failed: 0 } }).sweep(app)
  expect(await jobs.count()).toBe(2)
})
