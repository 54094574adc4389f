import { expect, test } from 'vitest'
import { valueGet } from '../../../nodes/data/value-get.ts'
import { valueStore } from '../../../nodes/data/value-store.ts'
import { flowOf, runFlow } from '../../helpers/flow.ts'
import { runNode } from '../../helpers/run-node.ts'
import { memoryValues } from '../../helpers/services.ts'

const payload = { a: { b: [1] }, n: '2.5', id: 'x', at: new Date(5) }

async function stored(config: object, before: Record<string, unknown> = {}) {
  const values = memoryValues(before)
  const run = await runNode(valueStore, { config: { resultPath: 'r', ...config }, payload, use: { values } })
  return { run, kept: await values.all() }
}

test.each<[object, object, object, unknown]>([
  [{ keyName: 'k', valueType: 'path', value: 'a.b' }, {}, { k: [1] }, [1]],
  [{ keyName: 'k', value: 'a.b' }, {}, { k: [1] }, [1]],
  [{ keyName: 'k', valueType: 'path', valuePath: 'a.b' }, {}, { k: [1] }, [1]],
  [{ keyName: 'k', valueType: 'path', value: 'at' }, {}, { k: payload.at }, payload.at],
  [{ keyName: 'k', valueType: 'path', value: 'none' }, { k: 1, l: 2 }, { l: 2 }, undefined],
  [{ keyName: 'token:{{id}}', valueType: 'template', value: 'id {{id}}' }, {}, { 'token:x': 'id x' }, 'id x'],
  [{ keyName: 'k', valueType: 'json', value: '{"a": {{n}} }' }, {}, { k: { a: 2.5 } }, { a: 2.5 }],
  [{ keyName: 'k', valueType: 'json', value: 'null' }, { k: 1 }, { k: null }, null],
  [{ keyName: 'k', valueType: 'number', value: '{{n}}' }, {}, { k: 2.5 }, 2.5],
  [{ keyName: 'k', valueType: 'number', value: 7 }, {}, { k: 7 }, 7],
  [{ keyName: 'k', valueType: 'incr', value: '1' }, {}, { k: 1 }, 1],
  [{ keyName: 'k', valueType: 'incr', value: '{{n}}' }, { k: 1 }, { k: 3.5 }, 3.5],
  [{ keyName: 'k', valueType: 'incr', value: '-2' }, { k: 1 }, { k: -1 }, -1],
  [{ keyName: 'k', valueType: 'decr', value: 2 }, {}, { k: -2 }, -2],
  [{ keyName: 'k', valueType: 'clear' }, { k: [1], l: 2 }, { l: 2 }, [1]],
  [{ keyName: 'k', valueType: 'clear', value: { any: '{{#if}}' } }, {}, {}, undefined],
])('%j after %j leaves %j and gives %j', async (config, before, kept, result) => {
  const after = await stored(config, before as Record<string, unknown>)
  expect(after.run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(after.kept).toEqual(kept)
  expect(after.run.payload.r).toEqual(result)
})

test.each<[object, string]>([
  [{ keyName: '{{none}}', value: 'a' }, 'config.empty'],
  [{ value: 'a' }, 'config.missing'],
  [{ keyName: 'k', valueType: 'number', value: 'x' }, 'config.type'],
  [{ keyName: 'k', valueType: 'number', value: 'Infinity' }, 'value.not-finite'],
  [{ keyName: 'k', valueType: 'incr', value: '{{none}}' }, 'config.empty'],
  [{ keyName: 'k', valueType: 'incr', value: 'x' }, 'config.type'],
  [{ keyName: 'text', valueType: 'incr', value: '1' }, 'value.not-number'],
  [{ keyName: 'k', valueType: 'json', value: '{{id}}' }, 'template.not-json'],
  [{ keyName: 'k', valueType: 'json' }, 'config.missing'],
  [{ keyName: 'k', valueType: 'swap', value: 'a' }, 'config.choice'],
])('%j fails with %s and changes nothing', async (config, code) => {
  const { run, kept } = await stored(config, { text: 'x' })
  expect(run.error).toMatchObject({ code })
  expect(kept).toEqual({ text: 'x' })
})

const got = (config: object) =>
  runNode(valueGet, {
    config: { valuePath: 'r', ...config },
    payload,
    use: { values: memoryValues({ n: 0, no: false, nothing: null, list: [1] }) },
  })

test.each<[object, unknown]>([
  [{ keyName: 'list' }, [1]],
  [{ keyName: 'n', defaultValue: '5' }, 0],
  [{ keyName: 'no', defaultValue: 'true' }, false],
  [{ keyName: 'nothing', defaultValue: '5' }, null],
  [{ keyName: 'none' }, null],
  [{ keyName: 'none', defaultValue: 'null' }, null],
  [{ keyName: 'none', defaultValue: '[]', defaultValueType: 'json' }, []],
  [{ keyName: 'none', defaultValue: 0 }, 0],
  [{ keyName: 'none', defaultValue: 'a{{id}}', defaultValueType: 'template' }, 'ax'],
  [{ keyName: 'none', defaultValue: 'a.b', defaultValueType: 'path' }, [1]],
  [{ keyName: 'none', defaultValue: 'a.z', defaultValueType: 'path' }, null],
  [{ keyName: 'l{{tail}}' }, null],
  [{ getAll: true }, { n: 0, no: false, nothing: null, list: [1] }],
  [
    { getAll: true, keyName: '{{none}}' },
    { n: 0, no: false, nothing: null, list: [1] },
  ],
])('%j gives %j', async (config, expected) => {
  const run = await got(config)
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload.r).toEqual(expected)
})

test('a default that cannot be read only matters when it is needed', async () => {
  const broken = { defaultValue: '{{id}}', defaultValueType: 'json' }
  expect((await got({ keyName: 'list', ...broken })).payload.r).toEqual([1])
  expect((await got({ keyName: 'none', ...broken })).error).toMatchObject({ code: 'template.not-json' })
})

test('what was stored stays when the run fails after it', async () => {
  const values = memoryValues({ gone: 1 })
  const flow = flowOf([
    { id: 'a', type: 'StoreValueNode', config: { keyName: 'k', valueType: 'json', value: '[1]' }, outputIds: [['b']] },
    { id: 'b', type: 'StoreValueNode', config: { keyName: 'gone', valueType: 'clear' }, outputIds: [['c']] },
    { id: 'c', type: 'ThrowErrorNode', config: { messageTemplate: 'stop' } },
  ])
  expect(await runFlow(flow, { services: { values } })).toMatchObject({ status: 'failed' })
  expect(await values.all()).toEqual({ k: [1] })
})

test('asks for a key and a place', async () => {
  expect((await got({ keyName: '{{none}}' })).error).toMatchObject({ code: 'config.empty' })
  expect((await got({ keyName: 'n', valuePath: '' })).problems).toMatchObject([{ code: 'config.missing' }])
})
