import { expect, onTestFinished, test, vi } from 'vitest'
import { openLeaseWatch } from '../../../server/jobs/lease-watch.ts'
import { keepLookout, type LookoutOptions } from '../../../server/jobs/lookout.ts'
import type { JobDocument } from '../../../server/store/documents/jobs.ts'
import type { NewDocument } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import { makeApplication, until } from './world.ts'

const nameOf = (n: number) => n.toString(16).padStart(24, '0')
const told = { kind: 'work', input: {}, progress: { completed: 0 }, attempts: 1 }
const job = (key: string, more: Partial<JobDocument>): NewDocument<JobDocument> => ({
  ...{ ...told, key, status: 'queued', requestedBy: { type: 'system', id: 'system' } },
  ...more,
})

/** A lookout over thirty applications, few of which have something to do, and what it comes to. */
async function world(change: Partial<LookoutOptions> = {}) {
  const store = await openTestStore()
  const [found, leases, swept, complaints]: [[string, number][], string[], string[], string[]] = [[], [], [], []]
  for (let n = 0; n < 30; n++) {
    const jobs = (await makeApplication(store, { tenant: 't', application: nameOf(n) })).collection('jobs')
    await jobs.insert(job('ended', { endedAt: 1 }))
    await jobs.insert(job('later', { dueAt: 99_000 }))
    if (n === 7) await jobs.insert(job('due', { dueAt: 9_000 }))
    if (n === 8) await jobs.insert(job('soon', { dueAt: 11_000 }))
    if (n === 9) await jobs.insert(job('runs', { leaseUntil: 99_000 }))
  }
  const asked = vi.spyOn(store, 'app')
  const ending = new AbortController()
  const kept = keepLookout({
    ...{ store, signal: ending.signal, now: () => 10_000, lookMs: 1_000, sweepMs: 3_600_000 },
    watch: openLeaseWatch({ leaseMs: 1_000, isHere: () => false }),
    retention: {
      ended: () => undefined,
      afterTurn: async () => undefined,
      sweep: async ({ scope }) => void swept.push(scope.application),
    },
    leases: async ({ scope }) => void leases.push(scope.application),
    found: ({ application }, dueAt) => void found.push([application, dueAt]),
    complain: (_, message) => void complaints.push(message),
    ...change,
  })
  onTestFinished(async () => {
    ending.abort()
    await kept
  })
  return { store, asked, found, leases, swept, complaints, ending, kept }
}

test('finds what is due until the next look and what runs, look by look, and asks no application for it', async () => {
  const { store, asked, found, leases, swept } = await world({ lookMs: 1_000 })
  await until(
    () => swept.length,
    (count) => count === 30,
  )
  asked.mockClear()
  const due = vi.spyOn(store, 'due')
  const before = leases.length
  await until(
    () => leases.length - before,
    (looks) => looks === 2,
  )
  // But the one with a job that runs.
  expect(asked.mock.calls.map(([{ application }]) => application)).toEqual([nameOf(9), nameOf(9)])
  expect(due.mock.calls.length).toBeLessThanOrEqual(4)
  expect(new Set(leases)).toEqual(new Set([nameOf(9)]))
  expect(found.slice(0, 2).toSorted()).toEqual([
    [nameOf(7), 9_000],
    [nameOf(8), 11_000],
  ])
})

test('an application that fails is told of, and keeps no other from being looked at or swept', async () => {
  const fails = async ({ scope }: { scope: { application: string } }) => {
    if (scope.application === nameOf(3) || scope.application === nameOf(9)) throw new Error('broken')
    others.push(scope.application)
  }
  const others: string[] = []
  const retention = { ended: () => undefined, afterTurn: async () => undefined, sweep: fails }
  const { found, complaints } = await world({ retention, leases: fails })
  await until(
    () => others.length,
    (count) => count === 28,
  )
  expect(found.map(([application]) => application).toSorted()).toContain(nameOf(7))
  expect(complaints).toContain('the jobs of an application could not be looked at')
  expect(complaints).toContain('ended jobs could not be removed')
})

test('ends with its signal, in the middle of whatever it does', async () => {
  const { ending, kept, swept } = await world({ lookMs: 3_600_000 })
  await until(
    () => swept.length,
    (count) => count > 0,
  )
  ending.abort()
  await kept
})
