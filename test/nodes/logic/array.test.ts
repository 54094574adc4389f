import { expect, test } from 'vitest'
import { array } from '../../../nodes/logic/array.ts'
import { runNode } from '../../helpers/run-node.ts'

interface Rule {
  type: string
  inputTemplate?: unknown
  indexTemplate?: unknown
  order?: string
}

const applied = (list: unknown, rules: (Rule & { outputPath?: string })[], payload = {}) =>
  runNode(array, { config: { sourceArrayPath: 'list', rules }, payload: { list, ...payload } })

const device = { name: 'pump' }
const people = [
  { name: 'Bo', age: 30, 'Home Town': 'X', at: { y: 2 } },
  { name: 'Al', age: 9, 'Home Town': 'Y', at: { y: 1 } },
  { name: 'Cy', 'Home Town': 'X' },
]

test.each<[Rule, unknown, unknown]>([
  [{ type: 'push', inputTemplate: '{{device}}' }, [1], [1, device]],
  [{ type: 'push', inputTemplate: 'a,{{device.name}}' }, [], ['a,pump']],
  [{ type: 'push', inputTemplate: '{{device}}' }, undefined, [device]],
  [{ type: 'push', inputTemplate: 5 }, null, [5]],
  [{ type: 'push', inputTemplate: '{{pair}}' }, [], [[7, 8]]],
  [{ type: 'push', inputTemplate: '{{none}}' }, [1], [1, undefined]],
  [{ type: 'push' }, [1], [1, '']],
  [{ type: 'push', inputTemplate: '0' }, [], ['0']],
  [{ type: 'push', inputTemplate: 'é' }, '😀b', ['😀', 'b', 'é']],
  [{ type: 'unshift', inputTemplate: '{{none}}' }, undefined, [undefined]],
  [{ type: 'concat', inputTemplate: '{{device}}' }, [1], [1, device]],
  [{ type: 'concat', inputTemplate: '{{pair}}' }, undefined, [7, 8]],
  [{ type: 'flatten' }, [1, 'ab', [], null], [1, 'ab', null]],
  [{ type: 'deduplicate' }, [null, undefined, null, undefined, Number.NaN, Number.NaN], [null, undefined, Number.NaN]],
  [{ type: 'shift' }, undefined, []],
  [{ type: 'insertAt', inputTemplate: '{{none}}', indexTemplate: '0' }, [1], [undefined, 1]],
  [{ type: 'insertAt', inputTemplate: 'x' }, [1], ['x', 1]],
  [{ type: 'insertAt', inputTemplate: 'x', indexTemplate: '-9' }, [1, 2], ['x', 1, 2]],
  [{ type: 'removeAt', indexTemplate: '-4' }, [1, 2, 3], [1, 2, 3]],
  [{ type: 'removeAt' }, [1, 2], [2]],
  [{ type: 'replaceAt', inputTemplate: '{{none}}', indexTemplate: '-1' }, [1, 2], [1, undefined]],
  [{ type: 'slice' }, [1, 2], [1, 2]],
  [{ type: 'slice', inputTemplate: '5' }, [1, 2], []],
  [{ type: 'slice', inputTemplate: '0', indexTemplate: '9' }, [1, 2], [1, 2]],
  [{ type: 'unshift', inputTemplate: '{{device}}' }, [1], [device, 1]],
  [{ type: 'concat', inputTemplate: '{{pair}}' }, [1], [1, 7, 8]],
  [{ type: 'concat', inputTemplate: 'x' }, [1], [1, 'x']],
  [{ type: 'concat', inputTemplate: '{{none}}' }, [1], [1]],
  [{ type: 'compact' }, [0, 1, '', 'a', null, false, undefined, Number.NaN], [1, 'a']],
  [{ type: 'reverse' }, [1, 2, 3], [3, 2, 1]],
  [{ type: 'reverse' }, 'abc', ['c', 'b', 'a']],
  [{ type: 'flatten' }, [1, [2, [3]]], [1, 2, [3]]],
  [{ type: 'deduplicate' }, [1, '1', 1, 2], [1, '1', 2]],
  [{ type: 'shift' }, [1, 2], [2]],
  [{ type: 'pop' }, [1, 2], [1]],
  [{ type: 'pop' }, [], []],
  [{ type: 'insertAt', inputTemplate: 'x', indexTemplate: '1' }, [1, 2], [1, 'x', 2]],
  [{ type: 'insertAt', inputTemplate: 'x', indexTemplate: '-1' }, [1, 2], [1, 'x', 2]],
  [{ type: 'insertAt', inputTemplate: 'x', indexTemplate: '9' }, [1], [1, 'x']],
  [{ type: 'removeAt', indexTemplate: '{{one}}' }, [1, 2, 3], [1, 3]],
  [{ type: 'removeAt', indexTemplate: '-1' }, [1, 2, 3], [1, 2]],
  [{ type: 'removeAt', indexTemplate: '7' }, [1], [1]],
  [{ type: 'replaceAt', inputTemplate: '{{device}}', indexTemplate: 0 }, [1, 2], [device, 2]],
  [{ type: 'replaceAt', inputTemplate: 'x', indexTemplate: '-3' }, [1, 2], [1, 2]],
  [{ type: 'slice', inputTemplate: '1', indexTemplate: '-1' }, [1, 2, 3, 4], [2, 3]],
  [{ type: 'slice', inputTemplate: '', indexTemplate: '2' }, [1, 2, 3], [1, 2]],
  [{ type: 'slice', inputTemplate: '-2' }, [1, 2, 3], [2, 3]],
])('%j makes of %j the list %j', async (rule, list, expected) => {
  const run = await applied(list, [rule], { device, pair: [7, 8], one: 1 })
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload.list).toEqual(expected)
})

