import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { RedisRequest } from '../../../nodes/services/connections.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import {
  type ConnectionsOptions,
  type OpenConnections,
  openConnections,
} from '../../../server/connections/connections.ts'
import { requireOrSkip } from '../../helpers/services-needed.ts'
import { openPrivateRedis, type PrivateRedis, whyNoRedisServer } from '../../services/redis.ts'

const reason = whyNoRedisServer()

requireOrSkip(
  'Redis',
  reason === undefined,
  reason ?? '',
)('questions to Redis', () => {
  let server: PrivateRedis
  let hosts: RedisRequest['hosts']
  const opened: OpenConnections[] = []
  beforeAll(async () => {
    server = await openPrivateRedis(['--requirepass', 'secret-word'])
    hosts = [{ host: '127.0.0.1', port: Number(new URL(server.url).port) }]
  })
  afterEach(() => {
    for (const one of opened.splice(0)) one.close()
  })
  afterAll(() => server.close())

  function open(options: ConnectionsOptions = {}) {
    const connections = openConnections({ allowPrivate: ['127.0.0.1'], ...options })
    opened.push(connections)
    return connections.of('app')
  }

  function request(command: string, args: string[] = [], more: Partial<RedisRequest> = {}): RedisRequest {
    const { signal } = new AbortController()
    const whole = { hosts, cluster: false, user: '', password: 'secret-word', database: 0, tls: undefined, signal }
    return { ...whole, command, args, ...more }
  }

  async function refusal(answer: Promise<unknown>): Promise<Refusal> {
    const error = await answer.then(
      (value) => expect.unreachable(`an answer: ${JSON.stringify(value)}`),
      (failure: unknown) => failure,
    )
    expect(error).toBeInstanceOf(Refusal)
    expect((error as Error).message).not.toContain('secret-word')
    return error as Refusal
  }

  test('replies come as Redis gives them', async () => {
    const redis = open()
    expect(await redis.redis(request('SET', ['a', 'ä']))).toBe('OK')
    expect(await redis.redis(request('get', ['a']))).toBe('ä')
    expect(await redis.redis(request('GET', ['none']))).toBeNull()
    expect(await redis.redis(request('INCR', ['n']))).toBe(1)
    await redis.redis(request('HSET', ['h', 'x', '1', 'y', '2']))
    expect(await redis.redis(request('hgetall', ['h']))).toEqual(['x', '1', 'y', '2'])
    expect(await redis.redis(request('CONFIG GET', ['maxmemory']))).toEqual(['maxmemory', '0'])
  })

  test('what Redis refuses is told, and never a password', async () => {
    const redis = open()
    expect(await refusal(redis.redis(request('NOSUCH')))).toMatchObject({ type: 'Validation' })
    expect((await refusal(redis.redis(request('INCR', ['a', 'secret-word'])))).message).toContain('wrong number')
    const denied = await refusal(redis.redis(request('PING', [], { password: 'wrong-password' })))
    expect(denied.message).toMatch(/WRONGPASS|invalid/)
    expect(denied.message).not.toContain('wrong-password')
    expect((await refusal(redis.redis(request('PING', [], { password: '' })))).message).toContain('NOAUTH')
  })

  test.each(['SUBSCRIBE', 'psubscribe', 'MONITOR'])('%s, which has no end, is refused', async (command) => {
    expect(await refusal(open().redis(request(command, ['a'])))).toMatchObject({ type: 'Validation' })
  })

  test('a connection is kept for the next command, unless a command changed it', async () => {
    const redis = open()
    const connectionsMade = async () =>
      Number(/total_connections_received:(\d+)/.exec(String(await redis.redis(request('INFO', ['stats']))))![1])
    await redis.redis(request('SET', ['where', 'zero']))
    const made = await connectionsMade()
    expect(await connectionsMade()).toBe(made)
    await redis.redis(request('SELECT', ['3']))
    expect(await redis.redis(request('GET', ['where']))).toBe('zero')
    expect(await redis.redis(request('GET', ['where'], { database: 3 }))).toBeNull()
    expect(await connectionsMade()).toBe(made + 2)
    await redis.redis(request('INCR', ['n']))
    // Another application has connections of its own, though it knows the password, too.
    await opened[0]!.of('other').redis(request('PING'))
    expect(await connectionsMade()).toBe(made + 3)
    await expect(redis.redis(request('INCR', ['where']))).rejects.toThrow('not an integer')
    expect(await connectionsMade()).toBe(made + 4)
  })

  test('at most so many connections of an application are open; others wait for their turn', async () => {
    const redis = open({ perApplication: 2 })
    await redis.redis(request('DEL', ['list']))
    const list = ['list', '0']
    const blocked = [redis.redis(request('BLPOP', list)), redis.redis(request('BLPOP', list))]
    const waiting = redis.redis(request('PING'))
    const other = opened[0]!.of('other')
    const clients = async () =>
      String(await other.redis(request('CLIENT LIST')))
        .trim()
        .split('\n')
    await expect.poll(async () => (await clients()).filter((one) => one.includes('cmd=blpop')).length).toBe(2)
    expect(await clients()).toHaveLength(3)
    await other.redis(request('RPUSH', ['list', '1', '2']))
    expect(await Promise.all(blocked)).toEqual([
      ['list', '1'],
      ['list', '2'],
    ])
    expect(await waiting).toBe('PONG')
  })

  test('an idle connection is closed, and an application never uses that of another', async () => {
    const redis = open({ idleMs: 30 })
    const watcher = openConnections({ allowPrivate: true })
    opened.push(watcher)
    const count = async () =>
      String(await watcher.of('app').redis(request('CLIENT LIST')))
        .trim()
        .split('\n').length
    const before = await count()
    await redis.redis(request('PING'))
    await opened[0]!.of('other').redis(request('PING'))
    await expect.poll(count).toBe(before)
  })

  test('a question ends after its time, and with the run', async () => {
    const list = ['never', '0']
    const slow = await refusal(open({ mostMs: 300 }).redis(request('BLPOP', list)))
    expect(slow).toMatchObject({ type: 'Unavailable', message: 'Redis did not answer within 0.3 seconds' })
    const run = new AbortController()
    const asked = open().redis(request('BLPOP', list, { signal: run.signal }))
    const why = new Error('the run is over')
    run.abort(why)
    await expect(asked).rejects.toBe(why)
  })

  test('a reply of more than 5 MB is refused, and the next one comes', async () => {
    const redis = open()
    await redis.redis(request('SETRANGE', ['large', String(60 << 20), 'x']))
    expect(await refusal(redis.redis(request('GET', ['large'])))).toMatchObject({ type: 'Validation' })
    expect(await redis.redis(request('PING'))).toBe('PONG')
  })

  test.each([
    ['127.0.0.1', false],
    ['::ffff:127.0.0.1', false],
    ['localhost', false],
    ['127.0.0.1', ['10.0.0.0/8']],
  ])('%s is refused with %j allowed', async (host, allowPrivate) => {
    const redis = open({ allowPrivate })
    const at = [{ host, port: hosts[0]!.port }]
    const message = 'Redis cannot be reached: its address is not on the public internet'
    expect(await refusal(redis.redis(request('PING', [], { hosts: at })))).toMatchObject({
      type: 'Unavailable',
      message,
    })
    const members = { hosts: at, cluster: true }
    expect((await refusal(redis.redis(request('PING', [], members)))).type).toBe('Unavailable')
  })

  test('a name that leads inside the network is refused, also when it leads elsewhere the first time', async () => {
    let asked = 0
    const lookup = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
      callback(null, [{ address: ++asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }])) as never
    const redis = open({ lookup, allowPrivate: false })
    const at = [{ host: 'db.example.com', port: hosts[0]!.port }]
    expect(await refusal(redis.redis(request('PING', [], { hosts: at })))).toMatchObject({ type: 'Unavailable' })
    expect(asked).toBe(1)
  })

  test('a server that is not there, or gone, is Unavailable', async () => {
    const nobody = await refusal(open().redis(request('PING', [], { hosts: [{ host: '127.0.0.1', port: 1 }] })))
    expect(nobody).toMatchObject({ type: 'Unavailable' })
    expect(nobody.message).toContain('ECONNREFUSED')
    const own = await openPrivateRedis()
    const at = { hosts: [{ host: '127.0.0.1', port: Number(new URL(own.url).port) }], password: '' }
    const redis = open()
    expect(await redis.redis(request('PING', [], at))).toBe('PONG')
    await own.kill()
    expect((await refusal(redis.redis(request('PING', [], at)))).type).toBe('Unavailable')
    await own.start()
    expect(await redis.redis(request('PING', [], at))).toBe('PONG')
    await own.close()
  })

  test('a cluster is asked as a whole', async () => {
    const member = await openPrivateRedis(['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'])
    const at = { hosts: [{ host: '127.0.0.1', port: Number(new URL(member.url).port) }], password: '' }
    const redis = open()
    await redis.redis(request('CLUSTER ADDSLOTSRANGE', ['0', '16383'], at))
    const state = async () => String(await redis.redis(request('CLUSTER INFO', [], at)))
    await expect.poll(state, { timeout: 20_000, interval: 100 }).toContain('state:ok')
    const cluster = { ...at, cluster: true }
    expect(await redis.redis(request('SET', ['k', 'v'], cluster))).toBe('OK')
    expect(await redis.redis(request('GET', ['k'], cluster))).toBe('v')
    expect((await refusal(open({ allowPrivate: false }).redis(request('GET', ['k'], cluster)))).type).toBe(
      'Unavailable',
    )
    await member.close()
  }, 30_000)
})
