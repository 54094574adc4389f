import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type FlowClass, flowClasses } from '../../../engine/document.ts'
import type { Field } from '../../../engine/fields.ts'
import type { AnyNode } from '../../../engine/node.ts'
import { nodes, triggers } from '../../../nodes/index.ts'
import { isKnownKind } from '../../../server/schema/field-schema.ts'
import { schemas } from '../../../server/schema/schemas.ts'
import { problemsOf } from '../../helpers/flow.ts'

const root = join(import.meta.dirname, '../../..')
const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: false })
for (const [name, make] of Object.entries(schemas)) ajv.addSchema(JSON.parse(JSON.stringify(make())), name)

function refusal(schema: string, value: unknown): string | undefined {
  const validate = ajv.getSchema(`${schema}.schema.json`)!
  return validate(JSON.parse(JSON.stringify(value))) ? undefined : ajv.errorsText(validate.errors)
}

type Fields = Record<string, Field<unknown>>

/** Every field of some settings, also those inside lists, groups and kinds. */
function fieldsIn(fields: Fields): Field<unknown>[] {
  return Object.values(fields).flatMap((one) => {
    const inner = [one.of, one.kinds].filter((of) => of && typeof of === 'object' && !Array.isArray(of))
    return [one, ...inner.flatMap((of) => fieldsIn(of as Fields))]
  })
}

test('every kind of setting that a node or trigger has can be said in a schema', () => {
  const all = [...nodes, ...triggers].flatMap((one) => fieldsIn(one.config as Fields))
  expect([...new Set(all.map(({ kind }) => kind).filter((kind) => !isKnownKind(kind)))]).toEqual([])
})

describe('what ships', () => {
  const files = ['flows', 'examples', 'bench/app'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join(root, folder, name))
      .filter((name) => /\.(json|ya?ml)$/.test(name) && !/\/(requests\.json|files\/)/.test(name)),
  )

  test.each(files.map((file) => [relative(root, file), file]))('%s fits its schema', (_, file) => {
    const text = readFileSync(file, 'utf8')
    const value = file.endsWith('.json') ? JSON.parse(text) : parse(text)
    const isTest = /\.test\.\w+$/.test(file)
    expect(refusal('bundle', value)).toBeUndefined()
    if (isTest) expect(refusal('flow-test', value)).toBeUndefined()
    if (/Flow/.test(value.resourceType)) expect(refusal('flow', value)).toBeUndefined()
  })

  test('there are flows, resources and tests among it', () => {
    expect(files.length).toBeGreaterThan(80)
  })
})

describe('wrong flows', () => {
  const node = (one: object) => ({ nodes: [{ id: 'a', type: 'MutateNode', ...one }] })
  test.each<[string, unknown]>([
    ['a list of nodes that is none', { nodes: {} }],
    ['a node that is text', { nodes: ['a'] }],
    ['a node without a type', { nodes: [{ id: 'a' }] }],
    ['a node with an empty type', node({ type: '' })],
    ['settings that are a list', node({ config: [] })],
    ['outputs that are text', node({ outputIds: 'b' })],
    ['an output that is text', node({ outputIds: ['b'] })],
    ['a missing setting that must be there', node({ type: 'ConditionalNode', config: {} })],
    ['no settings where one must be there', node({ type: 'ConditionalNode' })],
    ['the same by our own name', node({ type: 'conditional' })],
    ['a blank one', node({ type: 'ConditionalNode', config: { expression: ' ' } })],
    ['a template that is a list', node({ type: 'GetDeviceNode', config: { idTemplate: [], resultPath: 'x' } })],
    ['a blank path where one must be', node({ type: 'GetDeviceNode', config: { resultPath: ' ' } })],
    ['a path that is a number', node({ type: 'GetDeviceNode', config: { resultPath: 5 } })],
    ['a flag that is a word', node({ type: 'GetDeviceNode', config: { includeState: 'maybe', resultPath: 'x' } })],
    ['a choice that is none', node({ type: 'GetDeviceNode', config: { findMethod: 'nane', resultPath: 'x' } })],
    ['a list that is an object', node({ type: 'SwitchNode', config: { switchTemplate: 'x', cases: {} } })],
    [
      'an entry of the wrong type',
      node({ type: 'SwitchNode', config: { switchTemplate: 'x', cases: [{ caseTemplate: {} }] } }),
    ],
    ['a number that is a word', node({ type: 'DelayNode', config: { delay: 'soon' } })],
    ['a kind that is none', node({ type: 'StoreValueNode', config: { keyName: 'a', valueType: 'maybe', value: 'x' } })],
    [
      'a setting wrong for its kind',
      node({ type: 'StoreValueNode', config: { keyName: 'a', valueType: 'path', value: 5 } }),
    ],
    ['a setting missing for its kind', node({ type: 'StoreValueNode', config: { keyName: 'a', valueType: 'json' } })],
    ['a global without a key', { globals: [{ json: '1' }] }],
    ['a global with a key that is none', { globals: [{ key: 'a b', json: '1' }] }],
    ['a trigger without a type', { triggers: [{ key: 'a' }] }],
    ['too many globals', { globals: Array.from({ length: 101 }, (_, i) => ({ key: `k${i}`, json: '1' })) }],
  ])('%s is refused by the schema as by check', (_, flow) => {
    expect(problemsOf(flow).length).toBeGreaterThan(0)
    expect(refusal('flow', flow)).toEqual(expect.any(String))
    expect(
      refusal('flow', { resourceType: 'Flow', version: 1, resources: [{ name: 'F', ...(flow as object) }] }),
    ).toEqual(expect.any(String))
  })

  test.each<[string, unknown]>([
    ['an unknown type with any settings', { nodes: [{ id: 'a', type: 'FutureNode', config: { a: [1] } }] }],
    ['nothing', {}],
    [
      'nulls where older exports have them',
      {
        nodes: [{ id: null, type: 'MutateNode', config: null, meta: null, outputIds: null }],
        triggers: null,
        globals: null,
      },
    ],
    ['missing outputs', { nodes: [{ id: 'a', type: 'MutateNode', outputIds: [null] }] }],
    [
      'a field of a later release',
      { future: true, nodes: [{ id: 'a', type: 'MutateNode', future: 1, config: { future: [] } }] },
    ],
  ])('%s is taken', (_, flow) => {
    expect(refusal('flow', flow)).toBeUndefined()
  })

  test.each<[string, object]>([
    ['another version', { resourceType: 'ExperienceUser', resources: [], version: 2 }],
    ['a user without an address', { resourceType: 'ExperienceUser', resources: [{ firstName: 'A' }], version: 1 }],
    [
      'an endpoint with a method that is none',
      { resourceType: 'ExperienceEndpoint', resources: [{ method: 'fetch', route: '/' }], version: 1 },
    ],
    [
      'a child that is wrong',
      { resourceType: 'ExperienceGroupTree', resources: [{ name: 'A', children: [{ name: 5 }] }], version: 1 },
    ],
    ['a test that is wrong', { tests: [{ nam: 'a' }] }],
    ['a flow in it that is wrong', { resourceType: 'Flow', resources: [{ name: 'F', nodes: [{}] }], version: 1 }],
  ])('resources: %s is refused', (_, file) => {
    expect(refusal('bundle', file)).toEqual(expect.any(String))
  })
})

