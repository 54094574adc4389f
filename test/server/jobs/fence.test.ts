import { expect, test } from 'vitest'
import { openFence } from '../../../server/jobs/fence.ts'
import { atRest, backoffOf, startOf } from '../../../server/jobs/lease.ts'
import { JobLost } from '../../../server/jobs/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import { own } from './world.ts'

async function startedJob() {
  const store = await openTestStore()
  const app = store.app(own)
  const waiting = await app.collection('jobs').insert({
    ...{ kind: 'mail', key: 'k', status: 'queued', input: {}, progress: { completed: 0 }, attempts: 0, dueAt: 1 },
    requestedBy: { type: 'system', id: 'system' },
  })
  const { operation, started } = startOf(waiting, { slot: '0', now: 1_000, leaseMs: 30_000 })
  await app.write([operation])
  expect(await app.collection('jobs').get(waiting.id)).toEqual({ ...started, lastUpdated: expect.any(Number) })
  const calls: string[] = []
  const heard = { onLost: () => calls.push('lost'), onCancel: () => calls.push('cancel') }
  const fence = openFence({ app, job: started, ...heard })
  return { jobs: app.collection('jobs'), job: started, fence, calls }
}

const renewal = () => ({ leaseUntil: 60_000 })

test('a renewal that comes after the end of a job does not bring it back', async () => {
  const { jobs, job, fence, calls } = await startedJob()
  const end = fence.write(() => ({ ...atRest, status: 'done', endedAt: 2_000 }), { last: true })
  await expect(fence.write(renewal)).rejects.toThrow(JobLost)
  await end
  expect(await jobs.get(job.id)).not.toHaveProperty('leaseUntil')
  expect(calls).toEqual([])
})

test('a request to stop is heard once; the writes after it are those of the one who heard', async () => {
  const { jobs, job, fence, calls } = await startedJob()
  await jobs.update(job.id, { cancelRequested: true })
  await expect(fence.write(renewal)).rejects.toThrow(JobLost)
  await jobs.update(job.id, { cancelRequested: true })
  await fence.write(() => ({ ...atRest, status: 'canceled' }), { last: true })
  expect(await jobs.get(job.id)).toMatchObject({ status: 'canceled' })
  expect(calls).toEqual(['cancel'])
})

test('a job that was removed, taken over or started anew is lost, whatever its numbers', async () => {
  const { jobs, job, fence, calls } = await startedJob()
  // As another worker has it after someone asked to try it again: the first attempt, the same place, the same millisecond.
  await jobs.update(job.id, { startId: 'another' })
  const writes = [fence.write(renewal), fence.write(renewal)]
  for (const write of writes) await expect(write).rejects.toThrow(JobLost)
  expect(await jobs.get(job.id)).toMatchObject({ leaseUntil: 31_000 })
  expect(calls).toEqual(['lost'])
})

test('waits longer before each retry, at random, up to the most', () => {
  const definition = { kind: 'k', backoffMs: { first: 100, most: 1_000 }, run: async () => undefined }
  for (const [attempts, wait] of [
    [1, 100],
    [2, 200],
    [4, 800],
    [5, 1_000],
    [5_000, 1_000],
  ] as const) {
    const waits = Array.from({ length: 200 }, () => backoffOf(definition, attempts))
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(wait / 2)
    expect(Math.max(...waits)).toBeLessThan(wait)
    expect(new Set(waits).size).toBeGreaterThan(10)
  }
})
