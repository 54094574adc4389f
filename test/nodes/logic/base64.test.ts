import { expect, test } from 'vitest'
import { base64Decode } from '../../../nodes/logic/base64-decode.ts'
import { base64Encode } from '../../../nodes/logic/base64-encode.ts'
import { runNode } from '../../helpers/run-node.ts'

const paths = { source: 'a', destination: 'r' }
const encode = (a: unknown, config: object = paths) => runNode(base64Encode, { config: { ...config }, payload: { a } })
const decode = (a: unknown, config: object = paths) => runNode(base64Decode, { config: { ...config }, payload: { a } })

test.each<[unknown, string]>([
  ['a', 'YQ=='],
  ['', ''],
  ['😀ü', '8J+YgMO8'],
  [5, 'NQ=='],
  [false, 'ZmFsc2U='],
])('%j is %j in base64, and back', async (text, base64) => {
  expect(await encode(text)).toMatchObject({ output: 'next', error: undefined, payload: { r: base64 } })
  expect(await decode(base64)).toMatchObject({ output: 'next', error: undefined, payload: { r: String(text) } })
})

test.each(['8J-YgMO8', '8J+Y\r\ngMO8\n', '8J+YgMO8=='])('reads %j, too', async (base64) => {
  expect((await decode(base64)).payload.r).toBe('😀ü')
})

test('tells at once that a large text is no base64', async () => {
  expect((await decode(`${' '.repeat(1 << 20)}!`)).error).toMatchObject({ code: 'encoding.source' })
  expect((await decode(`${'= '.repeat(1 << 20)}!`)).error).toMatchObject({ code: 'encoding.source' })
})

test('takes the keys of older files', async () => {
  const older = { sourceTemplate: '{{a}}', resultPath: 'r' }
  expect((await encode('x', older)).payload.r).toBe('eA==')
  expect((await decode('eA==', older)).payload.r).toBe('x')
})

test.each([undefined, null, { b: 1 }, [1]])('%j is no text', async (value) => {
  expect((await encode(value)).error).toMatchObject({ code: 'encoding.source' })
  expect((await decode(value)).error).toMatchObject({ code: 'encoding.source' })
})

test('refuses what is no base64, and what is too large', async () => {
  expect((await decode('a!b')).error).toMatchObject({ code: 'encoding.source' })
  expect((await decode('=a')).error).toMatchObject({ code: 'encoding.source' })
  expect((await encode('x'.repeat(5 << 20))).error).toMatchObject({ code: 'text.too-long' })
  expect((await decode('x'.repeat((5 << 20) + 1))).error).toMatchObject({ code: 'text.too-long' })
})