test.each<[Rule, unknown, unknown]>([
  [{ type: 'indexOf', inputTemplate: '{{one}}' }, ['1', 1, 1], 1],
  [{ type: 'indexOf', inputTemplate: '1' }, [1], -1],
  [{ type: 'indexOf', inputTemplate: '{{none}}' }, [1, undefined], 1],
  [{ type: 'indexOf', inputTemplate: 'b' }, 'abc', 1],
  [{ type: 'indexOf', inputTemplate: 'x' }, undefined, -1],
  [{ type: 'lookupAt', indexTemplate: '-9' }, [1, 2], undefined],
  [{ type: 'lookupAt' }, [1, 2], 1],
  [{ type: 'length' }, '😀b', 2],
  [{ type: 'sum' }, '123', 6],
  [{ type: 'sum' }, [null, true, ''], 1],
  [{ type: 'pop' }, [], undefined],
  [{ type: 'removeAt', indexTemplate: '9' }, ['a'], undefined],
  [{ type: 'sort' }, [], []],
  [{ type: 'sort' }, ['10', '9', 'B', 'a'], ['10', '9', 'B', 'a']],
  [{ type: 'sort', order: '' }, [new Date(5), new Date(3)], [new Date(3), new Date(5)]],
  [{ type: 'sortBy', inputTemplate: 'none' }, people, people],
  [{ type: 'filter', inputTemplate: 'true' }, [], []],
  [{ type: 'filter', inputTemplate: "{{value}} !== 'b'" }, 'abc', ['a', 'c']],
  [{ type: 'keyBy', inputTemplate: '{{key}}' }, people.slice(0, 1), { undefined: people[0] }],
  [{ type: 'groupBy', inputTemplate: 'at.y' }, people.slice(0, 2), { 2: [people[0]], 1: [people[1]] }],
  [{ type: 'lookupAt', indexTemplate: '-1' }, [1, 2], 2],
  [{ type: 'lookupAt', indexTemplate: '5' }, [1, 2], undefined],
  [{ type: 'lookupAt', indexTemplate: '1' }, 'abc', 'b'],
  [{ type: 'length' }, [1, 2], 2],
  [{ type: 'length' }, undefined, 0],
  [{ type: 'sum' }, [1, '2', 3.5], 6.5],
  [{ type: 'sum' }, [1, undefined], 1],
  [{ type: 'sum' }, [1, 'x'], null],
  [{ type: 'sum' }, [], 0],
  [{ type: 'shift' }, [1, 2], 1],
  [{ type: 'pop' }, [1, 2], 2],
  [{ type: 'removeAt', indexTemplate: '0' }, ['a'], 'a'],
  [{ type: 'replaceAt', inputTemplate: 'x', indexTemplate: '0' }, ['a'], 'a'],
  [{ type: 'sort' }, [10, 9, undefined, 1, null], [1, 9, 10, null, undefined]],
  [{ type: 'sort', order: 'descending' }, ['b', undefined, 'c', 'a'], ['c', 'b', 'a', undefined]],
  [{ type: 'sort' }, ['b', 2, 'a', 1], [1, 2, 'a', 'b']],
  [{ type: 'sortBy', inputTemplate: 'age' }, people, [people[1], people[0], people[2]]],
  [{ type: 'sortBy', inputTemplate: 'age', order: 'descending' }, people, [people[0], people[1], people[2]]],
  [{ type: 'sortBy', inputTemplate: 'at.y' }, people, [people[1], people[0], people[2]]],
  [{ type: 'sortBy', inputTemplate: 'Home Town' }, people, [people[0], people[2], people[1]]],
  [{ type: 'deduplicateBy', inputTemplate: 'Home Town' }, people, [people[0], people[1]]],
  [{ type: 'keyBy', inputTemplate: 'name' }, people, { Bo: people[0], Al: people[1], Cy: people[2] }],
  [
    { type: 'keyBy', inputTemplate: 'k' },
    [
      { k: 1, v: 1 },
      { k: 1, v: 2 },
    ],
    { 1: { k: 1, v: 2 } },
  ],
  [{ type: 'groupBy', inputTemplate: 'Home Town' }, people, { X: [people[0], people[2]], Y: [people[1]] }],
  [{ type: 'groupBy', inputTemplate: 'x' }, [5, null], { undefined: [5, null] }],
  [{ type: 'filter', inputTemplate: '{{value}} > {{payload.one}}' }, [0, 1, 2, 3], [2, 3]],
  [
    { type: 'filter', inputTemplate: '{{index}} === 0 || {{length array}} === 4 && {{index}} === 3' },
    [5, 6, 7, 8],
    [5, 8],
  ],
  [{ type: 'filter', inputTemplate: '{{value.age}}' }, people, [people[0], people[1]]],
])('%j of %j puts %j at its path', async (rule, list, expected) => {
  const run = await applied(list, [{ ...rule, outputPath: 'working.r' }], { one: 1 })
  expect(run).toMatchObject({ problems: [], error: undefined })
  expect((run.payload.working as Record<string, unknown>).r).toEqual(expected)
})

