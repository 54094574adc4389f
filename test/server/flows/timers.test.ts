import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Runner } from '../../../server/flows/runner.ts'
import { openTimers } from '../../../server/flows/timers.ts'
import { openApplication } from '../../helpers/application.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] })
  vi.setSystemTime(Date.UTC(2026, 0, 1))
})
afterEach(() => void vi.useRealTimers())

const timer = (config: Record<string, unknown>, key = 'k') => ({ type: 'timer', key, config, outputIds: [] })

async function open() {
  const application = await openApplication()
  const fired: string[] = []
  /** Whether runs never end. */
  const never = { now: false }
  const runner = {
    fireTrigger: async (_scope: unknown, { triggerKey }: { triggerKey: string }) => {
      fired.push(triggerKey)
      return never.now ? new Promise<undefined>(() => undefined) : undefined
    },
  } as unknown as Runner
  const { store, plans } = application
  const timers = openTimers({ store, plans, runner, log: pino({ level: 'silent' }), refreshMs: 1_000_000_000 })
  return { ...application, timers, fired, never }
}

test('an interval fires first after one whole interval, then again and again', async () => {
  const { addFlow, timers, fired } = await open()
  await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(9_900)
  expect(fired).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(200)
  expect(fired).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(30_000)
  expect(fired).toHaveLength(4)
  timers.close()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(fired).toHaveLength(4)
})

test('an interval longer than 25 days does not fire at once', async () => {
  const { addFlow, timers, fired } = await open()
  await addFlow({ name: 'Rare', triggers: [timer({ seconds: 31_536_000 })] })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(364 * 86_400_000)
  expect(fired).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(2 * 86_400_000)
  expect(fired).toHaveLength(1)
  timers.close()
})

test('a flow that is switched off or changed stops, and a changed schedule starts anew', async () => {
  const { app, addFlow, timers, fired } = await open()
  const id = await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(5_000)
  const content = { triggers: [timer({ seconds: 20 })], nodes: [], globals: [] }
  await app.collection('flows').update(id, { content })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(19_000)
  expect(fired).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(fired).toHaveLength(1)
  await app.collection('flows').update(id, { enabled: false })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(100_000)
  expect(fired).toHaveLength(1)
  timers.close()
})

test('a schedule follows its time zone', async () => {
  const { addFlow, timers, fired } = await open()
  await addFlow({ name: 'Morning', triggers: [timer({ cron: '0 8 * * *', tz: 'America/New_York' })] })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(12.9 * 3_600_000)
  expect(fired).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(0.2 * 3_600_000)
  expect(fired).toHaveLength(1)
  timers.close()
})

test('a timer with settings that will not do never fires', async () => {
  const { addFlow, timers, fired } = await open()
  await addFlow({ name: 'Broken', triggers: [timer({ seconds: 0 }), timer({ cron: 'nonsense' }, 'k2')] })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(1_000_000)
  expect(fired).toEqual([])
  timers.close()
})

test('after a standstill a timer fires once, and keeps its beat', async () => {
  const { addFlow, timers, fired } = await open()
  await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(5_000)
  const now = performance.now.bind(performance)
  const standstill = vi.spyOn(performance, 'now').mockImplementation(() => now() + 42_000)
  await vi.advanceTimersByTimeAsync(5_100)
  expect(fired).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(7_000)
  expect(fired).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(fired).toHaveLength(2)
  standstill.mockRestore()
  timers.close()
})

test('a run that takes longer than the interval does not hold the next one up', async () => {
  const { addFlow, timers, fired, never } = await open()
  await addFlow({ name: 'Tick', triggers: [timer({ seconds: 1 })] })
  never.now = true
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(3_500)
  expect(fired).toHaveLength(3)
  timers.close()
})

test('an application that cannot be read keeps its timers, and those of others start', async () => {
  const { addFlow, timers, fired, store, plans } = await open()
  await addFlow({ name: 'Tick', triggers: [timer({ seconds: 10 })] })
  await timers.refresh()
  const other = { tenant: 't1', application: 'b'.repeat(24) }
  const app = store.app(other)
  await app.collection('application').insert({ id: other.application, name: 'Other', globals: [], secret: 's' })
  const content = { triggers: [timer({ seconds: 10 }, 'other')], nodes: [], globals: [] }
  await app.collection('flows').insert({ name: 'Tock', flowClass: 'cloud', enabled: true, content })
  const of = plans.of
  const broken = vi.spyOn(plans, 'of').mockImplementation((one, revision) => {
    if (one.scope.application === other.application) return of(one, revision)
    return Promise.reject(new Error('cannot be read'))
  })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(10_100)
  expect(fired.toSorted()).toEqual(['k', 'other'])
  broken.mockRestore()
  timers.close()
})

test('two timers without keys both fire', async () => {
  const { addFlow, timers, fired } = await open()
  const keyless = (seconds: number) => ({ type: 'timer', config: { seconds }, outputIds: [] })
  await addFlow({ name: 'Ticks', triggers: [keyless(10), keyless(20)] })
  await timers.refresh()
  await vi.advanceTimersByTimeAsync(20_100)
  expect(fired.toSorted()).toEqual(['timer-0', 'timer-0', 'timer-1'])
  timers.close()
})
