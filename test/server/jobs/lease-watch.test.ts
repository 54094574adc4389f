import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { jobKey, openLeaseWatch } from '../../../server/jobs/lease-watch.ts'
import type { JobDocument } from '../../../server/store/documents/jobs.ts'
import { other, own } from './world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

const job = (revision: number, id = 'j') => ({ id, revision, leaseUntil: 0 }) as JobDocument
const watchOf = (here: string[] = []) => openLeaseWatch({ leaseMs: 1_000, isHere: (key) => here.includes(key) })

test('a job is over when it stood still for a whole lease, whatever time its lease names', () => {
  const watch = watchOf()
  expect(watch.isOver(own, job(2))).toBe(false)
  vi.advanceTimersByTime(999)
  expect(watch.isOver(own, job(2))).toBe(false)
  vi.advanceTimersByTime(1)
  expect(watch.isOver(own, job(2))).toBe(true)
})

test('a sign of life starts it anew', () => {
  const watch = watchOf()
  watch.isOver(own, job(2))
  vi.advanceTimersByTime(900)
  expect(watch.isOver(own, job(3))).toBe(false)
  vi.advanceTimersByTime(900)
  expect(watch.isOver(own, job(3))).toBe(false)
  vi.advanceTimersByTime(100)
  expect(watch.isOver(own, job(3))).toBe(true)
})

test('jobs of this process are never over, and those of applications with the same ids are others', () => {
  const watch = watchOf([jobKey(own, 'j')])
  watch.isOver(own, job(2))
  watch.isOver(other, job(2))
  vi.advanceTimersByTime(1_000)
  expect(watch.isOver(own, job(2))).toBe(false)
  expect(watch.isOver(other, job(2))).toBe(true)
})

test('what is not asked about between two calls is forgotten', () => {
  const watch = watchOf()
  watch.isOver(own, job(2))
  watch.forget()
  watch.isOver(own, job(2))
  watch.forget()
  watch.forget()
  vi.advanceTimersByTime(1_000)
  expect(watch.isOver(own, job(2))).toBe(false)
})
