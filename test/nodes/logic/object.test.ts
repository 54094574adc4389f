import { expect, test } from 'vitest'
import { object } from '../../../nodes/logic/object.ts'
import { runNode } from '../../helpers/run-node.ts'

interface Operation {
  type: string
  inputTemplate?: unknown
  outputPath?: string
}

const applied = (source: unknown, operations: Operation[], payload = {}) =>
  runNode(object, {
    config: { sourcePath: 'source', destPath: 'out', operations },
    payload: { source, ...payload },
  })

test.each<[Operation, unknown, unknown]>([
  [
    { type: 'mergeDeep', inputTemplate: '{{given}}' },
    { a: { x: 1, y: 1 }, b: 1 },
    { a: { x: 1, y: 2 }, b: 1, c: [3] },
  ],
  [
    { type: 'mergeDeep', inputTemplate: '{"l": [null, {"b": 2}]}' },
    { l: [1, { a: 1 }, 3] },
    { l: [null, { a: 1, b: 2 }, 3] },
  ],
  [{ type: 'mergeDeep', inputTemplate: '{"a": [1]}' }, { a: { x: 1 } }, { a: [1] }],
  [{ type: 'mergeDeep', inputTemplate: '{"a": {"x": 1}}' }, { a: 5 }, { a: { x: 1 } }],
  [{ type: 'mergeDeep', inputTemplate: '{{given}}' }, undefined, { a: { y: 2 }, c: [3] }],
  [{ type: 'mergeDeep', inputTemplate: '{{gap}}' }, { a: 1 }, { a: 1 }],
  [
    { type: 'assign', inputTemplate: '{{given}}' },
    { a: { x: 1 }, b: 1 },
    { a: { y: 2 }, b: 1, c: [3] },
  ],
  [{ type: 'assign', inputTemplate: '{ {{jsonEncode key}}: {{jsonEncode given.c}} }' }, {}, { 'a b': [3] }],
  [{ type: 'assign', inputTemplate: '' }, { a: 1 }, { a: 1 }],
  [{ type: 'pick', inputTemplate: '["a", "none"]' }, { a: 1, b: 2 }, { a: 1 }],
  [{ type: 'pick', inputTemplate: '{{keys}}' }, { a: 1, b: 2 }, { b: 2 }],
  [{ type: 'omit', inputTemplate: '["a"]' }, { a: 1, b: 2 }, { b: 2 }],
  [{ type: 'zipObject', inputTemplate: '["a", "b", "c"]' }, [1, 2], { a: 1, b: 2, c: undefined }],
  [{ type: 'zipObject', inputTemplate: '["a"]' }, undefined, { a: undefined }],
  [{ type: 'mergeDeep', inputTemplate: '{"a": null}' }, { a: { x: 1 } }, { a: null }],
  [{ type: 'mergeDeep', inputTemplate: '' }, { a: { x: 1 } }, { a: { x: 1 } }],
  [
    { type: 'mergeDeep', inputTemplate: '{"a": {"b": {"c": 2}}}' },
    { a: { b: { c: 1, d: 1 } } },
    { a: { b: { c: 2, d: 1 } } },
  ],
  [{ type: 'assign', inputTemplate: '{{none.at.all}}{}' }, { a: 1 }, { a: 1 }],
  [{ type: 'assign', inputTemplate: '{"a": null}' }, { a: 1 }, { a: null }],
  [{ type: 'pick', inputTemplate: '' }, { a: 1 }, {}],
  [{ type: 'pick', inputTemplate: '"a"' }, { a: 1, b: 2 }, { a: 1 }],
  [{ type: 'omit', inputTemplate: '["a.b"]' }, { a: { b: 1 } }, { a: { b: 1 } }],
  [{ type: 'omit', inputTemplate: '[]' }, undefined, {}],
])('%j makes of %j the object %j', async (operation, source, expected) => {
  const payload = { given: { a: { y: 2 }, c: [3] }, gap: { a: undefined }, key: 'a b', keys: ['b'] }
  const run = await applied(source, [operation], payload)
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload.out).toEqual(expected)
  expect(run.payload.source).toEqual(source)
})

test.each<[string, unknown, unknown]>([
  ['keys', { a: 1, b: 2 }, ['a', 'b']],
  ['values', { a: 1, b: [2] }, [1, [2]]],
  ['entries', { a: 1 }, [['a', 1]]],
  [
    'fromPairs',
    [
      ['a', 1],
      ['b', 2],
    ],
    { a: 1, b: 2 },
  ],
  ['keys', undefined, []],
  ['fromPairs', undefined, {}],
])('%s of %j puts %j at its path and passes the source through', async (type, source, expected) => {
  const { payload, error } = await applied(source, [{ type, outputPath: 'side' }])
  expect(error).toBeUndefined()
  expect(payload.side).toEqual(expected)
  expect(payload.out).toEqual(source ?? {})
})