test('only a rule that changes the list writes it', async () => {
  const run = await applied('abc', [{ type: 'length', outputPath: 'r' }])
  expect(run.payload).toEqual({ list: 'abc', r: 3 })
})

test('leaves the source alone when there is another place for the list', async () => {
  const config = { sourceArrayPath: 'list', destArrayPath: 'other', rules: [{ type: 'push', inputTemplate: 'x' }] }
  const { payload } = await runNode(array, { config, payload: { list: [{ a: 1 }] } })
  expect(payload).toEqual({ list: [{ a: 1 }], other: [{ a: 1 }, 'x'] })
  expect((payload.other as unknown[])[0]).not.toBe((payload.list as unknown[])[0])
})

test('a rule sees what those before it made', async () => {
  const rules = [
    { type: 'push', inputTemplate: '3' },
    { type: 'length', outputPath: 'count' },
    { type: 'push', inputTemplate: '{{count}}' },
  ]
  expect((await applied([1], rules)).payload).toEqual({ list: [1, '3', 2], count: 2 })
})

test('a result may take the place of what the list lies in', async () => {
  const config = { sourceArrayPath: 'rows.items', rules: [{ type: 'keyBy', inputTemplate: 'id', outputPath: 'rows' }] }
  const { payload } = await runNode(array, { config, payload: { rows: { items: [{ id: 'a' }] } } })
  expect(payload).toEqual({ rows: { a: { id: 'a' } } })
})

