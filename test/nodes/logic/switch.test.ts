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
  [null, ['', 'null'], 1],
  [0, ['', '0'], 2],
  [false, ['0', 'false'], 2],
  [' a', ['a'], 0],
  [['a', 'b'], ['a,b'], 1],
  [{ k: 1 }, ['[object Object]'], 1],
  [1.5, ['1.50', '1.5'], 2],
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

test.each([undefined, null, []])('without cases (%j) everything takes the default', async (cases) => {
  expect(await runNode(switchNode, { config: { switchTemplate: 'x', cases } })).toMatchObject({
    ...{ output: 0, problems: [], error: undefined },
  })
})

test('a case without a text is one for nothing', async () => {
  const config = { switchTemplate: '{{none}}', cases: [{ caseTemplate: 'x' }, {}] }
  expect(await runNode(switchNode, { config })).toMatchObject({ output: 2, problems: [], error: undefined })
})

test('a case whose template does not parse fails the run that reaches it', async () => {
  const run = await runNode(switchNode, { config: { switchTemplate: 'x', cases: cases('{{#if}}') } })
  expect(run.problems).toMatchObject([{ code: 'template.syntax', pointer: '/config/cases/0/caseTemplate' }])
  expect(run.error).toMatchObject({ code: 'template.syntax' })
})

test('asks for a text to compare', async () => {
  expect((await runNode(switchNode, { config: {} })).problems).toMatchObject([{ code: 'config.missing' }])
})
