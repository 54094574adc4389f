import { describe, expect, test } from 'vitest'
import { csvDecode } from '../../../nodes/logic/csv-decode.ts'
import { csvEncode } from '../../../nodes/logic/csv-encode.ts'
import { runNode } from '../../helpers/run-node.ts'

async function decoded(text: unknown, more: object = {}) {
  const config = { source: 'a.text', destination: 'r', ...more }
  const run = await runNode(csvDecode, { config, payload: { a: { text }, tab: '\t' } })
  expect(run).toMatchObject({ output: 'next', error: undefined, problems: [] })
  return run.payload
}

describe('decode', () => {
  test.each<[string, object, unknown]>([
    ['a,b\n1,2', {}, [{ a: '1', b: '2' }]],
    [
      'a,b\r\n1,\r\n\r\n,true\r\n',
      {},
      [
        { a: '1', b: '' },
        { a: '', b: 'true' },
      ],
    ],
    ['a,b\n"x, ""y""\nz",2\n', {}, [{ a: 'x, "y"\nz', b: '2' }]],
    ['a;b|1;2|', { delimiterTemplate: ';', recordDelimiterTemplate: '|' }, [{ a: '1', b: '2' }]],
    ['a\tb\n1\t2', { delimiterTemplate: '\t' }, [{ a: '1', b: '2' }]],
    ['a\tb\n1\t2', { delimiterTemplate: '\\t', recordDelimiterTemplate: '\\n' }, [{ a: '1', b: '2' }]],
    ['a\tb\n1\t2', { delimiterTemplate: '{{tab}}' }, [{ a: '1', b: '2' }]],
    ["a,b\n'x\\'y',2", { quoteCharTemplate: "'", escapeCharTemplate: '\\' }, [{ a: "x'y", b: '2' }]],
    ['a,b\n1,2', { delimiterTemplate: '{{none}}', quoteCharTemplate: '' }, [{ a: '1', b: '2' }]],
    ['\ufeffa\n1', {}, [{ '\ufeffa': '1' }]],
    ['\ufeffa\n1', { stripBom: true }, [{ a: '1' }]],
    ['a,a\n1,2', {}, [{ a: '2' }]],
    ['a,b', {}, []],
    ['', {}, []],
    [`a\n${'é😀'.repeat(30_000)}`, {}, [{ a: 'é😀'.repeat(30_000) }]],
  ])('%.40j with %j gives %.60j', async (text, config, rows) => {
    expect((await decoded(text, config)).r).toEqual(rows)
  })

  test('may put the rows above the text', async () => {
    expect(await decoded('x\n1', { destination: 'a' })).toMatchObject({ a: [{ x: '1' }] })
  })

  test('a column named __proto__ is a column like any other', async () => {
    const { r } = await decoded('__proto__,b\n1,2')
    expect(Object.keys((r as object[])[0]!)).toEqual(['__proto__', 'b'])
    expect(({} as { b?: unknown }).b).toBeUndefined()
  })

  test.each<[unknown, object, string]>([
    ['a,b\n1', {}, 'Invalid Record Length'],
    ['a\n"1', {}, 'Quote Not Closed'],
    ['a\nx"1"', {}, 'Invalid Opening Quote'],
    [undefined, {}, 'Expected CSV text, got nothing'],
    [{ a: 1 }, {}, 'Expected CSV text, got object'],
    ['a', { quoteCharTemplate: 'x'.repeat(17) }, 'at most 16 characters'],
    [`a\n${'x\n'.repeat(300_000)}`, {}, 'at most 262144 rows'],
    [`${'k'.repeat(100_000)}\n${'x\n'.repeat(100)}`, {}, 'bytes of values'],
    [','.repeat((5 << 20) + 1), {}, 'at most 5242880 characters'],
    [Array.from({ length: 10_001 }, (_, n) => n).join(), {}, 'at most 10000 columns'],
  ])('%.20j with %j is a failure at the destination: %s', async (text, config, message) => {
    expect((await decoded(text, config)).r).toEqual({ error: { message: expect.stringContaining(message) } })
  })

  test.each([
    ['in many rows', 'a,b\n1,2\n'.repeat(400_000)],
    ['in one row', ','.repeat(4 << 20)],
  ])('stops when the run is over, %s', async (_, text) => {
    const stopped = new AbortController()
    const run = runNode(csvDecode, {
      config: { source: 'a', destination: 'r' },
      payload: { a: text },
      signal: stopped.signal,
    })
    stopped.abort(new Error('The run is over'))
    await expect(run).rejects.toThrow('The run is over')
  })
})

