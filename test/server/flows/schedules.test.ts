import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { RunJobInput } from '../../../server/flows/run-job.ts'
import { openSchedules } from '../../../server/flows/schedules.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import { StoreError } from '../../../server/store/port.ts'
import { openApplication } from '../../helpers/application.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  vi.setSystemTime(Date.UTC(2026, 0, 1))
  clock.ahead = 0
})
afterEach(() => void vi.useRealTimers())

const timer = (config: Record<string, unknown>, key = 'k') => ({ type: 'timer', key, config, outputIds: [] })
/** What the clock of the machine is ahead of the time that timers wait by. */
const clock = { ahead: 0 }
const now = () => Date.now() + clock.ahead

/** An application, and processes that fire its schedules; a firing is a job of kind `run`. */
async function open() {
  const application = await openApplication()
  const { store, plans, app } = application
  const woken: number[] = []
  const closers: (() => void)[] = []
  const start = async (refreshMs = 2_000, aheadMs = 0) => {
    const now = () => Date.now() + clock.ahead + aheadMs
    const queue = { of: () => openJobs({ app, now, wake: () => void woken.push(now()), nudge: () => undefined }) }
    const schedules = openSchedules({ store, plans, queue, now, log: pino({ level: 'silent' }), refreshMs })
    closers.push(() => schedules.close())
    await schedules.open()
    return schedules
  }
  const fired = async () => {
    const jobs = await app.collection('jobs').find({ sort: { field: 'creationDate', direction: 'asc' }, limit: 1_000 })
    return jobs.map(({ input }) => new Date((input as RunJobInput).time).toISOString().slice(0, 19))
  }
  const close = () => {
    for (const one of closers.splice(0)) one()
  }
  return { ...application, start, fired, woken, close }
}

test('an interval fires first after one whole interval, then again and again', async () => {
  const { addFlow, start, fired, woken, close, app } = await open()
  const flowId = await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  await start()
  await vi.advanceTimersByTimeAsync(9_900)
  expect(await fired()).toEqual([])
  await vi.advanceTimersByTimeAsync(30_200)
  expect(await fired()).toEqual(['00:00:10', '00:00:20', '00:00:30', '00:00:40'].map((time) => `2026-01-01T${time}`))
  expect(woken).toHaveLength(4)
  const [job] = await app.collection('jobs').find({ limit: 1 })
  expect(job).toMatchObject({
    kind: 'run',
    input: { flowId, triggerKey: 'k', triggerId: 'k', data: {}, relay: { type: 'timer', id: 'k' } },
  })
  close()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await fired()).toHaveLength(4)
})

