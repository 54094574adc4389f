import { expect, test } from 'vitest'
import { mutate } from '../../../nodes/logic/mutate.ts'
import { runNode } from '../../helpers/run-node.ts'
import { recordDebug } from '../../helpers/services.ts'

const set = (valueTemplate: unknown, destination = 'working.x', valueTemplateType?: string) => ({
  type: 'set',
  valueTemplate,
  destination,
  valueTemplateType,
})
const json = (valueTemplate: unknown, destination?: string) => set(valueTemplate, destination, 'json')
const copy = (source: string, destination: string) => ({ type: 'copy', source, destination })
const move = (source: string, destination: string) => ({ type: 'move', source, destination })
const remove = (source: string) => ({ type: 'remove', source })

const mutated = (payload: object, ...rules: object[]) =>
  runNode(mutate, { config: { rules }, payload: payload as Record<string, unknown>, use: { debug: recordDebug() } })

const at = new Date(5)

test.each<[string, object, object[], object]>([
  ['a literal as text', {}, [set('0')], { working: { x: '0' } }],
  ['a number given as a number', {}, [set(7)], { working: { x: 7 } }],
  ['rendered text', { a: 1 }, [set('{{a}}-{{a}}')], { a: 1, working: { x: '1-1' } }],
  ['a list from a lone mustache', { a: [1] }, [set(' {{ a }} ')], { a: [1], working: { x: [1] } }],
  ['a date from a lone mustache', { a: at }, [set('{{a}}')], { a: at, working: { x: at } }],
  ['the number of a lone helper', { a: [1, 2] }, [set('{{length a}}')], { a: [1, 2], working: { x: 2 } }],
  ['unescaped text from a lone mustache', { a: '<&>' }, [set('{{a}}')], { a: '<&>', working: { x: '<&>' } }],
  ['escaped text with more around it', { a: '<' }, [set('{{a}}!')], { a: '<', working: { x: '&lt;!' } }],
  ['undefined for a missing value', {}, [set('{{a.b}}')], { working: { x: undefined } }],
  ['the whole length of a long text', {}, [set('x'.repeat(32_768))], { working: { x: 'x'.repeat(32_768) } }],
  ['text by default', {}, [set('5', 'a', ''), { ...set('5', 'b'), valueTemplateType: null }], { a: '5', b: '5' }],
  ['a number as JSON', {}, [json('0'), json(' 5 ', 'a'), json('"x"', 'b')], { working: { x: 0 }, a: 5, b: 'x' }],
  ['a flag from a lone mustache', { a: false }, [set('{{{a}}}')], { a: false, working: { x: false } }],
  ['null from a lone mustache', { a: null }, [set('{{a}}')], { a: null, working: { x: null } }],
  ['the type of a looked up value', { a: { k: 5 } }, [set("{{lookup a 'k'}}")], { a: { k: 5 }, working: { x: 5 } }],
  ['JSON from a lone mustache as it is', { a: [1] }, [json('{{a}}')], { a: [1], working: { x: [1] } }],
  ['the JSON of a text from a lone mustache', { a: '[1]' }, [json('{{a}}')], { a: '[1]', working: { x: [1] } }],
  ['an empty text', {}, [set(''), { type: 'set', destination: 'a' }], { working: { x: '' }, a: '' }],
  ['undefined for blank JSON', {}, [json('')], { working: { x: undefined } }],
  [
    'over what is there, and over data and globals',
    { data: 1, globals: {} },
    [set('a', 'data'), set('b', 'globals.k')],
    { data: 'a', globals: { k: 'b' } },
  ],
  ['a key of an index that is none', { a: {} }, [set('v', 'a.[007]')], { a: { '007': 'v' } }],
  ['JSON values', {}, [json('null'), json('[]', 'a'), json('true', 'b')], { working: { x: null }, a: [], b: true }],
  ['JSON made of text', { a: 'q"' }, [json('{"k": {{jsonEncode a}} }')], { a: 'q"', working: { x: { k: 'q"' } } }],
  ['undefined for text that is no JSON', { a: 'x' }, [json('{{a}}')], { a: 'x', working: { x: undefined } }],
  ['undefined for nothing as JSON', {}, [json('{{jsonEncode a}}')], { working: { x: undefined } }],
  ['an object that is JSON already', {}, [json({ k: [1] })], { working: { x: { k: [1] } } }],
  ['what an earlier rule wrote', {}, [json('2', 'a'), set('{{a}}')], { a: 2, working: { x: 2 } }],
  ['a list where the path has an index', {}, [set('v', 'a.[1].b')], { a: [undefined, { b: 'v' }] }],
  ['a primitive parent anew', { a: 5 }, [set('v', 'a.b')], { a: { b: 'v' } }],
  ['nothing without a destination', { a: 1 }, [set('v', '')], { a: 1 }],
])('set stores %s', async (_, payload, rules, expected) => {
  const run = await mutated(payload, ...rules)
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload).toEqual(expected)
})

