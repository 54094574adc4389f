import { expect, test } from 'vitest'
import { flag, json, list, path, read, template } from '../../../engine/fields.ts'
import { defineNode } from '../../../nodes/define.ts'
import { jsonText } from '../../../server/docs/json-text.ts'
import { nodePage } from '../../../server/docs/page.ts'
import { steady } from '../../../server/docs/steady.ts'

const node = defineNode({
  type: 'test-node',
  aliases: ['TestNode'],
  group: 'logic',
  title: 'Test',
  summary: 'Does | nothing.',
  outputs: ['no', 'yes'],
  outputPerEntryOf: 'cases',
  notIn: ['customNode'],
  needs: [],
  config: {
    on: flag({ key: 'on', label: 'On', default: true, help: 'True | false.' }),
    cases: list({
      key: 'cases',
      label: 'Cases',
      of: { text: template({ key: 'caseTemplate', label: 'Text', required: true }) },
    }),
    source: read({ key: 'source', label: 'Source' }),
    data: json({ key: 'data', label: 'Data' }),
    result: path({ key: 'resultPath', label: 'Result', required: true, writes: true }),
  },
  examples: [{ title: 'One', config: { on: false }, payload: { a: 1 }, output: 'yes', result: { a: 2 } }],
  run: () => 'yes' as const,
})

test('a page tells names, settings with those inside of lists, outputs and examples', () => {
  const text = nodePage(node, [])
  expect(text).toContain('# Test\n\nDoes | nothing.\n')
  expect(text).toContain('| Type | `test-node`, `TestNode` |')
  expect(text).toContain('| On | `on` | true or false | `true` | True \\| false. |')
  expect(text).toContain('| Text | `cases[].caseTemplate` | template | **required** |  |')
  expect(text).toContain('- 0: `no`\n- 1: `yes`\n- from 2: one for each entry of Cases, in their order')
  expect(text).toContain('| Not in | flows of class customNode |')
  // What cannot be run is shown as the example states it.
  expect(text).toContain('It takes the output `yes`.\n\nthe payload becomes\n\n```json\n{ "a": 2 }\n```')
})

test('what came of a run goes before what the example states', () => {
  const result = { output: 'no', payload: { a: 3 }, error: undefined, mails: [], replies: [], messages: [] }
  const text = nodePage(node, [result])
  expect(text).toContain('It takes the output `no`.')
  expect(text).toContain('{ "a": 3 }')
  expect(text).not.toContain('{ "a": 2 }')
})

test('two runs have in common what is the same each time', () => {
  const at = new Date(0)
  expect(
    steady({ a: 1, b: [1, 'x'], c: at, d: undefined }, { a: 1, b: [2, 'x'], c: new Date(0), d: undefined }),
  ).toEqual({
    ...{ a: 1, b: ['…', 'x'], c: '1970-01-01T00:00:00.000Z', d: undefined },
  })
  expect(steady<unknown>([1], [1, 2])).toBe('…')
  expect(steady<unknown>({ a: 1, b: 1 }, { a: 1 })).toEqual({ a: 1 })
})

test('JSON stands on a line where it fits, and is JSON still', () => {
  const value = {
    a: [1, 2, { b: null }],
    text: 'x'.repeat(90),
    list: ['y'.repeat(60), 'z'.repeat(60)],
    none: {},
    empty: [],
    gone: undefined,
  }
  expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)))
  expect(jsonText({ a: [1, { b: 2 }] })).toBe('{ "a": [1, { "b": 2 }] }')
  expect(jsonText('x'.repeat(201))).toBe(`"${'x'.repeat(200)}…"`)
  for (const line of jsonText(value).split('\n')) expect(line.length).toBeLessThan(120)
})
