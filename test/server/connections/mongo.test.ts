import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { MongoClient } from 'mongodb'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import type { MongoRequest } from '../../../nodes/services/connections.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import {
  type ConnectionsOptions,
  type OpenConnections,
  openConnections,
} from '../../../server/connections/connections.ts'
import { requireOrSkip } from '../../helpers/services-needed.ts'
import { openFakeMongo } from '../../services/fake-mongo.ts'

const opened: OpenConnections[] = []
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

function open(options: ConnectionsOptions = {}) {
  const connections = openConnections({ allowPrivate: true, ...options })
  opened.push(connections)
  return connections.of('app')
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

const { signal } = new AbortController()
const asking = { collection: 'pumps', method: 'find' as const, args: [], signal }

const mongo = inject('mongo')
requireOrSkip(
  'MongoDB',
  'url' in mongo,
  'reason' in mongo ? mongo.reason : '',
)('questions to MongoDB', () => {
  let uri = ''
  beforeAll(() => {
    const url = new URL('url' in mongo ? mongo.url : '')
    url.pathname = `/headgate-asked-${randomBytes(4).toString('hex')}`
    uri = url.href
  })
  afterAll(async () => {
    const client = new MongoClient(uri)
    await client.db().dropDatabase()
    await client.close()
  })

  const ask = (method: MongoRequest['method'], args: unknown[] = [], more: Partial<MongoRequest> = {}) =>
    open().mongo({ ...asking, uri, method, args, ...more })

  test('writes, finds, counts and removes', async () => {
    const at = { $date: '2024-01-02T03:04:05Z' }
    const one = (await ask('insertOne', [{ name: 'a', n: 1, at }])) as { insertedId: string }
    expect(one).toEqual({ acknowledged: true, insertedId: expect.stringMatching(/^[0-9a-f]{24}$/) })
    const found = { _id: one.insertedId, name: 'a', n: 1, at: '2024-01-02T03:04:05.000Z' }
    expect(await ask('findOne', [{ _id: { $oid: one.insertedId } }])).toEqual(found)
    expect(await ask('findOne', [{ at: { $lt: { $date: '2024-01-03T00:00:00Z' } } }])).toEqual(found)
    expect(await ask('findOne', [{ name: 'nobody' }])).toBeNull()
    expect(
      await ask('insertMany', [
        [
          { name: 'b', n: 2 },
          { name: 'c', n: 3 },
        ],
      ]),
    ).toMatchObject({ insertedCount: 2 })
    expect(await ask('insert', [{ name: 'd', n: 4 }])).toMatchObject({ acknowledged: true })
    expect(await ask('insert', [[{ name: 'e', n: 5 }]])).toMatchObject({ insertedCount: 1 })
    expect(await ask('count')).toBe(5)
    expect(await ask('countDocuments', [{ n: { $gt: 1 } }])).toBe(4)
    const options = { sort: { n: -1 }, limit: 2, projection: { _id: 0, name: 1 } }
    expect(await ask('find', [{}, options])).toEqual([{ name: 'e' }, { name: 'd' }])
    expect(await ask('updateOne', [{ name: 'a' }, { $set: { n: 10 } }])).toMatchObject({ modifiedCount: 1 })
    expect(await ask('updateMany', [{}, { $set: { all: true } }])).toMatchObject({ modifiedCount: 5 })
    expect(await ask('update', [{}, { $set: { first: true } }])).toMatchObject({ modifiedCount: 1 })
    expect(await ask('update', [{}, { $set: { every: true } }, { multi: true }])).toMatchObject({ modifiedCount: 5 })
    expect(await ask('update', [{ name: 'b' }, { name: 'b', n: 0 }])).toMatchObject({ modifiedCount: 1 })
    expect(await ask('replaceOne', [{ name: 'c' }, { name: 'c' }])).toMatchObject({ modifiedCount: 1 })
    expect(await ask('distinct', ['name'])).toEqual(['a', 'b', 'c', 'd', 'e'])
    const pipeline = [{ $match: { n: { $gte: 4 } } }, { $count: 'many' }]
    expect(await ask('aggregate', [pipeline])).toEqual([{ many: 3 }])
    expect(await ask('deleteOne', [{ name: 'a' }])).toMatchObject({ deletedCount: 1 })
    expect(await ask('remove', [{}, { justOne: true }])).toMatchObject({ deletedCount: 1 })
    expect(await ask('deleteMany', [{ name: 'c' }])).toMatchObject({ deletedCount: 1 })
    expect(await ask('remove', [{}])).toMatchObject({ deletedCount: 2 })
  })

  test.each<[MongoRequest['method'], unknown[]]>([
    ['deleteMany', []],
    ['remove', []],
    ['deleteOne', [[]]],
    ['updateMany', [undefined, { $set: { a: 1 } }]],
    ['insertMany', [{}]],
    ['aggregate', []],
    ['find', [{}, { sort: { n: 5 } }]],
    ['updateOne', [{}, { a: 1 }]],
  ])('%s with %j is refused', async (method, args) => {
    expect(await refusal(ask(method, args))).toMatchObject({ type: 'Validation' })
  })

  test('more documents than 10,000, or more than 5 MB, are refused', async () => {
    const many = Array.from({ length: 10_001 }, (_, n) => ({ n }))
    await ask('insertMany', [many], { collection: 'many' })
    expect((await refusal(ask('find', [], { collection: 'many' }))).message).toContain('10000 rows')
    expect(await ask('find', [{}, { limit: 3 }], { collection: 'many' })).toHaveLength(3)
    const large = Array.from({ length: 6 }, () => ({ text: 'x'.repeat(1 << 20) }))
    await ask('insertMany', [large], { collection: 'large' })
    expect((await refusal(ask('find', [], { collection: 'large' }))).message).toContain('5242880 bytes')
  })

  test('an address inside the network is refused, however it is given', async () => {
    const { port } = new URL(uri)
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '0x7f000001',
      '%2Ftmp%2Fmongodb.sock',
    ]) {
      const at = host.includes('sock') ? host : `${host}:${port}`
      const answer = open({ allowPrivate: false }).mongo({ ...asking, uri: `mongodb://${at}/x?directConnection=true` })
      expect(await refusal(answer)).toMatchObject({ type: 'Unavailable' })
    }
  }, 60_000)
})

