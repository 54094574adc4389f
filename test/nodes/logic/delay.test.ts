import { expect, test } from 'vitest'
import { delay } from '../../../nodes/logic/delay.ts'
import { runNode } from '../../helpers/run-node.ts'

async function slept(config: Record<string, unknown>, payload = {}) {
  const calls: [number, AbortSignal][] = []
  const controller = new AbortController()
  const clock = { sleep: async (milliseconds: number, signal: AbortSignal) => void calls.push([milliseconds, signal]) }
  const run = await runNode(delay, { config, payload, signal: controller.signal, use: { clock } })
  return {
    run,
    waits: calls.map(([milliseconds]) => milliseconds),
    signals: calls.map(([, signal]) => signal),
    controller,
  }
}

test.each([
  [{ delay: '0.1' }, 100],
  [{ delay: 59 }, 59_000],
  [{ delay: '{{n}}' }, 2_000],
  [{ delay: '0' }, 0],
  [{ durationTemplate: '3' }, 3_000],
  [{ delay: '', durationTemplate: '3' }, 3_000],
])('%j waits %i ms, until the run is over', async (config, milliseconds) => {
  const { run, waits, signals, controller } = await slept(config, { n: 2 })
  expect(run).toMatchObject({ output: 'next', error: undefined })
  expect(waits).toEqual([milliseconds])
  expect(signals).toEqual([controller.signal])
})

test.each([
  [{ delay: '59.1' }, 'delay.range'],
  [{ delay: '-1' }, 'delay.range'],
  [{ delay: 'Infinity' }, 'delay.range'],
  [{}, 'delay.range'],
  [{ delay: '{{none}}' }, 'delay.range'],
  [{ delay: 'soon' }, 'config.type'],
])('%j fails with %s and does not wait', async (config, code) => {
  const { run, waits } = await slept(config)
  expect(run.error).toMatchObject({ code })
  expect(waits).toEqual([])
})

test('ends with the run', async () => {
  const reason = new Error('over')
  const clock = { sleep: () => Promise.reject(reason) }
  await expect(runNode(delay, { config: { delay: 1 }, use: { clock } })).rejects.toBe(reason)
})
