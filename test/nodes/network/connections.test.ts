import { describe, expect, test } from 'vitest'
import { FlowError } from '../../../engine/errors.ts'
import { mongo } from '../../../nodes/network/mongo.ts'
import { redis } from '../../../nodes/network/redis.ts'
import { sql } from '../../../nodes/network/sql.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const payload = {
  a: { b: 1 },
  list: ['x', 2, { c: 3 }],
  secret: 's3',
  id: '0123456789abcdef01234567',
  old: { error: 1 },
}
const refused = new Refusal('Unavailable', 'cannot be reached')

describe('Redis', () => {
  async function run(config: object, answer: unknown = 'OK') {
    const asked = noting<[object], unknown>(answer)
    const settings = { host: 'r.example.com', command: 'GET', resultPath: 'old', ...config }
    const outcome = await runNode(redis, { config: settings, payload, use: { connections: { redis: asked.method } } })
    return { outcome, request: asked.calls[0]?.[0] }
  }

  test('asks the server that the settings name', async () => {
    const config = {
      port: '7000',
      username: 'u',
      password: '{{secret}}',
      dbNumber: 2,
      tlsOn: true,
      caCertTemplate: 'PEM',
    }
    const { outcome, request } = await run({ ...config, arguments: ['k:{{a.b}}', '{{none}}'] }, { deep: [1] })
    expect(outcome).toMatchObject({ output: 'next', problems: [], error: undefined })
    expect(outcome.payload.old).toEqual({ deep: [1] })
    expect(request).toMatchObject({
      ...{ hosts: [{ host: 'r.example.com', port: 7000 }], cluster: false, user: 'u', password: 's3', database: 2 },
      ...{ tls: { verify: true, ca: 'PEM' }, command: 'GET', args: ['k:1', ''] },
    })
    expect((await run({})).request).toMatchObject({ hosts: [{ port: 6379 }], database: 0, tls: undefined, args: [] })
  })

  test('takes arguments of any kind from the payload, and members of a cluster', async () => {
    expect((await run({ argumentsPath: 'list', arguments: ['no'] })).request).toMatchObject({
      args: ['x', '2', '{"c":3}'],
    })
    expect((await run({ argumentsPath: 'secret' })).request).toMatchObject({ args: ['s3'] })
    const members = { host: '', isCluster: true, clusterMembers: [{ host: 'a.example.com' }, { host: 'b', port: '1' }] }
    const hosts = [
      { host: 'a.example.com', port: 6379 },
      { host: 'b', port: 1 },
    ]
    expect((await run(members)).request).toMatchObject({ cluster: true, hosts })
  })

  test('refuses arguments that are large all together', async () => {
    const { outcome, request } = await run({ arguments: Array(6_000).fill('x'.repeat(1_000)) })
    expect(outcome.error).toMatchObject({ message: expect.stringContaining('at most 5242880 characters') })
    expect(request).toBeUndefined()
  })

  test('a refusal ends the run, or stands at the path of the error', async () => {
    expect((await run({}, refused)).outcome.error).toMatchObject({
      code: 'service.failed',
      message: 'cannot be reached',
    })
    const config = { errorBehavior: 'payloadPath', errorPath: 'failure' }
    const { outcome } = await run(config, refused)
    expect(outcome.payload.failure).toEqual({ type: 'Unavailable', message: 'cannot be reached' })
    expect(outcome.payload.old).toEqual(payload.old)
    const ours = new FlowError('limit.time', 'over')
    expect((await run(config, ours)).outcome.error).toBe(ours)
    await expect(run(config, new TypeError('a fault of ours'))).rejects.toThrow('a fault of ours')
  })

  test.each([
    [{ host: '' }, 'config.empty'],
    [{ command: '{{none}}' }, 'config.empty'],
    [{ isCluster: true }, 'config.empty'],
    [{ port: 0 }, 'config.type'],
    [{ port: '6379.5' }, 'config.type'],
    [{ dbNumber: -1 }, 'config.type'],
  ])('%j ends the run with %s, whatever is to become of failures', async (config, code) => {
    const { outcome, request } = await run({ errorBehavior: 'payloadPath', ...config })
    expect(outcome.error?.code).toBe(code)
    expect(request).toBeUndefined()
  })
})

