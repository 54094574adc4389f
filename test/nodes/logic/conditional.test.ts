import { expect, test } from 'vitest'
import { conditional } from '../../../nodes/logic/conditional.ts'
import { runNode } from '../../helpers/run-node.ts'

const taken = (expression: unknown, v?: unknown) =>
  runNode(conditional, { config: { expression }, payload: v === undefined ? {} : { v } })

test.each<[unknown, string]>([
  [undefined, 'false'],
  [null, 'false'],
  [false, 'false'],
  [0, 'false'],
  [-0, 'false'],
  [Number.NaN, 'false'],
  ['', 'false'],
  [true, 'true'],
  [1, 'true'],
  ['0', 'true'],
  ['false', 'true'],
  [' ', 'true'],
  // Unlike in {{#if}}, what is empty is there.
  [[], 'true'],
  [{}, 'true'],
  [new Date(0), 'true'],
])('the bare value %j takes "%s", and its negation the other output', async (v, output) => {
  const run = await taken('{{v}}', v)
  expect(run).toMatchObject({ output, problems: [], error: undefined })
  expect(run.payload).toEqual(v === undefined ? {} : { v })
  expect((await taken('!{{v}}', v)).output).toBe(output === 'true' ? 'false' : 'true')
})

test.each<[unknown, string]>([
  ["{{v.kind}} === 'pump' && {{v.level}} < 20", 'true'],
  ["{{ v.kind }}!=='pump' || {{v.level}}>= 20", 'false'],
  ['length({{v.list}}) === 2', 'true'],
  ["{{formatDate v.at 'X'}} < {{add v.level 10}}", 'true'],
  ['{{v.none.at.all}} > 5', 'false'],
  ["'0'", 'true'],
  ['0', 'false'],
  [1, 'true'],
  [true, 'true'],
  [false, 'false'],
])('%s takes "%s"', async (expression, output) => {
  const v = { kind: 'pump', level: 12, list: [1, 2], at: 5_000 }
  expect(await taken(expression, v)).toMatchObject({ output, problems: [], error: undefined })
})

test.each<[unknown, string]>([
  [undefined, 'config.missing'],
  ['', 'config.missing'],
  ['  ', 'config.missing'],
  ['{{v}} >', 'expression.syntax'],
  ['v > 5', 'expression.syntax'],
  ['{{#if v}}1{{/if}}', 'template.syntax'],
  ['{{nosuch v}}', 'template.syntax'],
  [['{{v}}'], 'config.type'],
])('%j is reported as %s, and fails the run that reaches it', async (expression, code) => {
  const run = await taken(expression, 1)
  expect(run.problems).toMatchObject([{ code, pointer: '/config/expression' }])
  expect(run.error).toMatchObject({ code })
})
