import { once } from 'node:events'
import { request } from 'node:http'
import { expect, test } from 'vitest'
import { PASSWORD, startServer } from '../helpers/server.ts'

test('a request that has begun is answered, though the server is told to stop before its body has come', async () => {
  const { port, applications, close, log } = await startServer({ folders: ['examples/one-to-many'] })
  const body = new URLSearchParams({ email: 'user1@example.com', password: PASSWORD }).toString()
  const asking = request({
    ...{ host: '127.0.0.1', port, method: 'POST', path: '/login' },
    headers: {
      host: applications[0]!.host,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': body.length,
      expect: '100-continue',
    },
  })
  asking.flushHeaders()
  await once(asking, 'continue')
  const closed = close()
  asking.end(body)
  const [answer] = await once(asking, 'response')
  expect(answer.statusCode).toBe(302)
  answer.resume()
  await closed
  expect(log.filter(({ level }) => Number(level) >= 50)).toEqual([])
})
