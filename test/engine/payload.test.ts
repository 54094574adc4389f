import { expect, test } from 'vitest'
import { copyValue, type Payload, parsePath, readPath, removePath, sizeOf, writePath } from '../../engine/payload.ts'

test.each([
  ['data.items.[2]', ['data', 'items', 2]],
  ['data.items.2', ['data', 'items', 2]],
  ['data.[a key with spaces].x', ['data', 'a key with spaces', 'x']],
  ["data.['quoted']", ['data', 'quoted']],
  ['globals.tl-jwt-secret', ['globals', 'tl-jwt-secret']],
  ['working.24hours ', ['working', '24hours']],
  ['.', []],
  ['', undefined],
])('parses %j', (text, path) => {
  expect(parsePath(text)).toEqual(path)
})

test.each(['a..b', '.a', 'a.', 'a b', '{{x}}', 'working.{{x}}', 'a[', 'a.[b'])('refuses %j', (text) => {
  expect(() => parsePath(text)).toThrow(expect.objectContaining({ code: 'path.syntax' }))
})

const payload = { data: { list: ['a', 'b'], text: 'hey', nothing: null }, time: new Date(0) }

test.each([
  ['data.list.[1]', 'b'],
  ['data.list.length', 2],
  ['data.text.length', 3],
  ['data.text.[0]', 'h'],
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
