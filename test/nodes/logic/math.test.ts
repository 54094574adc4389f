import { expect, test } from 'vitest'
import { math } from '../../../nodes/logic/math.ts'
import { runNode } from '../../helpers/run-node.ts'

const computed = (payload: Record<string, unknown>, ...statements: [expression: string, resultPath: string][]) =>
  runNode(math, {
    config: { statements: statements.map(([expression, resultPath]) => ({ expression, resultPath })) },
    payload,
  })

test.each<[string, unknown]>([
  ['{{a}} + 1', 37.5],
  ['0 + {{a}}', 36.5],
  ['2 ^ 3 ^ 1', 8],
  ['round({{a}})', 37],
  ['{{a}}', '36.5'],
  ["{{format n '0.2f'}}", '2.00'],
  ['{{list}}', [1]],
  ['{{none}} + 1', null],
  ['1 / 0', null],
  ['{{none}}', undefined],
  ['{{n}} > 1', true],
])('%s gives %j', async (expression, expected) => {
  const run = await computed({ a: '36.5', n: 2, list: [1] }, [expression, 'r'])
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload.r).toEqual(expected)
})

test('a statement sees the results of those before it', async () => {
  const { payload } = await computed({ a: 2 }, ['{{a}} * 3', 'b'], ['{{b}} + {{a}}', 'c'])
  expect(payload).toEqual({ a: 2, b: 6, c: 8 })
})

test('a list that is copied is a list of its own', async () => {
  const { payload } = await computed({ a: [1] }, ['{{a}}', 'b'])
  expect(payload.b).not.toBe(payload.a)
})

test('a result without a path is dropped', async () => {
  expect((await computed({ a: 1 }, ['{{a}}', ''])).payload).toEqual({ a: 1 })
})

test.each([
  ['1 +', 'expression.syntax'],
  ['', 'config.missing'],
])('reports the expression "%s" as %s', async (expression, code) => {
  const run = await computed({}, [expression, 'r'])
  expect(run.problems).toMatchObject([{ code, pointer: '/config/statements/0/expression' }])
  expect(run.error).toMatchObject({ code })
})