describe('SQL', () => {
  async function run(config: object, answer: unknown = [{ n: 1 }]) {
    const asked = noting<[object], unknown>(answer)
    const fixed = { systemTemplate: 'pg', hostTemplate: 'h.example.com', userTemplate: 'u', query: 'SELECT {{a.b}}' }
    const settings = { ...fixed, resultPath: 'out', ...config }
    const use = { connections: { sql: asked.method as never } }
    return { outcome: await runNode(sql, { config: settings, payload, use }), request: asked.calls[0]?.[0] }
  }

  test('sends the statement, and puts rows or success on the payload', async () => {
    const { outcome, request } = await run({
      passwordTemplate: '{{secret}}',
      databaseTemplate: 'd',
      portTemplate: '5433',
    })
    expect(outcome).toMatchObject({ output: 'next', problems: [], error: undefined })
    expect(outcome.payload.out).toEqual([{ n: 1 }])
    const target = {
      system: 'pg',
      host: 'h.example.com',
      port: 5433,
      user: 'u',
      password: 's3',
      database: 'd',
      tls: undefined,
    }
    expect(request).toMatchObject({ ...target, query: 'SELECT 1' })
    const asked = noting<[object], undefined>(undefined)
    const config = { hostTemplate: 'h', userTemplate: 'u', query: 'DELETE', resultPath: 'out' }
    const none = await runNode(sql, { config, use: { connections: { sql: asked.method } } })
    expect(none.payload.out).toEqual(['success'])
  })

  test('a refusal is text at the result path', async () => {
    expect((await run({}, refused)).outcome.payload.out).toEqual({ errors: 'cannot be reached' })
  })

  test.each([
    [{ sslOn: true }, { verify: true }],
    [
      { sslOn: true, sslDataTemplate: ' PEM ' },
      { verify: true, ca: 'PEM' },
    ],
    [
      { sslOn: true, sslDataTemplate: '{"ca":"A","rejectUnauthorized":false,"other":1}' },
      { verify: false, ca: 'A' },
    ],
    [{ sslOn: false, sslDataTemplate: 'PEM' }, undefined],
  ])('%j is TLS as %j', async (config, tls) => {
    expect((await run(config)).request).toMatchObject({ tls })
  })

  test.each([
    [{ systemTemplate: 'mssql' }, 'service.failed'],
    [{ systemTemplate: 'oracle' }, 'config.type'],
    [{ credentialNameTemplate: 'c' }, 'credential.missing'],
    [{ hostTemplate: ' ' }, 'config.empty'],
    [{ userTemplate: '' }, 'config.empty'],
    [{ query: '{{none}}' }, 'config.empty'],
    [{ sslOn: true, sslDataTemplate: '{"key": secret}' }, 'config.type'],
    [{ sslOn: true, sslDataTemplate: '{"ca":1}' }, 'config.type'],
    [{ portTemplate: '70000' }, 'config.type'],
  ])('%j ends the run with %s', async (config, code) => {
    const { outcome, request } = await run(config)
    expect(outcome.error?.code).toBe(code)
    expect(outcome.error?.message).not.toContain('secret}')
    expect(request).toBeUndefined()
  })
})

describe('MongoDB', () => {
  async function run(config: object, answer: unknown = [{ n: 1 }]) {
    const asked = noting<[object], unknown>(answer)
    const settings = {
      mongoUriTemplate: 'mongodb://u:{{secret}}@m/d',
      collectionNameTemplate: ' c ',
      resultPath: 'out',
      ...config,
    }
    const outcome = await runNode(mongo, { config: settings, payload, use: { connections: { mongo: asked.method } } })
    return { outcome, request: asked.calls[0]?.[0] }
  }

  test('asks for the method with its arguments, in any of their kinds', async () => {
    const mongoArgs = [
      { valueType: 'json', value: '{"_id":{"$oid":"{{id}}"}}' },
      { valueType: 'template', value: 'n{{a.b}}' },
      { valueType: 'path', value: 'a' },
      { valueType: 'path', value: 'nothing' },
    ]
    const { outcome, request } = await run({ mongoMethod: 'distinct', mongoArgs })
    expect(outcome).toMatchObject({ output: 'next', problems: [], error: undefined })
    expect(outcome.payload.out).toEqual([{ n: 1 }])
    expect(request).toMatchObject({
      ...{ uri: 'mongodb://u:s3@m/d', collection: 'c', method: 'distinct' },
      args: [{ _id: { $oid: payload.id } }, 'n1', { b: 1 }, undefined],
    })
    expect((await run({})).request).toMatchObject({ method: 'count', args: [] })
  })

  test('a refusal ends the run, or stands at the path of the error', async () => {
    expect((await run({}, refused)).outcome.error).toMatchObject({ code: 'service.failed' })
    const { outcome } = await run({ errorBehavior: 'payloadPath', errorPath: 'failure' }, refused)
    expect(outcome.payload.failure).toEqual({ type: 'Unavailable', message: 'cannot be reached' })
    expect(outcome.payload.out).toBeUndefined()
  })

  test.each([
    [{ mongoUriTemplate: '' }, 'config.empty'],
    [{ collectionNameTemplate: '{{none}}' }, 'config.empty'],
    [{ credentialNameTemplate: 'c' }, 'credential.missing'],
    [{ mongoArgs: [{ value: '{"a":' }] }, 'template.not-json'],
  ])('%j ends the run with %s', async (config, code) => {
    const { outcome, request } = await run({ errorBehavior: 'payloadPath', ...config })
    expect(outcome.error?.code).toBe(code)
    expect(request).toBeUndefined()
  })

  test('a method that does not exist is found before the run', async () => {
    expect((await run({ mongoMethod: 'drop' })).outcome.problems).toMatchObject([{ code: 'config.choice' }])
  })
})
