import { afterAll, beforeAll, expect, test } from 'vitest'
import { schemas } from '../../../server/schema/schemas.ts'
import { clientOf } from '../../helpers/client.ts'
import { startServer, type TestServer } from '../../helpers/server.ts'

let running: TestServer
beforeAll(async () => {
  running = await startServer({ config: { adminPassword: 'correct horse' } })
})
afterAll(() => running.close())

const ask = (path: string, host = 'localhost') => clientOf(running.port, host).send({ path })

test.each(Object.keys(schemas))('/schema/%s is served to everybody', async (name) => {
  const answer = await ask(`/schema/${name}`)
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/schema+json; charset=utf-8' } })
  expect(JSON.parse(answer.text)).toEqual(JSON.parse(JSON.stringify(schemas[name]!())))
})

test.each([
  '/schema/other.json',
  '/schema/constructor',
  '/schema/__proto__',
  '/schema/',
  '/schema/..%2f..%2fpackage.json',
])('%s is as closed as the rest', async (path) => {
  expect((await ask(path)).status).toBe(401)
})
