import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HttpError, httpErrors } from '../../server/errors.ts'

const root = join(import.meta.dirname, '../../server')
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
  .map((file) => readFileSync(join(root, file), 'utf8'))
const thrown = new Set(sources.flatMap((text) => [...text.matchAll(/new HttpError\(\s*'([^']+)'/g)].map((m) => m[1]!)))

test('each code of the table is thrown somewhere, and each thrown code stands in it', () => {
  expect([...thrown].sort()).toEqual(Object.keys(httpErrors).sort())
})

test.each(Object.entries(httpErrors))(
  '%s has a client or server status, a type and a reason',
  (_, { status, type, when }) => {
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(600)
    expect([type, when]).toEqual([expect.stringMatching(/^[A-Z][A-Za-z]+$/), expect.stringMatching(/^[A-Z].{10,}/)])
  },
)

test('an error carries the status, type and headers of its answer, and its cause', () => {
  const cause = new Error('why')
  const error = new HttpError('request.rate', 'Too fast', { cause, headers: { 'retry-after': '1' } })
  expect(error).toMatchObject({
    status: 429,
    type: 'RateLimit',
    message: 'Too fast',
    cause,
    headers: { 'retry-after': '1' },
  })
})
