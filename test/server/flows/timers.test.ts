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
  const runner = {
    fireTrigger: async (_scope: unknown, { triggerKey }: { triggerKey: string }) => {
      fired.push(triggerKey)
      return undefined
    },
  } as unknown as Runner
  const { store, plans } = application
  const timers = openTimers({ store, plans, runner, log: pino({ level: 'silent' }), refreshMs: 1_000_000_000 })
  return { ...application, timers, fired }
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
