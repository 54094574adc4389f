import { expect, test } from 'vitest'
import { copyValue, type Payload, parsePath, readPath, removePath, sizeOf, writePath } from '../../engine/payload.ts'

test.each([
  ['data.items.[2]', ['data', 'items', 2]],
  ['data.items.2', ['data', 'items', 2]],
  ['data.[a key with spaces].x', ['data', 'a key with spaces', 'x']],
  ["data.['quoted']", ['data', 'quoted']],
  ['globals.tl-jwt-secret', ['globals', 'tl-jwt-secret']],
  ['working.24hours ', ['working', '24hours']],
  ['data.["quoted"]', ['data', 'quoted']],
  ["data.['open]", ['data', "'open"]],
  ['data.select-0', ['data', 'select-0']],
  ['data.headers.x-forwarded-proto', ['data', 'headers', 'x-forwarded-proto']],
  ['data.body.[Anomaly Score]', ['data', 'body', 'Anomaly Score']],
  ['[a.b].c', ['a.b', 'c']],
  ['data.[]', ['data', '']],
  // An id of digits is a key, unless a list counts with it.
  ['data.[007]', ['data', '007']],
  ['data.007', ['data', '007']],
  ['data.[0]', ['data', 0]],
  ['data.[-1]', ['data', '-1']],
  ['data.[1.5]', ['data', '1.5']],
  ['data.12345678901234567890', ['data', '12345678901234567890']],
  [' . ', []],
  ['.', []],
  ['', undefined],
  ['  ', undefined],
])('parses %j', (text, path) => {
  expect(parsePath(text)).toEqual(path)
})

test.each(['a..b', '.a', 'a.', 'a b', '{{x}}', 'working.{{x}}', 'a[', 'a.[b', 'a[0]', 'a.[b]c', 'a.b]', '..'])(
  'refuses %j',
  (text) => {
    expect(() => parsePath(text)).toThrow(expect.objectContaining({ code: 'path.syntax' }))
  },
)

const payload = {
  data: { list: ['a', 'b'], text: 'hey', nothing: null, byId: { '007': 'Bond', '-1': 'last', '': 'blank' } },
  time: new Date(0),
}

test.each([
  ['data.list.[1]', 'b'],
  ['data.list.length', 2],
  ['data.text.length', 3],
  ['data.text.[0]', 'h'],
  ['data.text.0', 'h'],
  ['data.text.[9]', undefined],
  ['data.text.[-1]', undefined],
  ['data.text.word', undefined],
  ['data.list.1', 'b'],
  ['data.list.[2]', undefined],
  ['data.list.[-1]', undefined],
  ['data.byId.[007]', 'Bond'],
  ['data.byId.[-1]', 'last'],
  ['data.byId.[]', 'blank'],
  ['.', payload],
  ['time', new Date(0)],
  ['time.getTime', undefined],
  ['data.nothing.deeper', undefined],
  ['data.missing.deeper', undefined],
  ['data.constructor', undefined],
  ['data.__proto__', undefined],
  ['data.list.constructor', undefined],
])('reads %s', (text, value) => {
  expect(readPath(payload, parsePath(text)!)).toEqual(value)
})

test('makes missing parents as objects, as arrays before an index, and replaces primitive parents', () => {
  const root: Payload = { working: 5 }
  writePath(root, parsePath('working.list.[1].name')!, 'x')
  expect(root).toEqual({ working: { list: [undefined, { name: 'x' }] } })
})

test.each(['__proto__.polluted', 'a.constructor', 'a.prototype.b', '.', 'a.[__proto__].polluted'])(
  'refuses to write to %s, and pollutes nothing',
  (text) => {
    const path = parsePath(text)!
    expect(() => writePath({}, path, 'x')).toThrow(expect.objectContaining({ code: 'path.forbidden' }))
    expect(() => removePath({}, path)).toThrow(expect.objectContaining({ code: 'path.forbidden' }))
    expect(({} as Payload).polluted).toBeUndefined()
  },
)

test('splices an element out of an array and leaves a missing place alone', () => {
  const root = { list: [1, 2, 3], other: {} }
  removePath(root, ['list', 1])
  removePath(root, ['other', 'missing', 'deeper'])
  expect(root).toEqual({ list: [1, 3], other: {} })
})

test('copies deeply, keeps Dates, drops functions, and carries an own "__proto__" as data', () => {
  const source = {
    when: new Date(5),
    list: [{ a: 1 }],
    call: () => 1,
    ...JSON.parse('{"__proto__": {"polluted": true}}'),
  }
  const copy = copyValue(source)
  expect(copy.when).toEqual(new Date(5))
  expect(copy.when).not.toBe(source.when)
  expect(copy.list[0]).not.toBe(source.list[0])
  expect(copy.call).toBeUndefined()
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
  expect((copy as Payload).polluted).toBeUndefined()
})

test('refuses a value that holds itself instead of copying for ever', () => {
  const circle: Payload = {}
  circle.self = circle
  expect(() => copyValue(circle)).toThrow(expect.objectContaining({ name: 'FlowError' }))
})

test('stops counting the size of a payload once it is over the limit', () => {
  const circle: Payload = { text: 'x'.repeat(100) }
  circle.self = circle
  expect(sizeOf(circle, 10_000)).toBeGreaterThan(10_000)
  expect(sizeOf({ a: 'bc', d: [1, null] })).toBeLessThan(60)
})

test.each([
  ['list.[4000000000]', [1]],
  ['list.[262144]', [1]],
  ['list.length', [1]],
])('refuses to make a list of holes by writing to %s', (text, list) => {
  const root: Payload = { list: [1] }
  expect(() => writePath(root, parsePath(text)!, 1)).toThrow(expect.objectContaining({ code: 'path.forbidden' }))
  expect(root).toEqual({ list })
})

test.each<[string, Payload, Payload]>([
  ['a.[007].b', {}, { a: { '007': { b: 1 } } }],
  ['a.[-1]', {}, { a: { '-1': 1 } }],
  ['a.2', {}, { a: [undefined, undefined, 1] }],
  ['a.[0]', { a: { k: 0 } }, { a: { k: 0, 0: 1 } }],
  ['a.b.c', { a: null }, { a: { b: { c: 1 } } }],
  ['a.b', { a: 'text' }, { a: { b: 1 } }],
  ['a.b', { a: true }, { a: { b: 1 } }],
  // A Date is one value: what is put below it takes its place, where it would not be lost with the next copy.
  ['a.b', { a: new Date(0) }, { a: { b: 1 } }],
])('writes %s into %j', (text, root, after) => {
  writePath(root, parsePath(text)!, 1)
  expect(copyValue(root)).toEqual(after)
})

test('writes undefined as a key that is not there in JSON', () => {
  const root: Payload = { a: 1 }
  writePath(root, ['a'], undefined)
  expect(Object.keys(root)).toEqual(['a'])
  expect(JSON.stringify(root)).toBe('{}')
})

test('a large number is the key of an object', () => {
  const root: Payload = {}
  writePath(root, parsePath('byTime.1715163630400')!, 1)
  expect(root).toEqual({ byTime: { '1715163630400': 1 } })
})

test('the length of a list cannot be removed', () => {
  const root: Payload = { list: [1] }
  removePath(root, ['list', 'length'])
  expect(root).toEqual({ list: [1] })
})