test.each<[string, object, object[], object]>([
  ['copy from a list', { a: [{ v: 1 }] }, [copy('a.[0].v', 'b')], { a: [{ v: 1 }], b: 1 }],
  [
    'copy of an element',
    { a: { items: [{ value: { v: 1 } }] } },
    [copy('a.items.[0].value', 'b')],
    { a: { items: [{ value: { v: 1 } }] }, b: { v: 1 } },
  ],
  ['copy of a character', { a: 'text' }, [copy('a.[1]', 'b')], { a: 'text', b: 'e' }],
  ['copy without a destination', { a: 1 }, [copy('a', '')], { a: 1 }],
  ['copy without a source', { b: 1 }, [copy('', 'b')], { b: undefined }],
  ['move of an element', { a: [1, 2, 3] }, [move('a.[0]', 'b')], { a: [2, 3], b: 1 }],
  ['move without a destination', { a: 1, b: 2 }, [move('a', '')], { b: 2 }],
  [
    'remove of a key with dashes and blanks',
    { a: { 'b-c': 1, 'd e': 2 } },
    [remove('a.b-c'), remove('a.[d e]')],
    { a: {} },
  ],
  ['remove below what is no object', { a: 5, b: null }, [remove('a.x'), remove('b.x')], { a: 5, b: null }],
  ['remove of an index that is not there', { a: [1] }, [remove('a.[5]'), remove('a.[-1]')], { a: [1] }],
  ['copy of a missing value', { b: 1 }, [copy('none', 'b')], { b: undefined }],
  ['copy into itself', { a: { v: 1 } }, [copy('a', 'a.inner')], { a: { v: 1, inner: { v: 1 } } }],
  ['copy of the whole payload', { a: 1 }, [copy('.', 'b.all')], { a: 1, b: { all: { a: 1 } } }],
  ['move', { a: { v: 1 } }, [move('a.v', 'b.w')], { a: {}, b: { w: 1 } }],
  ['move onto the parent', { a: { b: { c: 1 } } }, [move('a.b', 'a')], { a: { c: 1 } }],
  ['move below itself', { a: { c: 1 } }, [move('a', 'a.b')], { a: { b: { c: 1 } } }],
  ['move onto itself', { a: 1 }, [move('a', 'a')], { a: 1 }],
  ['move of a missing value', { b: 1 }, [move('a', 'b')], { b: undefined }],
  ['remove', { a: { b: 1, c: 2 } }, [remove('a.b')], { a: { c: 2 } }],
  ['remove of an index', { a: [1, 2, 3] }, [remove('a.[1]')], { a: [1, 3] }],
  ['remove of nothing', { a: 1 }, [remove('b.c'), remove('')], { a: 1 }],
  ['a path with blanks around it', { a: 1 }, [copy(' a ', 'b ')], { a: 1, b: 1 }],
  ['no rules', { a: 1 }, [], { a: 1 }],
])('%s', async (_, payload, rules, expected) => {
  const run = await mutated(payload, ...rules)
  expect(run).toMatchObject({ problems: [], error: undefined })
  expect(run.payload).toEqual(expected)
})

test('what was copied or set shares nothing with where it came from', async () => {
  const rules = [copy('a', 'b'), set('{{a}}', 'c'), set('changed', 'a.v')]
  const { payload } = await mutated({ a: { v: 1 } }, ...rules)
  expect(payload).toEqual({ a: { v: 'changed' }, b: { v: 1 }, c: { v: 1 } })
})

test('a JSON setting is not changed by what a flow does with its value', async () => {
  const constant = { list: [1] }
  await mutated({}, json(constant, 'a'), set('x', 'a.list.[0]'))
  expect(constant).toEqual({ list: [1] })
})

test('warns about text that is no JSON', async () => {
  const debug = recordDebug()
  await runNode(mutate, { config: { rules: [json('{{a}}')] }, payload: { a: '{' }, use: { debug } })
  expect(debug.entries).toMatchObject([{ level: 'warn' }])
})

test.each([
  ['__proto__.polluted'],
  ['a.__proto__.polluted'],
  ['constructor.prototype.polluted'],
  ['a.[__proto__].polluted'],
  ['.'],
])('refuses to write to %s', async (destination) => {
  const run = await mutated({ a: {} }, set('yes', destination))
  expect(run.problems).toMatchObject([{ code: 'path.forbidden', pointer: '/config/rules/0/destination' }])
  expect(run.error).toMatchObject({ code: 'path.forbidden' })
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test.each([
  [{ type: 'grow' }, 'config.choice'],
  [{ type: 'set', valueTemplate: '{{#if a}}', destination: 'x' }, 'template.syntax'],
  [{ type: 'copy', source: 'a.{{b}}', destination: 'x' }, 'path.syntax'],
])('reports %j as %s', async (rule, code) => {
  const run = await mutated({}, rule)
  expect(run.problems).toMatchObject([{ code }])
  expect(run.error).toMatchObject({ code })
})

test('takes at most 100 rules', async () => {
  expect((await mutated({}, ...Array(101).fill(remove('a')))).problems).toMatchObject([{ code: 'config.type' }])
})

test('stops before a payload that doubles fills the memory', async () => {
  const rules = Array.from({ length: 100 }, (_, index) => copy('.', `a${index}`))
  const run = await mutated({ text: 'x'.repeat(1000) }, ...rules)
  expect(run.error).toMatchObject({ code: 'limit.payload', name: 'PayloadTooLarge' })
})
