import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { realmBytes } from '../../../engine/sandbox/realm-bytes.ts'
import { realmText } from '../../../engine/sandbox/realm-text.ts'

type Globals = typeof globalThis
const made = realmBytes(realmText()) as Pick<Globals, 'Buffer' | 'TextEncoder' | 'TextDecoder' | 'atob' | 'btoa'>
const { Buffer: Ours } = made
const plain = (bytes: Uint8Array) => Array.from(bytes)
const encodings = ['utf8', 'hex', 'base64', 'base64url', 'ascii', 'latin1', 'utf16le'] as const

describe('Buffer gives what the Buffer of Node gives', () => {
  test.each(encodings)('for any bytes as %s', (encoding) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(Ours.from(bytes).toString(encoding)).toBe(Buffer.from(bytes).toString(encoding))
      }),
    )
  })

  test.each(encodings)('for any text from %s', (encoding) => {
    // Node reads letters beyond ASCII as base64 and hex by their low byte; here they are passed over as other noise is.
    const text = /^(base64|hex)/.test(encoding) ? fc.string({ unit: 'grapheme-ascii' }) : fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(fc.oneof(text, fc.base64String()), (given) => {
        expect(plain(Ours.from(given, encoding))).toEqual(plain(Buffer.from(given, encoding)))
        expect(Ours.byteLength(given)).toBe(Buffer.byteLength(given))
      }),
    )
  })

  test('for malformed UTF-8 and lone surrogates', () => {
    for (const hex of ['c0af', 'e28261', 'f0908d', 'eda080', 'f4908080', 'ff', '61e2', 'f09f9880']) {
      expect(Ours.from(hex, 'hex').toString()).toBe(Buffer.from(hex, 'hex').toString())
    }
    expect(plain(Ours.from('a\ud800b'))).toEqual(plain(Buffer.from('a\ud800b')))
  })

  const numbers = [
    ...['UInt8', 'Int8', 'Uint8'].map((name) => [name, [0, 1, 127]] as const),
    ...['UInt16', 'Int16', 'UInt32', 'Int32', 'Uint32', 'Float', 'Double'].flatMap((name) =>
      ['BE', 'LE'].map((end) => [name + end, [0, 1, 258, 32_000]] as const),
    ),
    ...['BigInt64BE', 'BigUInt64LE', 'BigUint64BE'].map((name) => [name, [0n, 258n, 2n ** 62n]] as const),
  ] satisfies (readonly [string, readonly (number | bigint)[]])[]
  test.each(numbers)('for numbers of the kind %s', (name, values) => {
    type Numbers = Record<string, (...given: unknown[]) => unknown>
    for (const value of values) {
      const ours = Ours.alloc(10)
      const theirs = Buffer.alloc(10)
      const wrote = (ours as unknown as Numbers)[`write${name}`]?.(value, 1)
      expect(wrote).toBe((theirs as unknown as Numbers)[`write${name}`]?.(value, 1))
      expect(plain(ours)).toEqual(plain(theirs))
      expect((ours as unknown as Numbers)[`read${name}`]?.(1)).toBe((theirs as unknown as Numbers)[`read${name}`]?.(1))
    }
    expect(() => (Ours.alloc(4) as unknown as Numbers)[`write${name}`]?.(values[0], 4)).toThrow(RangeError)
  })

  test('whole numbers of 1 to 6 bytes', () => {
    for (let size = 1; size <= 6; size++) {
      for (const value of [0, 1, 100, 2 ** (8 * size - 1) - 1]) {
        const ours = Ours.alloc(8)
        const theirs = Buffer.alloc(8)
        ours.writeUIntBE(value, 1, size)
        theirs.writeUIntBE(value, 1, size)
        expect(plain(ours)).toEqual(plain(theirs))
        ours.writeIntLE(-value, 1, size)
        theirs.writeIntLE(-value, 1, size)
        expect(plain(ours)).toEqual(plain(theirs))
        expect([ours.readUIntLE(1, size), ours.readIntLE(1, size)]).toEqual([
          theirs.readUIntLE(1, size),
          theirs.readIntLE(1, size),
        ])
      }
    }
  })

  test('refuses numbers that do not fit', () => {
    expect(() => Ours.alloc(1).writeUInt8(256)).toThrow(RangeError)
    expect(() => Ours.alloc(2).writeInt16BE(-40_000)).toThrow(RangeError)
  })

  test.each<[what: string, of: (B: typeof Buffer) => unknown]>([
    ['concat', (B) => plain(B.concat([B.from('ab'), B.from('c')]))],
    ['concat to a length', (B) => plain(B.concat([B.from('ab'), B.from('cd')], 3))],
    ['alloc with text', (B) => plain(B.alloc(5, 'ab'))],
    ['alloc with a number', (B) => plain(B.alloc(3, 7))],
    ['from a list', (B) => plain(B.from([1, 256, -1]))],
    ['from an ArrayBuffer part', (B) => plain(B.from(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2))],
    ['from its JSON', (B) => plain(B.from(JSON.parse(JSON.stringify(B.from('ab')))))],
    ['JSON', (B) => JSON.stringify(B.from('ab'))],
    [
      'slices are views',
      (B) => {
        const whole = B.from('abc')
        whole.slice(1)[0] = 122
        return whole.toString()
      },
    ],
    ['negative slices', (B) => B.from('abcd').subarray(-2).toString()],
    ['a part as text', (B) => B.from('abcd').toString('utf8', 1, 3)],
    [
      'write',
      (B) => {
        const buffer = B.alloc(4)
        return [buffer.write('ab', 1), buffer.write('cafe', 3, 'hex'), plain(buffer)]
      },
    ],
    [
      'copy',
      (B) => {
        const buffer = B.alloc(3)
        return [B.from('abcd').copy(buffer, 1, 1), plain(buffer)]
      },
    ],
    [
      'indexOf and includes',
      (B) => [B.from('abcabc').indexOf('ca'), B.from('ab').includes('x'), B.from('ab').indexOf(98)],
    ],
    ['equals and compare', (B) => [B.from('a').equals(B.from('a')), B.compare(B.from('a'), B.from('b'))]],
    ['isBuffer', (B) => [B.isBuffer(B.from('')), B.isBuffer(new Uint8Array())]],
    ['isEncoding', (B) => [B.isEncoding('HEX'), B.isEncoding('x')]],
    ['iteration', (B) => [...B.from('ab')]],
  ])('%s', (_what, of) => {
    expect(of(Ours)).toEqual(of(Buffer))
  })
})

test('text and base64 as in browsers', () => {
  expect(made.atob(made.btoa('h\xe9llo'))).toBe('h\xe9llo')
  expect(() => made.btoa('\u20ac')).toThrow(TypeError)
  expect(() => made.atob('a')).toThrow(TypeError)
  expect(new made.TextDecoder().decode(new made.TextEncoder().encode('\u20ac\ud83d\ude00'))).toBe('\u20ac\ud83d\ude00')
  expect(() => new made.TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff]))).toThrow(TypeError)
})
