import { describe, expect, test } from 'vitest'
import { onChange } from '../../../nodes/logic/on-change.ts'
import { flowValues } from '../../../server/flows/flow-values.ts'
import { openApplication } from '../../helpers/application.ts'
import { runNode } from '../../helpers/run-node.ts'
import { memoryValues } from '../../helpers/services.ts'

/** The outputs of one run after another, one for each value; time goes on by a second a run. */
async function outputsOf(settings: object, given: unknown[]) {
  const values = memoryValues()
  const runs = []
  for (const [index, v] of given.entries()) {
    const config = { valuePath: 'v', prevValuePath: 'before', ...settings }
    const use = { values, clock: { now: () => index * 1000 } }
    runs.push(await runNode(onChange, { config, payload: v === undefined ? {} : { v }, use }))
  }
  expect(runs.flatMap(({ error, problems }) => [error, ...problems]).filter(Boolean)).toEqual([])
  return runs.map(({ output, payload }) => ({ changed: output === 'changed', before: payload.before }))
}
const changes = async (settings: object, given: unknown[]) =>
  (await outputsOf(settings, given)).map(({ changed }) => changed)

describe('any change', () => {
  test.each<[unknown[], boolean[]]>([
    [
      [1, 1, 2, 2],
      [false, false, true, false],
    ],
    [
      ['a', 'A', 'a'],
      [false, true, true],
    ],
    [
      [1, '1'],
      [false, true],
    ],
    [
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
        { a: 1, b: [3] },
      ],
      [false, false, true],
    ],
    [
      [undefined, undefined, null, 0],
      [false, false, true, true],
    ],
    [
      [new Date(5), new Date(5), new Date(6)],
      [false, false, true],
    ],
  ])('of %j: %j', async (given, expected) => {
    expect(await changes({}, given)).toEqual(expected)
    expect(await changes({ changeType: 'all' }, given)).toEqual(expected)
  })
})

describe('a number', () => {
  test.each<[string, number | string, unknown[], boolean[]]>([
    // Small steps add up: what is kept only moves when the threshold is reached.
    ['value', 5, [10, 14, 15, 16, 10], [false, false, true, false, true]],
    ['valueInc', 5, [10, 14, 15, 5, 9, 10], [false, false, true, false, false, true]],
    ['valueDec', 5, [10, 6, 5, 15, 11, 10], [false, false, true, false, false, true]],
    ['percent', 10, [100, 109, 110, 100, 99], [false, false, true, false, true]],
    ['percentInc', 10, [100, 109, 110, 50, 55], [false, false, true, false, true]],
    ['percentDec', 10, [-100, -109, -110, -50, -55], [false, false, true, false, true]],
    ['percent', 10, [0, 0, 0.1], [false, false, true]],
    ['value', 0, [1, 1, 1.5], [false, false, true]],
    ['value', '{{none}}', [1, 1, 2], [false, false, true]],
    ['value', 5, [10, 'x', null, undefined, '', true, {}, 15], [...Array(7).fill(false), true]],
    ['value', 5, ['x', '10', ' 15 '], [false, false, true]],
  ])('%s by %j: %j gives %j', async (changeType, changeThreshold, given, expected) => {
    expect(await changes({ changeType, changeThreshold }, given)).toEqual(expected)
  })
})

test('gives the value before with its time, and nothing the first time', async () => {
  expect((await outputsOf({}, ['a', 'b', 'b'])).map(({ before }) => before)).toEqual([
    undefined,
    { value: 'a', time: 0 },
    { value: 'b', time: 1000 },
  ])
  const kept = await outputsOf({ changeType: 'value', changeThreshold: 5 }, [1, 2, 7, 7])
  expect(kept.map(({ before }) => before)).toEqual([
    undefined,
    { value: 1, time: 0 },
    { value: 1, time: 0 },
    { value: 7, time: 2000 },
  ])
})

test('each id has a value of its own', async () => {
  const values = memoryValues()
  const of = async (id: string, v: number) => {
    const config = { valuePath: 'v', onChangeIdTemplate: '{{id}}' }
    const use = { values, clock: { now: () => 0 } }
    return (await runNode(onChange, { config, payload: { id, v }, use })).output
  }
  expect([await of('a', 1), await of('b', 2), await of('a', 1), await of('b', 1)]).toEqual([
    ...['unchanged', 'unchanged', 'unchanged', 'changed'],
  ])
})

test('of many runs that see the same change at once exactly one tells of it, in a real store', async () => {
  const { app } = await openApplication()
  const use = { values: flowValues(app.values, 'f1'), clock: { now: () => 5 } }
  const run = (v: number) => runNode(onChange, { config: { valuePath: 'v' }, payload: { v }, use })
  await run(1)
  const outputs = (await Promise.all(Array.from({ length: 30 }, () => run(2)))).map(({ output }) => output)
  expect(outputs.filter((one) => one === 'changed')).toHaveLength(1)
})

test('asks for a value, a kind of change that exists, and a number', async () => {
  const of = async (config: object) => {
    const use = { values: memoryValues(), clock: { now: () => 0 } }
    return (await runNode(onChange, { config: { valuePath: 'v', ...config }, payload: { v: 1, word: 'x' }, use })).error
  }
  expect(await of({ valuePath: '' })).toMatchObject({ code: 'config.missing' })
  expect(await of({ changeType: 'some' })).toMatchObject({ code: 'config.choice' })
  expect(await of({ changeThreshold: '{{word}}' })).toMatchObject({ code: 'config.type' })
  expect(await of({ changeThreshold: 'x' })).toMatchObject({ code: 'config.type' })
})

test('refuses a value that is too large to keep', async () => {
  const { app } = await openApplication()
  const use = { values: flowValues(app.values, 'f1'), clock: { now: () => 5 } }
  const run = await runNode(onChange, { config: { valuePath: 'v' }, payload: { v: 'x'.repeat(20_000) }, use })
  expect(run.error).toMatchObject({ code: 'value.too-large' })
})
