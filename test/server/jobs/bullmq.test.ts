import { createServer } from 'node:net'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { openBullDispatch } from '../../../server/jobs/bullmq.ts'
import { requireOrSkip } from '../../helpers/services-needed.ts'
import { openPrivateRedis, whyNoRedisServer } from '../../services/redis.ts'
import { own, until } from './world.ts'

const silent = pino({ level: 'silent' })

test.each([
  'not a url',
  'http://127.0.0.1:6379',
  'redis://',
  'redis://:s3cret@127.0.0.1:6379/database',
  'mongodb://user:s3cret@127.0.0.1',
])('refuses %s as REDIS_URL, in one line and without what it holds', async (url) => {
  const opening = openBullDispatch({ url, log: silent })
  await expect(opening).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringMatching(/^REDIS_URL: .*$/),
  })
  await expect(opening).rejects.not.toMatchObject({ message: expect.stringContaining('s3cret') })
})

test('refuses a server that is too old', async () => {
  const server = createServer((socket) => {
    const info = '# Server\r\nredis_version:5.0.14\r\nloading:0\r\n'
    socket.on('data', (data) => {
      for (const [, command] of String(data).matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)\r\n/gm)) {
        socket.write(command?.toLowerCase() === 'info' ? `$${info.length}\r\n${info}\r\n` : '-ERR unknown command\r\n')
      }
    })
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const opening = openBullDispatch({ url: `redis://127.0.0.1:${port}`, log: silent })
  await expect(opening).rejects.toThrow('REDIS_URL: expected Redis 6.2 or newer, got 5.0.14. Upgrade the server.')
})

const reason = whyNoRedisServer()

requireOrSkip(
  'redis-server',
  reason === undefined,
  reason ?? '',
)('a Redis of its own', () => {
  async function openRedis(settings: string[] = []) {
    const redis = await openPrivateRedis(settings)
    onTestFinished(redis.close)
    return redis
  }

  test('refuses a wrong password and a missing one, without telling it', async () => {
    const redis = await openRedis(['--requirepass', 'right'])
    const { host } = new URL(redis.url)
    for (const url of [redis.url, `redis://:wr0ng@${host}`, `redis://someone:wr0ng@${host}`]) {
      const opening = openBullDispatch({ url, log: silent })
      await expect(opening).rejects.toMatchObject({
        name: 'ConfigError',
        message: expect.not.stringContaining('wr0ng'),
      })
      await expect(opening).rejects.toThrow(/^REDIS_URL: expected access to the server, got [^\n]+\.$/)
    }
    const dispatch = await openBullDispatch({ url: `redis://:right@${host}`, log: silent })
    await dispatch.check()
    await dispatch.close()
  })

  test('warns once when Redis may drop keys, and not else', async () => {
    const lines: string[] = []
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
    for (const settings of [[], ['--maxmemory-policy', 'allkeys-lru']]) {
      const redis = await openRedis(settings)
      const dispatch = await openBullDispatch({ url: redis.url, log })
      dispatch.onWake(async () => false, 1)
      await dispatch.close()
    }
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/allkeys-lru.*noeviction/)
  })

  test('waits for a Redis that is away, tells so at once, and finds its way back', async () => {
    const redis = await openRedis()
    const [web, worker] = [
      await openBullDispatch({ url: redis.url, log: silent }),
      await openBullDispatch({ url: redis.url, log: silent }),
    ]
    onTestFinished(async () => void (await Promise.all([web.close(), worker.close()])))
    let turns = 0
    worker.onWake(async () => {
      turns += 1
      return false
    }, 2)
    web.wake(own)
    await until(
      () => turns,
      (count) => count === 1,
    )
    await redis.kill()
    const state = () =>
      web.check().then(
        () => 'there',
        (error: Error) => error.message,
      )
    await until(state, (answer) => answer === 'Redis cannot be reached')
    const begun = performance.now()
    for (let n = 0; n < 1_000; n++) web.wake(own)
    await state()
    expect(performance.now() - begun).toBeLessThan(500)
    await redis.start()
    await until(state, (answer) => answer === 'there')
    await until(
      () => {
        web.wake(own)
        return turns
      },
      (count) => count >= 2,
    )
  })

  test('starts without a Redis, closes without it, and takes it up when it comes', async () => {
    const redis = await openRedis()
    await redis.kill()
    const dispatch = await openBullDispatch({ url: redis.url, log: silent })
    let turns = 0
    dispatch.onWake(async () => {
      turns += 1
      return false
    }, 2)
    await expect(dispatch.check()).rejects.toThrow('Redis cannot be reached')
    await redis.start()
    await until(
      () => {
        dispatch.wake(own)
        return turns
      },
      (count) => count > 0,
    )
    await redis.kill()
    await dispatch.close()
  })
})
