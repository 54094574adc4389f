import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { StoreError } from '../../server/store/port.ts'
import { clientOf } from '../helpers/client.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

const password = 'corréct: horse'
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })

describe('with a password', () => {
  let running: TestServer
  beforeAll(async () => {
    running = await startServer({ config: { adminPassword: password } })
    const scope = { tenant: 'acme', application: 'a'.repeat(24) }
    const application = { id: scope.application, name: 'Secret project', globals: [], secret: 's' }
    await running.store.app(scope).collection('application').insert(application)
  })
  afterAll(() => running.close())

  const ask = (path: string, headers: Record<string, string> = {}, host = 'localhost') =>
    clientOf(running.port, host).send({ path, headers })

  test.each(['/healthz', '/readyz'])('%s is open', async (path) => {
    expect((await ask(path)).status).toBe(200)
  })

  test('/readyz tells what does not answer, and the log once', async () => {
    const before = running.log.length
    const away = new StoreError('unavailable', 'Expected an answer of db.internal, got none')
    const check = vi.spyOn(running.store, 'check').mockRejectedValue(away)
    for (let n = 0; n < 3; n++) {
      const answer = await ask('/readyz')
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
      expect(JSON.parse(answer.text)).toEqual({ status: 'not ready', missing: ['store'] })
    }
    check.mockRestore()
    expect(running.log.slice(before)).toMatchObject([{ msg: 'the store does not answer' }])
    expect(JSON.parse((await ask('/readyz')).text)).toEqual({ status: 'ready', missing: [] })
  })

  const wrong: [string, Record<string, string>][] = [
    ['nothing', {}],
    ['a wrong one', basic('admin:wrong')],
    ['an empty one', basic('admin:')],
    ['the beginning of it', basic('admin:corréct')],
    ['it as the user name', basic(`${password}:`)],
    ['no colon', basic('corréct')],
    ['another scheme', { authorization: `Bearer ${password}` }],
    ['no base64', { authorization: 'Basic %%%' }],
  ]
  test.each(wrong)('%s opens neither the page nor the figures', async (_, headers) => {
    for (const path of ['/', '/metrics', '/?x', '//', '/other']) {
      for (const host of ['localhost', '127.0.0.1', 'LOCALHOST', '[::1]']) {
        const answer = await ask(path, headers, host)
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([
          401,
          expect.stringMatching(/^Basic realm=/),
        ])
        expect(answer.text).not.toMatch(/Secret project|headgate_|process_/)
      }
    }
  })

  test.each(['', 'admin'])('the right one opens both, whatever the user name: "%s"', async (name) => {
    expect(await ask('/', basic(`${name}:${password}`))).toMatchObject({
      status: 200,
      text: expect.stringContaining('Secret project'),
    })
    expect(await ask('/metrics', basic(`${name}:${password}`))).toMatchObject({
      status: 200,
      text: expect.stringContaining('headgate_request_seconds'),
    })
  })
})

test('without a password nobody is asked for one', async () => {
  const running = await startServer()
  try {
    for (const path of ['/', '/metrics']) expect((await clientOf(running.port, 'localhost').get(path)).status).toBe(200)
  } finally {
    await running.close()
  }
})
