import { expect, test } from 'vitest'
import { jsonDecode } from '../../../nodes/logic/json-decode.ts'
import { jsonEncode } from '../../../nodes/logic/json-encode.ts'
import { runNode } from '../../helpers/run-node.ts'

test.each([
  [{ at: new Date(0), gone: undefined }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  ['text', '"text"'],
  [null, 'null'],
  [undefined, undefined],
  [false, 'false'],
  [[1, undefined, Number.NaN], '[1,null,null]'],
  [new Date(0), '"1970-01-01T00:00:00.000Z"'],
])('encodes %j as %s', async (source, expected) => {
  const run = await runNode(jsonEncode, { config: { source: 'a', destination: 'b' }, payload: { a: source } })
  expect(run).toMatchObject({ output: 'next', error: undefined })
  expect(run.payload.b).toBe(expected)
})

test('refuses to encode more than 5 MB', async () => {
  const payload = { a: '\u0001'.repeat(1 << 20) }
  const run = await runNode(jsonEncode, { config: { source: 'a', destination: 'b' }, payload })
  expect(run.error).toMatchObject({ code: 'text.too-long' })
})

const decode = (a: unknown, more = {}) =>
  runNode(jsonDecode, { config: { source: 'a', destination: 'b', ...more }, payload: { a, b: 'before' } })

test.each([
  ['{"x":[1]}', { x: [1] }],
  [' 5 ', 5],
  ['null', null],
  [{ done: true }, { done: true }],
  [null, null],
  [false, false],
  ['"x"', 'x'],
  ['true', true],
  [7, 7],
])('decodes %j to %j', async (source, expected) => {
  const run = await decode(source)
  expect(run).toMatchObject({ output: 'next', error: undefined })
  expect(run.payload.b).toEqual(expected)
})

test('asks for both paths', async () => {
  for (const definition of [jsonDecode, jsonEncode]) {
    const { problems } = await runNode(definition as typeof jsonDecode, { config: { errorBehavior: '' } })
    expect(problems.map(({ code, pointer }) => [code, pointer])).toEqual([
      ['config.missing', '/config/source'],
      ['config.missing', '/config/destination'],
    ])
  }
})

test('may put the value where the text was, or above it', async () => {
  const config = { source: 'data.body', destination: 'data' }
  const run = await runNode(jsonDecode, { config, payload: { data: { body: '{"id":1}' } } })
  expect(run.payload).toEqual({ data: { id: 1 } })
})

test.each(['{', '', undefined, '{"a":1,}'])('throws for %j and leaves the destination alone', async (source) => {
  const run = await decode(source)
  expect(run.error).toMatchObject({ code: 'json.source', name: 'JsonError' })
  expect(run.payload.b).toBe('before')
})

test('puts the failure at its path instead, and on success leaves that path alone', async () => {
  const settings = { errorBehavior: 'payloadPath', errorPath: 'e' }
  const failed = await decode('{', settings)
  expect(failed).toMatchObject({ output: 'next', error: undefined })
  expect(failed.payload).toMatchObject({
    b: 'before',
    e: { name: 'JsonError', message: expect.stringContaining('JSON') },
  })
  expect((await decode('1', settings)).payload).not.toHaveProperty('e')
  expect((await decode('{', { errorBehavior: 'payloadPath' })).error).toBeUndefined()
})

test('refuses what is nested so deep that nothing else could read it', async () => {
  expect((await decode('['.repeat(5_000) + ']'.repeat(5_000))).error).toMatchObject({ code: 'value.too-deep' })
})

test('a key named __proto__ is a key like any other', async () => {
  const { payload } = await decode('{"__proto__":{"polluted":true}}')
  expect(Object.keys(payload.b as object)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test('JSON of millions of levels is refused without work', async () => {
  const config = { source: 'data', destination: 'out', errorBehavior: 'payloadPath', errorPath: 'why' }
  const { payload } = await runNode(jsonDecode, { config, payload: { data: '['.repeat(1_000_000) } })
  expect(payload.why).toMatchObject({ message: expect.stringContaining('at most 500 levels') })
  expect(payload).not.toHaveProperty('out')
})
