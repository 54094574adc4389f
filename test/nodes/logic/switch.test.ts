import { expect, test } from 'vitest'
import { switchNode } from '../../../nodes/logic/switch.ts'
import { runNode } from '../../helpers/run-node.ts'

const cases = (...texts: string[]) => texts.map((caseTemplate) => ({ caseTemplate }))

test.each<[unknown, string[], number]>([
  ['b', ['a', 'b', 'c'], 2],
  ['a', ['a', 'a'], 1],
  ['z', ['a', 'b'], 0],
  [1, ['1'], 1],
  [true, ['true'], 1],
  [undefined, ['a'], 0],
  [undefined, ['a', ''], 2],
  ['<x>', ['{{data.x}}'], 1],
  ['a', [], 0],
  ['A', ['a'], 0],
])('%j among %j takes output %i', async (x, texts, output) => {
  const config = { switchTemplate: '{{data.x}}', cases: cases(...texts) }
  const run = await runNode(switchNode, { config, payload: { data: { x } } })
  expect(run).toMatchObject({ output, error: undefined, problems: [] })
})

test('compares texts made of several values', async () => {
  const config = { switchTemplate: '{{a}}:{{b}}', cases: cases('1:2', '1:3') }
  expect((await runNode(switchNode, { config, payload: { a: 1, b: 3 } })).output).toBe(2)
})

test('ignores keys that do nothing', async () => {
  const config = { switchTemplate: 'x', cases: [{ caseTemplate: 'x', caseLabel: 'X', dontBreak: false }] }
  expect(await runNode(switchNode, { config })).toMatchObject({ output: 1, problems: [] })
})

test('asks for a text to compare', async () => {
  expect((await runNode(switchNode, { config: {} })).problems).toMatchObject([{ code: 'config.missing' }])
})