// What is said in a document that compiles without a word must pass, whatever it is.
describe('the schema of a flow takes all that is read without a word', () => {
  const raws: unknown[] = [
    ...[
      undefined,
      null,
      '',
      '  ',
      'word',
      '{{data.x}}',
      'data.x',
      '5',
      ' 5 ',
      '-1e3',
      '0x10',
      'Infinity',
      'true',
      'false',
      '{"a":1}',
      '[1]',
    ],
    ...[
      0,
      5,
      -1.5,
      true,
      false,
      [],
      [''],
      ['{{a}}', 5, null, true],
      {},
      { a: 1 },
      [{}],
      [null],
      '{{#if a}}b{{/if}}',
      'a\nb',
      '\n7',
    ],
  ]
  const classes = (one: { classes?: readonly string[] }): FlowClass =>
    flowClasses.find((name) => !one.classes || one.classes.includes(name))!
  let quiet = 0
  let refused = 0

  function look(flow: unknown, flowClass: FlowClass): void {
    const isRefused = refusal('flow', flow) !== undefined
    if (problemsOf(flow, flowClass).length > 0) {
      if (isRefused) refused += 1
      return
    }
    quiet += 1
    expect({ flow, refusal: refusal('flow', flow) }).toEqual({ flow, refusal: undefined })
  }

  function flowOf(one: { type: string; aliases: readonly string[] }, config: object, alias = false): object {
    const type = (alias ? one.aliases[0] : undefined) ?? one.type
    return { nodes: [{ id: 'a', type, config, outputIds: [] }] }
  }

  test.each((nodes as readonly AnyNode[]).map((one) => [one.type, one] as const))('%s', (_, one) => {
    const bases: Record<string, unknown>[] = [{}, ...one.examples.map(({ config }) => config)]
    for (const base of bases) {
      look(flowOf(one, base, true), 'cloud')
      for (const { key, typeKey, kinds, of } of Object.values(one.config as Fields)) {
        const own = Array.isArray(of) ? of : []
        for (const raw of [...raws, ...own]) look(flowOf(one, { ...base, [key]: raw }), 'cloud')
        for (const kind of typeKey === undefined ? [] : [...Object.keys(kinds as object), '', null]) {
          for (const raw of raws) look(flowOf(one, { ...base, [typeKey!]: kind, [key]: raw }), 'cloud')
        }
      }
    }
    const keys = Object.values(one.config as Fields).map(({ key }) => key)
    const config = fc.dictionary(fc.constantFrom(...(keys.length > 0 ? keys : ['none'])), fc.constantFrom(...raws))
    fc.assert(
      fc.property(config, fc.constantFrom(...bases), (changes, base) =>
        look(flowOf(one, { ...base, ...changes }), 'cloud'),
      ),
      { numRuns: 50 },
    )
  })

  test.each(triggers.map((one) => [one.type, one] as const))('%s', (_, one) => {
    const fields = Object.values(one.config as Fields)
    for (const { key, from = 'config' } of fields) {
      for (const raw of raws) look({ triggers: [{ type: one.type, key: 'k', [from]: { [key]: raw } }] }, classes(one))
    }
    for (const config of [undefined, null, {}]) look({ triggers: [{ type: one.type, config }] }, classes(one))
  })

  test('of both kinds there were many', () => {
    expect(quiet).toBeGreaterThan(5_000)
    expect(refused).toBeGreaterThan(2_000)
  })
})
