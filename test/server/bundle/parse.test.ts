import { describe, expect, test } from 'vitest'
import { linesOf, parseJson, parseYaml } from '../../../server/bundle/parse.ts'

describe('parseYaml', () => {
  test('keeps keys as they are written', () => {
    const value = { y: 1, no: 2, '22e52418': 3, '0012': 4, true: 5, null: 6 }
    expect(parseYaml('y: 1\nno: 2\n22e52418: 3\n0012: 4\ntrue: 5\nnull: 6\n')).toEqual({ value })
  })

  test.each([
    ['22e52418', '22e52418'],
    ['0012', '0012'],
    ['123456789012345678901234', '123456789012345678901234'],
    ['9007199254740993', '9007199254740993'],
    ['22e52', '22e52'],
    ['-9007199254740992', -9007199254740992],
    ['1.5e+300', 1.5e300],
    ['yes', 'yes'],
    ['y', 'y'],
    ['2024-01-01', '2024-01-01'],
    ['.inf', '.inf'],
    ["'1'", '1'],
    ['12', 12],
    ['-1.5', -1.5],
    ['1e3', 1000],
    ['true', true],
    ['~', null],
  ])('reads %s as a value', (text, expected) => {
    expect(parseYaml(`a: ${text}`)).toEqual({ value: { a: expected } })
  })

  test.each([
    ['an open bracket', 'a: 1\nb: [1, 2', 2],
    ['a key twice', 'a: 1\na: 2', 2],
    ['a tag of a language', 'a: !!js/function "() => 1"', 1],
    ['a tag of its own', 'a: !secret b', 1],
    ['two documents', 'a: 1\n---\nb: 1', 2],
    ['an alias without an anchor', 'a: *b', 1],
    ['a list as a key', '[a]: 1', 1],
    ['__proto__ as a key', 'a: 1\n"__proto__": {x: 1}', 1],
  ])('refuses %s and says where', (_what, text, line) => {
    expect(parseYaml(text)).toEqual({ message: expect.any(String), line })
  })

  test('refuses aliases that grow without bound, at once', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`)
    const started = performance.now()
    const parsed = parseYaml(`l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n${levels.join('\n')}`)
    expect(parsed).toMatchObject({ message: expect.stringContaining('aliases') })
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  test('refuses an alias to what holds it', () => {
    expect(parseYaml('a: &a [*a]')).toMatchObject({ message: expect.any(String) })
  })

  test.each([300, 30_000])('refuses %d levels', (depth) => {
    expect(parseYaml('['.repeat(depth) + ']'.repeat(depth))).toMatchObject({ message: expect.any(String) })
  })
})

describe('parseJson', () => {
  test('says in which line a mistake is', () => {
    expect(parseJson('{\n "a": 1,\n}')).toEqual({ message: expect.any(String), line: 3 })
  })

  test.each([
    ['__proto__ as a key', '{"a": [{"__proto__": {"x": 1}}]}'],
    ['300 levels', '['.repeat(300) + ']'.repeat(300)],
  ])('refuses %s', (_what, text) => {
    expect(parseJson(text)).toMatchObject({ message: expect.any(String) })
  })
})

test.each([
  ['/a/1/c', 3],
  ['/a/1/c/d', 4],
  ['/a/1/x', 3],
  ['/b~1c', 5],
  ['', undefined],
])('finds the line of %s', (pointer, line) => {
  expect(linesOf('a:\n  - b: 1\n  - c:\n      d: 2\nb/c: 1\n')(pointer)).toBe(line)
})