test('operations work on what those before them made', async () => {
  const operations = [
    { type: 'assign', inputTemplate: '{"b": 2, "c": 3}' },
    { type: 'omit', inputTemplate: '["a"]' },
    { type: 'keys', outputPath: 'names' },
  ]
  expect((await applied({ a: 1 }, operations)).payload).toEqual({
    source: { a: 1 },
    out: { b: 2, c: 3 },
    names: ['b', 'c'],
  })
})

test.each<[Operation, unknown, unknown]>([
  [{ type: 'fromPairs', outputPath: 'r' }, [[{ toString: 1 }, 2]], { '[object Object]': 2 }],
  [{ type: 'pick', inputTemplate: '{{keys}}', outputPath: 'r' }, { a: 1 }, undefined],
])('%j never calls what is only named like a method', async (operation, source, expected) => {
  const run = await applied(source, [operation], { keys: [{ toString: 1 }] })
  expect(run.error).toBeUndefined()
  expect(run.payload.r).toEqual(expected)
})

test('takes at most ten operations', async () => {
  const ten = Array(10).fill({ type: 'assign', inputTemplate: '{"a": 1}' })
  expect(await applied({}, ten)).toMatchObject({ problems: [], error: undefined })
  expect((await applied({}, [...ten, ten[0]])).problems).toMatchObject([{ code: 'config.type' }])
})

test('an operation sees what those before it wrote', async () => {
  const operations = [
    { type: 'keys', outputPath: 'names' },
    { type: 'omit', inputTemplate: '{{names}}' },
  ]
  expect((await applied({ a: 1, b: 2 }, operations)).payload.out).toEqual({})
})

test('a list is an object of its indexes', async () => {
  expect((await applied(['x', 'y'], [{ type: 'keys', outputPath: 'side' }])).payload.side).toEqual(['0', '1'])
  expect((await applied(['x', 'y'], [{ type: 'pick', inputTemplate: '[1]' }])).payload.out).toEqual({ 1: 'y' })
})

test('an object that is not there is made, and asked for by its path', async () => {
  const config = { sourcePath: 'a.b', operations: [{ type: 'assign', inputTemplate: '{"y": 2}' }] }
  expect((await runNode(object, { config, payload: {} })).payload).toEqual({ a: { b: { y: 2 } } })
  expect((await runNode(object, { config: {}, payload: {} })).problems).toMatchObject([{ code: 'config.missing' }])
})

test('without another place the object itself is changed', async () => {
  const config = { sourcePath: 'a', operations: [{ type: 'assign', inputTemplate: '{"y": 2}' }] }
  expect((await runNode(object, { config, payload: { a: { x: 1 } } })).payload).toEqual({ a: { x: 1, y: 2 } })
})

test('what is merged in shares nothing with the payload', async () => {
  const { payload } = await applied({}, [{ type: 'mergeDeep', inputTemplate: '{{given}}' }], { given: { a: { v: 1 } } })
  expect((payload.out as { a: object }).a).not.toBe((payload.given as { a: object }).a)
})

test.each<[Operation, unknown]>([
  [{ type: 'mergeDeep', inputTemplate: '{"__proto__": {"polluted": true}}' }, {}],
  [{ type: 'mergeDeep', inputTemplate: '{"constructor": {"prototype": {"polluted": true}}}' }, {}],
  [{ type: 'assign', inputTemplate: '{"__proto__": {"polluted": true}}' }, {}],
  [{ type: 'zipObject', inputTemplate: '["__proto__"]' }, [{ polluted: true }]],
])('%j reaches no prototype', async (operation, source) => {
  const { payload, error } = await applied(source, [operation])
  expect(error).toBeUndefined()
  expect((payload.out as Record<string, unknown>).polluted).toBeUndefined()
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test.each<[unknown, Operation, string]>([
  [5, { type: 'keys' }, 'object.source'],
  ['text', { type: 'assign', inputTemplate: '{}' }, 'object.source'],
  [{ a: 1 }, { type: 'fromPairs' }, 'object.source'],
  [[1], { type: 'fromPairs' }, 'object.source'],
  [{ a: 1 }, { type: 'zipObject', inputTemplate: '["a"]' }, 'object.source'],
  [{}, { type: 'assign', inputTemplate: '5' }, 'object.input'],
  [{}, { type: 'pick', inputTemplate: '{}' }, 'object.input'],
  [{}, { type: 'assign', inputTemplate: '{{none}}' }, 'template.not-json'],
  [null, { type: 'zipObject', inputTemplate: '5' }, 'object.input'],
  [new Date(0), { type: 'keys' }, 'object.source'],
  [true, { type: 'values' }, 'object.source'],
  [{}, { type: 'omit', inputTemplate: '{"a": 1}' }, 'object.input'],
  [{}, { type: 'mergeDeep', inputTemplate: '"text"' }, 'object.input'],
  [{}, { type: 'assign', inputTemplate: '{' }, 'template.not-json'],
  [{}, { type: 'explode' }, 'config.choice'],
])('fails for %j with %j: %s', async (source, operation, code) => {
  expect((await applied(source, [operation])).error).toMatchObject({ code })
})
