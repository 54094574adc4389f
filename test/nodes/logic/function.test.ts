import { afterAll, expect, test } from 'vitest'
import { openFunctionPool } from '../../../engine/sandbox/pool.ts'
import { functionNode } from '../../../nodes/logic/function.ts'
import { runNode } from '../../helpers/run-node.ts'

const pool = openFunctionPool({ children: 1 })
afterAll(() => pool.close())

const functions = {
  run: async ({ script, value }: { script: string; value: unknown }) =>
    (await pool.run({ script, value, application: 'test' })).value,
}

const ran = (script: string, payload: Record<string, unknown>, scopePath = '') =>
  runNode(functionNode, { config: { script, scopePath }, payload, use: { functions } })

test.each<[string, string, string, object]>([
  ['changes in place', 'payload.a += 1', '', { a: 2, list: [3] }],
  ['returns another payload', 'return { b: payload.a }', '', { b: 1 }],
  ['changes a part in place', 'payload.push(4)', 'list', { a: 1, list: [3, 4] }],
  ['returns another part', 'return payload.length', 'list', { a: 1, list: 1 }],
  ['makes a part', 'return [payload === undefined]', 'none.yet', { a: 1, list: [3], none: { yet: [true] } }],
  ['sees all of it at "."', 'payload.a = 5', '.', { a: 5, list: [3] }],
])('%s', async (_, script, scopePath, expected) => {
  const run = await ran(script, { a: 1, list: [3] }, scopePath)
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload).toEqual(expected)
})

test.each(['return 5', 'return "x"', 'return [1]', 'return null', 'return new Date(0)'])(
  '"%s" is no payload',
  async (script) => {
    const run = await ran(script, { a: 1 })
    expect(run.error).toMatchObject({ code: 'function.payload' })
    expect(run.payload).toEqual({ a: 1 })
  },
)

test('fails as the script does, with its name before the error', async () => {
  const run = await ran('payload.a.b.c()', {})
  expect(run.error).toMatchObject({ code: 'function.error', name: 'FunctionNodeTypeError' })
})

test('reports a script that does not compile, with its line', async () => {
  const run = await ran('let a = 1\nlet a = 2', {})
  expect(run.problems).toMatchObject([{ code: 'function.syntax', pointer: '/config/script' }])
  expect(run.error?.message).toContain('line 2')
})
