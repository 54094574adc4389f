import { afterAll, expect, test } from 'vitest'
import { openFunctionPool } from '../../../engine/sandbox/pool.ts'
import { functionNode } from '../../../nodes/logic/function.ts'
import { runNode } from '../../helpers/run-node.ts'

const pool = openFunctionPool({ children: 1 })
afterAll(() => pool.close())

const functions = {
  run: async ({ script, value }: { script: string; value: unknown }) =>
    (await pool.run({ script, value, application: 'test' })).value,
}

const ran = (script: string, payload: Record<string, unknown>, scopePath = '') =>
  runNode(functionNode, { config: { script, scopePath }, payload, use: { functions } })

test.each<[string, string, string, object]>([
  ['changes in place', 'payload.a += 1', '', { a: 2, list: [3] }],
  ['returns another payload', 'return { b: payload.a }', '', { b: 1 }],
  ['changes a part in place', 'payload.push(4)', 'list', { a: 1, list: [3, 4] }],
  ['returns another part', 'return payload.length', 'list', { a: 1, list: 1 }],
  ['makes a part', 'return [payload === undefined]', 'none.yet', { a: 1, list: [3], none: { yet: [true] } }],
  ['sees all of it at "."', 'payload.a = 5', '.', { a: 5, list: [3] }],
])('%s', async (_, script, scopePath, expected) => {
  const run = await ran(script, { a: 1, list: [3] }, scopePath)
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload).toEqual(expected)
})

test.each<[string, unknown]>([
  ["return Buffer.from('68657978', 'hex').toString()", 'heyx'],
  ["return Buffer.from('aGV5', 'base64').toString('utf8')", 'hey'],
  ["const b = Buffer.alloc(2); b.writeUInt16BE(258); return b.toString('base64')", 'AQI='],
  ['return JSON.stringify(Object.entries({ a: 1 }))', '[["a",1]]'],
  ["return parseInt('12px', 10) + parseFloat('0.5') + Number('1')", 13.5],
  ["return ['b', 'ä', 'a'].sort(new Intl.Collator('de').compare)", ['a', 'ä', 'b']],
  ['return Math.max(...[1, 5, 3])', 5],
  ["return encodeURIComponent('a b&') + decodeURIComponent('%20') + encodeURI('a b')", 'a%20b%26 a%20b'],
  ["return btoa('hey') + atob('aGV5')", 'aGV5hey'],
  ["return new TextDecoder().decode(new TextEncoder().encode('é'))", 'é'],
  ["return new URL('https://a.example/b?c=1').searchParams.get('c')", '1'],
  ["return [...new Map([['k', 1]]), ...new Set([2, 2])]", [['k', 1], 2]],
  ["return 'a-b-c'.replaceAll('-', '') + 'x'.padStart(2, '0') + /b+/.exec('abb')[0]", 'abc0xbb'],
  ['payload.a ??= 5; payload.b ||= payload.none?.deep ?? 7; return [payload.a, payload.b]', [1, 7]],
  ["const { a, ...rest } = payload; return a + ':' + Object.keys(rest)", '1:list'],
  ['let n = 0; for (const [, v] of Object.entries(payload)) n += [].concat(v).length; return n', 2],
  ['return payload.time instanceof Date', false],
  ['return [undefined, NaN, () => 1]', [null, null, null]],
  ['return { at: new Date(5), f() {}, s: Symbol() }', { at: new Date(5) }],
  ['return 0', 0],
  ["return ''", ''],
  ['return null', null],
])('a script may say %s', async (script, expected) => {
  const run = await ran(script, { all: { a: 1, list: [3] } }, 'all')
  expect(run).toMatchObject({ problems: [], error: undefined })
  expect(run.payload.all).toEqual(expected)
})

test('what returns undefined leaves what was changed in place', async () => {
  expect((await ran('payload.a = 2; return', { a: 1 })).payload).toEqual({ a: 2 })
  expect((await ran('payload.a = 2; return undefined', { a: 1 })).payload).toEqual({ a: 2 })
  // What the name stands for from then on is nobody's payload.
  expect((await ran('payload.a = 2; payload = { b: 1 }', { a: 1 })).payload).toEqual({ a: 2 })
})

test('a Date is a Date in the script and after it', async () => {
  const script = 'payload.ms = payload.time.getTime(); payload.next = new Date(payload.ms + 1)'
  const { payload } = await ran(script, { time: new Date(5) })
  expect(payload).toEqual({ time: new Date(5), ms: 5, next: new Date(6) })
})

test.each(['require', 'moment', 'lodash', '_', 'fetch', 'setTimeout', 'setInterval', 'process', 'callback', 'global'])(
  'there is no %s',
  async (name) => {
    expect((await ran(`return [typeof ${name}]`, {}, 'r')).payload.r).toEqual(['undefined'])
  },
)

test('an empty script does nothing; none at all is missed', async () => {
  expect(await ran('', { a: 1 })).toMatchObject({ problems: [], error: undefined, payload: { a: 1 } })
  const { problems } = await runNode(functionNode, { config: {}, use: { functions } })
  expect(problems).toMatchObject([{ code: 'config.missing', pointer: '/config/script' }])
})

test('takes no path that cannot be written, or is none', async () => {
  expect((await ran('return 1', {}, '__proto__.x')).error).toMatchObject({ code: 'path.forbidden' })
  expect((await ran('return 1', {}, 'a.{{b}}')).problems).toMatchObject([{ code: 'path.syntax' }])
})

test.each(['return 5', 'return "x"', 'return [1]', 'return null', 'return new Date(0)'])(
  '"%s" is no payload',
  async (script) => {
    const run = await ran(script, { a: 1 })
    expect(run.error).toMatchObject({ code: 'function.payload' })
    expect(run.payload).toEqual({ a: 1 })
  },
)

test('fails as the script does, with its name before the error', async () => {
  const run = await ran('payload.a.b.c()', {})
  expect(run.error).toMatchObject({ code: 'function.error', name: 'FunctionNodeTypeError' })
})

test('reports a script that does not compile, with its line', async () => {
  const run = await ran('let a = 1\nlet a = 2', {})
  expect(run.problems).toMatchObject([{ code: 'function.syntax', pointer: '/config/script' }])
  expect(run.error?.message).toContain('line 2')
})
