import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { flowErrors } from '../../engine/errors.ts'
import { httpErrors } from '../../server/errors.ts'

const root = join(import.meta.dirname, '../..')

const sources = ['engine', 'nodes', 'server'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'errors.ts')
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
)
const text = sources.join('\n')

test.each(Object.keys(flowErrors))('the flow error %s is used', (code) => {
  expect(text.includes(`'${code}'`)).toBe(true)
})

test.each(Object.keys(httpErrors))('the HTTP error %s is used', (code) => {
  expect(text.includes(`'${code}'`)).toBe(true)
})

test('codes are area.reason', () => {
  const codes = [...Object.keys(flowErrors), ...Object.keys(httpErrors)]
  expect(codes.filter((code) => !/^[a-z-]+\.[a-z-]+$/.test(code))).toEqual([])
})