test('each firing takes place once, however many processes there are', async () => {
  const { addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Tick', triggers: [timer({ seconds: 1 }), timer({ cron: '* * * * * *' }, 'c')] })
  await Promise.all([start(), start(), start()])
  await vi.advanceTimersByTimeAsync(20_500)
  const all = await fired()
  expect(all).toHaveLength(40)
  expect(new Set(all).size).toBe(20)
  close()
})

test('another process goes on with the beat of one that is gone', async () => {
  const { addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Tick', triggers: [timer({ seconds: 60 })] })
  await start()
  await vi.advanceTimersByTimeAsync(75_000)
  close()
  await vi.advanceTimersByTimeAsync(15_000)
  await start()
  await vi.advanceTimersByTimeAsync(31_000)
  expect(await fired()).toEqual(['2026-01-01T00:01:00', '2026-01-01T00:02:00'])
  close()
})

test('a firing that is late by up to a minute still takes place once; what was missed before is left out', async () => {
  const { addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Morning', triggers: [timer({ cron: '0 8 * * *' })] })
  await start()
  close()
  vi.setSystemTime(Date.UTC(2026, 0, 1, 8, 0, 59))
  await start()
  await vi.advanceTimersByTimeAsync(100)
  expect(await fired()).toEqual(['2026-01-01T08:00:00'])
  close()
  vi.setSystemTime(Date.UTC(2026, 0, 3, 8, 1, 1))
  await start()
  await vi.advanceTimersByTimeAsync(100)
  expect(await fired()).toEqual(['2026-01-01T08:00:00'])
  await vi.advanceTimersByTimeAsync(24 * 3_600_000)
  expect((await fired()).slice(1)).toEqual(['2026-01-04T08:00:00'])
  close()
})

test('a clock that jumps ahead leaves out what it jumped over; one that is set back does not silence an interval', async () => {
  const { addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  await start()
  await vi.advanceTimersByTimeAsync(10_500)
  clock.ahead = 3_600_000
  await vi.advanceTimersByTimeAsync(20_000)
  const ahead = await fired()
  expect(ahead).toEqual(['2026-01-01T00:00:10', '2026-01-01T01:00:20', '2026-01-01T01:00:30'])
  clock.ahead = -3_600_000
  await vi.advanceTimersByTimeAsync(30_000)
  expect((await fired()).slice(3)).toEqual(['2025-12-31T23:00:42', '2025-12-31T23:00:52'])
  close()
})

test('an interval longer than 25 days does not fire at once', async () => {
  const { addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Rare', triggers: [timer({ seconds: 31_536_000 })] })
  await start(1_000_000_000)
  await vi.advanceTimersByTimeAsync(364 * 86_400_000)
  expect(await fired()).toEqual([])
  await vi.advanceTimersByTimeAsync(2 * 86_400_000)
  expect(await fired()).toHaveLength(1)
  close()
})

test('a flow that is switched off or changed stops, and a changed schedule starts anew', async () => {
  const { app, addFlow, start, fired, close } = await open()
  const id = await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  const schedules = await start()
  await vi.advanceTimersByTimeAsync(5_000)
  const content = { triggers: [timer({ seconds: 20 })], nodes: [], globals: [] }
  await app.collection('flows').update(id, { content })
  await schedules.refresh()
  await vi.advanceTimersByTimeAsync(19_000)
  expect(await fired()).toEqual([])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await fired()).toHaveLength(1)
  await app.collection('flows').update(id, { enabled: false })
  await schedules.refresh()
  expect(await app.collection('schedules').count()).toBe(0)
  await vi.advanceTimersByTimeAsync(100_000)
  expect(await fired()).toHaveLength(1)
  close()
})

test('a timer with settings that will not do never fires', async () => {
  const { addFlow, start, fired, close } = await open()
  const triggers = [timer({ seconds: 0 }), timer({ cron: 'nonsense' }, 'k2'), timer({ cron: '0 0 30 2 *' }, 'k3')]
  await addFlow({ name: 'Broken', triggers })
  await start()
  await vi.advanceTimersByTimeAsync(1_000_000)
  expect(await fired()).toEqual([])
  close()
})

test('a firing that cannot be written is tried again, and is not lost', async () => {
  const { app, addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  await start()
  const broken = vi.spyOn(app, 'write').mockRejectedValue(new StoreError('unavailable', 'away'))
  await vi.advanceTimersByTimeAsync(12_000)
  expect(await fired()).toEqual([])
  broken.mockRestore()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await fired()).toEqual(['2026-01-01T00:00:10'])
  await vi.advanceTimersByTimeAsync(7_000)
  expect(await fired()).toHaveLength(2)
  close()
})

test('a clock that is set back over firings leaves them out without trying them again and again', async () => {
  const { app, addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Minute', triggers: [timer({ cron: '* * * * *' })] })
  await start()
  await vi.advanceTimersByTimeAsync(601_000)
  expect(await fired()).toHaveLength(10)
  const writes = vi.spyOn(app, 'write')
  clock.ahead = -300_000
  await vi.advanceTimersByTimeAsync(300_000)
  expect(await fired()).toHaveLength(10)
  expect(writes.mock.calls.length).toBeLessThan(20)
  await vi.advanceTimersByTimeAsync(60_000)
  expect((await fired()).at(-1)).toBe('2026-01-01T00:11:00')
  close()
})

test('a timer with a key of any length fires', async () => {
  const { app, addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Long', triggers: [timer({ seconds: 10 }, 'k'.repeat(600)), timer({ seconds: 10 })] })
  await start()
  const writes = vi.spyOn(app.collection('jobs'), 'insert')
  await vi.advanceTimersByTimeAsync(10_500)
  expect(await fired()).toHaveLength(2)
  expect(writes.mock.calls.length).toBeLessThan(5)
  close()
})

test('of an application that does not change no flows are read, also by a process that starts', async () => {
  const { plans, addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  await start()
  const loads = vi.spyOn(plans, 'of')
  await vi.advanceTimersByTimeAsync(50_500)
  close()
  await start()
  await vi.advanceTimersByTimeAsync(50_000)
  expect(await fired()).toHaveLength(10)
  expect(loads).not.toHaveBeenCalled()
  close()
})

test('an application without anything due is not asked', async () => {
  const { store, addFlow, start, fired, close } = await open()
  await addFlow({ name: 'Daily', triggers: [timer({ cron: '0 8 * * *' })] })
  await start()
  await vi.advanceTimersByTimeAsync(100)
  const asked = vi.spyOn(store, 'app')
  await vi.advanceTimersByTimeAsync(7 * 3_600_000)
  expect(asked).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(await fired()).toHaveLength(1)
  close()
})

test.each([-120_000, 120_000])(
  'beside a process whose clock is off by %i ms nothing fires twice or more often',
  async (off) => {
    const { addFlow, start, fired, close } = await open()
    await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 }), timer({ cron: '*/5 * * * *' }, 'c')] })
    await start()
    await start(2_000, off)
    await vi.advanceTimersByTimeAsync(305_000)
    close()
    await start()
    await vi.advanceTimersByTimeAsync(600_000)
    const times = (await fired()).map((time) => Date.parse(`${time}Z`)).toSorted()
    const beats = times.filter((time) => time % 300_000 !== 0)
    expect(new Set(beats).size).toBe(beats.length)
    // In 905 s, and as long as it takes the last process to come to where another clock was.
    expect(times.length).toBeGreaterThan(905 / 10 - 15)
    expect(times.length).toBeLessThanOrEqual(905 / 10 + 15)
    for (const [n, time] of beats.slice(1).entries()) expect(time - beats[n]!).toBeGreaterThanOrEqual(10_000)
    close()
  },
)

test('a schedule of an older version, which does not say what it runs, is completed before it fires', async () => {
  const { app, plans, addFlow, start, fired, close } = await open()
  const flowId = await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  const [flow] = (await plans.of(app)).flows
  const stamp = JSON.stringify(flow!.plan.triggers[0]!.config)
  await app.collection('schedules').insert({ key: `${flowId}:k`, stamp, nextAt: now() + 5_000 })
  await start()
  await vi.advanceTimersByTimeAsync(11_000)
  expect(await fired()).toHaveLength(1)
  close()
})