describe('the address of MongoDB', () => {
  test.each([
    'http://db.example.com/',
    'mongodb://',
    'mongodb://u:secret-word@db.example.com/?tlsCAFile=/etc/passwd',
    'mongodb://u:secret-word@db.example.com/?tlsCA\tFile=/etc/passwd',
    'mongodb://u:secret-word@db.example.com/?%74lsCertificateKeyFile=/etc/passwd',
    'mongodb://u:secret-word@db.example.com/?proxyHost=127.0.0.1',
    'mongodb://u:secret-word@db.example.com/?authMechanism=MONGODB-AWS',
    'mongodb://u:secret-word@db.example.com/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:azure',
    'mongodb://u:secret-word@db.example.com:port/',
    'mongodb://u:secret@word@db.example.com/',
  ])('%s is refused, and never told', async (uri) => {
    expect(await refusal(open().mongo({ ...asking, uri }))).toMatchObject({ type: 'Validation' })
  })

  test('what a server tells of the others of its set leads no further than the guard lets it', async () => {
    let reached = 0
    const inside = createServer((socket) => {
      reached++
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(inside, 'listening')
    const { port } = inside.address() as { port: number }
    const hosts = ['127.0.0.1', '[::ffff:127.0.0.1]', 'x@127.0.0.1', 'x:y@127.0.0.1'].map((host) => `${host}:${port}`)
    const set = { setName: 'rs', hosts: [...hosts, '/tmp/mongodb.sock'], setVersion: 1 }
    const outside = await openFakeMongo({ version: '7.0.0', maxWireVersion: 21, hello: set })
    const lookup = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }])) as never
    const uri = `mongodb://db.example.com:${outside.host.split(':')[1]}/x?replicaSet=rs`
    const guarded = open({ lookup, allowPrivate: ['db.example.com'], mostMs: 2_000 })
    expect(await refusal(guarded.mongo({ ...asking, uri }))).toMatchObject({ type: 'Unavailable' })
    expect(reached).toBe(0)
    // Without the guard they would be connected to.
    await refusal(open({ lookup, mostMs: 2_000 }).mongo({ ...asking, uri }))
    expect(reached).toBeGreaterThan(0)
    await outside.close()
    inside.close()
  }, 30_000)
})