async function encoded(rows: unknown, more: object = {}) {
  const config = { source: 'rows', destination: 'r', ...more }
  const run = await runNode(csvEncode, { config, payload: { rows, names: ['b', 'c'], one: 'b' } })
  expect(run).toMatchObject({ output: 'next', error: undefined, problems: [] })
  return run.payload.r
}

const rows = [
  { a: 1, b: true },
  { b: null, c: 'x "y"' },
]

describe('encode', () => {
  test.each<[unknown, object, string]>([
    [rows, {}, 'a,b,c\n1,true,\n,,"x ""y"""\n'],
    [rows, { headerTemplateType: 'stringTemplates', headerTemplate: ['c', '{{one}}'] }, 'c,b\n,true\n"x ""y""",\n'],
    [rows, { headerTemplateType: 'stringTemplates', headerTemplate: 'c, b' }, 'c,b\n,true\n"x ""y""",\n'],
    [rows, { headerTemplateType: 'payloadPath', headerTemplate: 'names' }, 'b,c\ntrue,\n,"x ""y"""\n'],
    [[{ at: new Date(0), o: { a: [1] } }], {}, 'at,o\n1970-01-01T00:00:00.000Z,"{""a"":[1]}"\n'],
    [
      [{ a: '1;2' }],
      { delimiterTemplate: ';', recordDelimiterTemplate: '\r\n', quoteCharTemplate: "'" },
      "a\r\n'1;2'\r\n",
    ],
    [{ a: 1 }, {}, 'a\n1\n'],
    [[[1, 'x,y'], [2]], {}, '1,"x,y"\n2\n'],
    [[[1, 2]], { headerTemplateType: 'payloadPath', headerTemplate: 'names' }, 'b,c\n1,2\n'],
    [[], {}, ''],
    [[], { headerTemplateType: 'stringTemplates', headerTemplate: 'a,b' }, 'a,b\n'],
  ])('%j with %j gives %j', async (source, config, text) => {
    expect(await encoded(source, config)).toBe(text)
  })

  test('what it writes, the other reads', async () => {
    const given = Array.from({ length: 1_000 }, (_, n) => ({ n: String(n), text: `"${n}",\r\n'` }))
    expect((await decoded(await encoded(given))).r).toEqual(given)
  })

  test('names that are no texts are columns without values', async () => {
    const config = { source: 'rows', destination: 'r', headerTemplateType: 'payloadPath', headerTemplate: 'names' }
    const payload = { rows: [{ a: 1 }], names: ['a', { toString: 1 }, null] }
    const run = await runNode(csvEncode, { config, payload })
    expect(run.payload.r).toBe('a,,\n1,,\n')
  })

  test('only own properties make cells', async () => {
    const config = { headerTemplateType: 'stringTemplates', headerTemplate: ['constructor', 'toString'] }
    expect(await encoded([{}], config)).toBe('constructor,toString\n,\n')
  })

  test.each<[unknown, object, string]>([
    [undefined, {}, 'Expected a list of objects, got nothing'],
    ['text', {}, 'Expected a list of objects, got a string'],
    [[{ a: 1 }, 5], {}, 'Expected a list of objects, got a number'],
    [[{ a: 1 }, undefined], {}, 'Expected a list of objects, got nothing'],
    [[{ a: '"'.repeat(3 << 20) }], {}, 'at most 5242880 characters'],
    [
      [{ a: Array(300_000).fill(1) }],
      { headerTemplateType: 'stringTemplates', headerTemplate: Array(9_000).fill('a').join() },
      'at most 5242880 characters',
    ],
    [[Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`k${n}`, 1]))], {}, 'at most 10000 columns'],
  ])('%.20j is a failure at the destination: %s', async (source, config, message) => {
    expect(await encoded(source, config)).toEqual({ error: { message: expect.stringContaining(message) } })
  })
})
