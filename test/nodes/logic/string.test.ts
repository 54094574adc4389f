import { expect, test } from 'vitest'
import { string } from '../../../nodes/logic/string.ts'
import { runNode } from '../../helpers/run-node.ts'

const made = (sourceData: unknown, method: string, methodArgs: unknown = []) =>
  runNode(string, { config: { sourceData, method, methodArgs, resultPath: 'r' }, payload: { five: 5, text: 'a<b' } })

test.each<[string, unknown, unknown[], unknown]>([
  ['replaceAll', 'a.b.c', ['.', '-'], 'a-b-c'],
  ['replaceAll', 'aaa', ['a', '$&$1'], '$&$1$&$1$&$1'],
  ['replaceAll', 'a b', [' ', '{{none}}'], 'ab'],
  ['replaceAll', 'ab', ['', 'x'], 'ab'],
  ['replaceAll', 'ab', ['{{none}}', 'x'], 'ab'],
  ['replaceFirst', 'a.b.c', ['.', '$&'], 'a$&b.c'],
  ['replaceFirst', 'ab', ['', 'x'], 'ab'],
  ['replaceFirst', 'ab', ['z', 'x'], 'ab'],
  ['split', 'a,b,,c', [','], ['a', 'b', '', 'c']],
  ['split', 'ab', [''], ['a', 'b']],
  ['split', '{{none}}', [','], ['']],
  ['concat', 'a', ['b', '{{five}}'], 'ab5'],
  ['indexOf', 'abcabc', ['c'], 2],
  ['indexOf', 'abcabc', ['c', '{{five}}'], 5],
  ['indexOf', 'abc', ['z'], -1],
  ['toUpper', '{{text}}', [], 'A<B'],
  ['toLower', 'ABC', [], 'abc'],
  ['trim', '  a ', [], 'a'],
  ['trimStart', ' a ', [], 'a '],
  ['trimEnd', ' a ', [], ' a'],
  ['toNumber', ' 4.5 ', [], 4.5],
  ['toNumber', 'x', [], null],
  ['toNumber', '{{none}}', [], null],
  ['toNumber', 'Infinity', [], null],
  ['pad', 'ab', ['5', '-'], '-ab--'],
  ['padStart', '7', ['3', '0'], '007'],
  ['padStart', '7', ['{{five}}'], '    7'],
  ['padEnd', 'ab', ['5', 'xy'], 'abxyx'],
  ['padEnd', 'abc', ['2'], 'abc'],
  ['replaceAll', 'a.b', ['.'], 'ab'],
  ['replaceAll', 'a(b', ['(', '['], 'a[b'],
  ['replaceFirst', 'aXbX', ['X', '{{none}}'], 'abX'],
  ['split', 'a b', [' '], ['a', 'b']],
  ['split', 'ab', [], ['a', 'b']],
  ['split', 'a1b', ['[0-9]'], ['a1b']],
  ['concat', 'a', [], 'a'],
  ['concat', '{{none}}', ['{{none}}', 'x', 5], 'x5'],
  ['indexOf', 'abc', [], 0],
  ['indexOf', 'abcabc', ['c', '-2'], 2],
  ['indexOf', 'abc', ['c', '{{none}}'], 2],
  ['toUpper', '{{five}}', [], '5'],
  ['toNumber', '-1e3', [], -1000],
  ['toNumber', '{{five}}', [], 5],
  ['toNumber', '5 kg', [], null],
  ['pad', 'ab', ['0'], 'ab'],
  ['padStart', 'a', ['1000', 'x'], `${'x'.repeat(999)}a`],
  ['padStart', '7', [' 3 ', '{{none}}'], '  7'],
  ['padEnd', 'a', ['2.9', '-'], 'a-'],
  ['truncate', 'abcdef', ['0'], ''],
  ['truncate', 'abcdef', ['3'], '...'],
  ['pad', '{{none}}', ['3', '-'], '---'],
  ['truncate', '{{none}}', ['5'], ''],
  ['truncate', 'abcdefgh', ['5', '..'], 'abc..'],
  ['truncate', 'abcdefgh', ['5'], 'ab...'],
  ['truncate', 'abcdefgh', ['5', ''], 'abcde'],
  ['truncate', 'abc', ['3', '...'], 'abc'],
  ['truncate', 'abcdef', ['2', '...'], '..'],
])('%s of "%s" with %j gives %j', async (method, source, args, expected) => {
  const run = await made(source, method, args)
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload.r).toEqual(expected)
})

test.each<[string, string, unknown, string]>([
  ['padStart', 'a', ['1001'], 'string.argument'],
  ['padStart', 'a', ['-1'], 'string.argument'],
  ['padStart', 'a', ['x'], 'string.argument'],
  ['padStart', 'a', [], 'string.argument'],
  ['truncate', 'a', ['{{none}}'], 'string.argument'],
  ['truncate', 'a', ['-1'], 'string.argument'],
  ['indexOf', 'a', ['a', 'x'], 'string.argument'],
  ['pad', 'a', ['1001'], 'string.argument'],
  ['padEnd', 'a', ['Infinity'], 'string.argument'],
  ['pad', 'a', [], 'string.argument'],
  ['truncate', 'a', [], 'string.argument'],
  ['trim', 'a', 'none', 'config.type'],
  ['trim', 'a', Array(101).fill(''), 'config.type'],
  ['reverse', 'a', [], 'config.choice'],
  ['constructor', 'a', [], 'config.choice'],
  ['replaceAll', 'x'.repeat(30_000), ['x', 'y'.repeat(1_000)], 'text.too-long'],
  ['concat', 'x'.repeat(3_000_000), Array(100).fill('x'.repeat(3_000_000)), 'text.too-long'],
  ['split', 'x'.repeat(300_000), [''], 'array.too-long'],
])('%s of "%.20s" with %.20j fails: %s', async (method, source, args, code) => {
  expect((await made(source, method, args)).error).toMatchObject({ code })
})

test('asks for a source', async () => {
  expect((await made('', 'trim')).problems).toMatchObject([{ code: 'config.missing', pointer: '/config/sourceData' }])
})
