import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { logsOf, pack, unpack } from '../../../engine/sandbox/wire.ts'

const limit = 1_000
const trip = (value: unknown) => {
  const { json, dates } = pack(value, 1e6)
  return unpack({
    value: json === undefined ? undefined : JSON.parse(json),
    dates: dates === undefined ? undefined : JSON.parse(dates),
  })
}

test('any JSON with Dates in it comes back as it went', () => {
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.date({ noInvalidDate: true }))
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tree')), fc.dictionary(fc.string(), tie('tree'))),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      expect(trip(value)).toEqual(value)
    }),
  )
})

describe('pack', () => {
  test('drops what JSON drops', () => {
    expect(pack(undefined, limit)).toEqual({})
    expect(pack(() => 1, limit)).toEqual({})
    expect(pack({ a: () => 1, b: new Date(Number.NaN) }, limit)).toEqual({ json: '{"b":null}' })
  })

  test('leaves alone the Dates inside of what writes its own JSON', () => {
    expect(pack({ a: { at: new Date(0), toJSON: () => 'own' } }, limit)).toEqual({ json: '{"a":"own"}' })
  })

  test('counts bytes, not characters', () => {
    expect(pack('x'.repeat(998), limit).json).toHaveLength(1_000)
    expect(() => pack('€'.repeat(400), limit)).toThrow(expect.objectContaining({ code: 'function.input' }))
  })
})

describe('unpack', () => {
  test.each<[what: string, dates: unknown]>([
    ['paths that lead nowhere', [['b'], ['a', 'b', 'c'], ['__proto__', 'toString'], ['constructor', 'prototype', 'x']]],
    ['places that hold no date', [['a']]],
    ['what is no list of paths', { length: 3 }],
    ['items that are no paths', [1, null, 'a']],
  ])('passes over %s', (_what, dates) => {
    expect(unpack({ value: { a: 'text' }, dates })).toEqual({ a: 'text' })
    expect(Object.prototype.toString).toBeInstanceOf(Function)
  })
})

test('logsOf takes well-formed lines only', () => {
  expect(logsOf({ logs: [null, 1, { level: 'log', text: 'a' }] })).toEqual([{ level: 'log', text: 'a' }])
  expect(logsOf({ logs: 'no' })).toEqual([])
})
