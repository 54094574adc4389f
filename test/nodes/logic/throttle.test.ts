import { expect, test } from 'vitest'
import { throttle } from '../../../nodes/logic/throttle.ts'
import { flowValues } from '../../../server/flows/flow-values.ts'
import { openApplication } from '../../helpers/application.ts'
import { runNode } from '../../helpers/run-node.ts'
import { memoryValues } from '../../helpers/services.ts'

const open = (ratePerMinute: unknown) => {
  const values = memoryValues()
  return async (now: number, id?: string) => {
    const config = { ratePerMinute, throttleIdTemplate: '{{id}}', timeSincePath: 'since' }
    const use = { values, clock: { now: () => now } }
    const { output, payload, error } = await runNode(throttle, { config, payload: id ? { id } : {}, use })
    return [output ?? error?.code, payload.since]
  }
}

test('passes the first time, and then as often as it may', async () => {
  const at = open(2)
  expect(await at(1_000_000)).toEqual(['passed', undefined])
  expect(await at(1_000_000)).toEqual(['throttled', 0])
  expect(await at(1_029_999)).toEqual(['throttled', 29_999])
  expect(await at(1_030_000)).toEqual(['passed', 30_000])
  // A throttled run does not put off the next pass.
  expect(await at(1_045_000)).toEqual(['throttled', 15_000])
  expect(await at(1_060_000)).toEqual(['passed', 30_000])
})

test('takes rates below one a minute, as number or text', async () => {
  for (const rate of [1 / 60, '0.1', '{{none}}0.1']) {
    const at = open(rate)
    expect((await at(0))[0]).toBe('passed')
    expect((await at(500_000))[0]).toBe('throttled')
    expect((await at(3_600_000))[0]).toBe('passed')
  }
})

test('each id has a rate of its own', async () => {
  const at = open(1)
  expect([await at(0, 'a'), await at(0, 'b'), await at(1, 'a'), await at(1)].map(([output]) => output)).toEqual([
    ...['passed', 'passed', 'throttled', 'passed'],
  ])
})

test('a clock that runs a little behind does not let pass, one that was set back does', async () => {
  const at = open(1)
  await at(10_000_000)
  expect(await at(9_999_990)).toEqual(['throttled', -10])
  expect(await at(5_000_000)).toEqual(['passed', -5_000_000])
  expect(await at(5_000_001)).toEqual(['throttled', 1])
})

test('of many runs at once exactly one passes, in a real store', async () => {
  const { app } = await openApplication()
  const use = { values: flowValues(app.values, 'f1'), clock: { now: () => 5 } }
  const run = () => runNode(throttle, { config: { ratePerMinute: 600 }, use })
  const outputs = (await Promise.all(Array.from({ length: 30 }, run))).map(({ output }) => output)
  expect(outputs.filter((one) => one === 'passed')).toHaveLength(1)
})

test.each([
  [0, 'throttle.rate'],
  [-1, 'throttle.rate'],
  [undefined, 'config.missing'],
  ['{{none}}', 'config.empty'],
  ['often', 'config.type'],
])('a rate of %j fails with %s', async (rate, code) => {
  expect(await open(rate)(0)).toEqual([code, undefined])
})