test('a list pushed into itself has an end', async () => {
  const { payload } = await applied([1], [{ type: 'push', inputTemplate: '{{list}}' }])
  expect(payload).toEqual({ list: [1, [1]] })
})

const bait = { toString: 1, valueOf: 1 }
test.each<[Rule, unknown, unknown]>([
  [{ type: 'keyBy', inputTemplate: 'k' }, [{ k: bait }], { '[object Object]': { k: bait } }],
  [{ type: 'groupBy', inputTemplate: 'k' }, [{ k: [bait] }], { '[object Object]': [{ k: [bait] }] }],
  [{ type: 'sum' }, [bait, 1], null],
  [{ type: 'sum' }, [[5], '6', null, true], 12],
])('%j never calls what is only named like a method', async (rule, list, expected) => {
  const run = await applied(list, [{ ...rule, outputPath: 'r' }])
  expect(run.error).toBeUndefined()
  expect(run.payload.r).toEqual(expected)
})

test('a key named __proto__ is a key like any other', async () => {
  const rules = [
    { type: 'keyBy', inputTemplate: 'k', outputPath: 'by' },
    { type: 'groupBy', inputTemplate: 'k', outputPath: 'grouped' },
  ]
  const { payload } = await applied([{ k: '__proto__', polluted: true }], rules)
  expect(Object.keys(payload.by as object)).toEqual(['__proto__'])
  expect(Object.keys(payload.grouped as object)).toEqual(['__proto__'])
  expect((payload.by as Record<string, unknown>).polluted).toBeUndefined()
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test.each([
  [{ a: 1 }, [{ type: 'reverse' }], 'array.source'],
  [true, [{ type: 'push', inputTemplate: 'x' }], 'array.source'],
  [new Date(0), [{ type: 'push', inputTemplate: 'x' }], 'array.source'],
  [[1], Array(16).fill({ type: 'reverse' }), 'config.type'],
  [[1], [{ type: 'slice', inputTemplate: 'x' }], 'config.type'],
  [[1], [{ type: 'lookupAt', indexTemplate: '{{word}}' }], 'config.type'],
  [[1], [{ type: 'filter', inputTemplate: 'value > 1' }], 'expression.syntax'],
  [[1], [{ type: 'sort', order: 'sideways' }], 'config.choice'],
  [[1], [{ type: 'length', outputPath: '__proto__.x' }], 'path.forbidden'],
  [5, [{ type: 'length' }], 'array.source'],
  [[1], [{ type: 'removeAt', indexTemplate: 'x' }], 'config.type'],
  [[1], [{ type: 'shuffle' }], 'config.choice'],
  [[1], [{ type: 'filter', inputTemplate: '' }], 'config.missing'],
  [Array(262_144).fill(0), [{ type: 'push', inputTemplate: 'x' }], 'array.too-long'],
])('fails for %j with %j: %s', async (list, rules, code) => {
  expect((await applied(list, rules, { word: 'x' })).error).toMatchObject({ code })
})

test('a long filter lets others have their turn and ends with the run', async () => {
  const controller = new AbortController()
  const reason = new Error('over')
  const config = {
    sourceArrayPath: 'list',
    rules: [{ type: 'filter', inputTemplate: '{{length (jsonEncode array)}} > 0', outputPath: 'r' }],
  }
  const payload = { list: Array.from({ length: 5_000 }, (_, index) => ({ index, text: 'x'.repeat(100) })) }
  setImmediate(() => controller.abort(reason))
  await expect(runNode(array, { config, payload, signal: controller.signal })).rejects.toBe(reason)
})
