import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { collections } from '../../../server/store/documents.ts'
import { openMongo } from '../../../server/store/mongo.ts'
import { openBlobs } from '../../../server/store/mongo-blobs.ts'
import { type Connection, connect } from '../../../server/store/mongo-client.ts'
import type { Leases } from '../../../server/store/mongo-lease.ts'
import { openTurns } from '../../../server/store/mongo-turns.ts'
import { openStore } from '../../../server/store/open.ts'
import { type AppStore, type Store, StoreError, type WriteOperation } from '../../../server/store/port.ts'
import { requireOrSkip } from '../../helpers/services-needed.ts'
import { mongoDatabase } from '../../helpers/store.ts'
import { openFakeMongo } from '../../services/fake-mongo.ts'
import { openPrivateMongo, type PrivateMongo } from '../../services/mongo.ts'
import { idOf, own } from './adapters.ts'

const mongo = inject('mongo')
const describe = requireOrSkip('MongoDB', 'url' in mongo, 'reason' in mongo ? mongo.reason : '')
const recipe = (name: string) => ({ name, template: {} })
const origin = (kind: string, key: string, targetId: string) => ({ kind, key, targetId })

/** A handle as another process has it: with a connection of its own. Closed after the test. */
async function open(url: string, leaseMs?: number): Promise<Store> {
  const store = await openMongo({ url, leaseMs })
  onTestFinished(() => store.close())
  return store
}

/** The database as MongoDB has it. */
async function raw(url: string) {
  const client = new MongoClient(url)
  onTestFinished(() => client.close())
  return client.db(new URL(url).pathname.slice(1))
}

describe('several processes on one MongoDB', () => {
  test('lose no update and make no half of a batch when they write the same documents', async () => {
    const url = mongoDatabase()
    const stores = [await open(url), await open(url)]
    const id = idOf(1)
    await stores[0]!
      .app(own)
      .collection('recipes')
      .insert({ id, ...recipe('counter 0') })
    const rounds = 15
    const count = async (store: Store, name: string) => {
      const app = store.app(own)
      for (let done = 0; done < rounds; ) {
        const now = await app.collection('recipes').get(id)
        const next = Number(now!.name.split(' ')[1]) + 1
        const batch: WriteOperation[] = [
          { update: 'recipes', id, change: { name: `counter ${next}` }, revision: now!.revision },
          { insert: 'origins', document: origin('one', `${next}`, id) },
          { insert: 'origins', document: origin('two', `${next}`, name) },
        ]
        try {
          await app.write(batch)
          done += 1
        } catch (error) {
          expect(error).toMatchObject({ code: 'conflict', details: { operation: 0 } })
        }
      }
    }
    await Promise.all(stores.flatMap((store, n) => [count(store, `${n} a`), count(store, `${n} b`)]))
    const app = stores[1]!.app(own)
    expect(await app.collection('recipes').get(id)).toMatchObject({ name: 'counter 60', revision: 61 })
    expect(await app.collection('origins').count()).toBe(120)
  })

  test('give a unique combination, a value and a host name to one of them alone', async () => {
    const url = mongoDatabase()
    const stores = [await open(url), await open(url)]
    const apps = stores.map((store) => store.app(own))
    const each = <T>(work: (app: (typeof apps)[number], n: number) => Promise<T>) =>
      Promise.allSettled([...apps, ...apps, ...apps].map(work))
    const made = await each((app, n) => app.collection('origins').insert(origin('flow', 'same', idOf(n))))
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const { reason } of made.filter((one) => one.status === 'rejected')) {
      expect(reason).toMatchObject({ code: 'duplicate' })
    }
    expect(await apps[0]!.collection('origins').count()).toBe(1)
    await each((app) => app.values.add('flow', 'n', 1))
    expect(await apps[0]!.values.get('flow', 'n')).toBe(6)
    const taken = await each((app) => app.values.take('flow', 'n'))
    expect(taken.filter((one) => one.status === 'fulfilled' && one.value !== undefined)).toHaveLength(1)
    const scopes = [own, { tenant: 't2', application: 'a2' }]
    const put = await Promise.allSettled(scopes.map((scope, n) => stores[n]!.hosts.put({ name: 'example.com', scope })))
    expect(put.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('merge telemetry of one millisecond, and keep the newest last values', async () => {
    const url = mongoDatabase()
    const [one, two] = [(await open(url)).app(own).telemetry, (await open(url)).app(own).telemetry]
    const times = Array.from({ length: 12 }, (_, n) => n)
    const append = (telemetry: typeof one, name: string) => (time: number) =>
      telemetry.append([{ deviceId: idOf(1), time, data: { [name]: time } }])
    await Promise.all([...times.map(append(one, 'a')), ...times.toReversed().map(append(two, 'b'))])
    const last = (await one.last([idOf(1)])).get(idOf(1))
    expect(last).toEqual({ a: { value: 11, time: 11 }, b: { value: 11, time: 11 } })
    const reports = await Array.fromAsync(two.points({ deviceId: idOf(1), start: 0, end: 100 }))
    expect(reports.map(({ data }) => data)).toEqual(times.map((n) => ({ a: n, b: n })))
  })
})

describe('more writes at once than the server has connections', () => {
  test('all take place', async () => {
    const url = mongoDatabase()
    const stores = [await open(url), await open(url), await open(url), await open(url)]
    // Each of an application of its own: none waits for the turn of another.
    const apps = Array.from({ length: 320 }, (_, n) => stores[n % 4]!.app({ tenant: 't1', application: idOf(n) }))
    const write = async ({ values }: AppStore) => {
      for (const value of ['1', '2', '3', '4', 'set']) await values.set('flow:1', 'key', value)
    }
    await Promise.all(apps.map(write))
    const read = await Promise.all(apps.map((app) => app.values.get('flow:1', 'key')))
    expect(read).toEqual(apps.map(() => 'set'))
  }, 60_000)
})

describe('two processes that replace one content', () => {
  test('leave no other content behind', async () => {
    const url = mongoDatabase()
    await open(url)
    const connection = await connect(url)
    onTestFinished(() => connection.close())
    /** As where updates of the server are atomic: turns are those of the process. */
    const blobsOf = (mine: Connection) =>
      openBlobs(mine, '["t1","a1"]', openTurns({ ...mine, atomic: true }, {} as Leases))
    const first = blobsOf(connection)
    await first.put('k', Buffer.from('old'))
    let replaced: Promise<unknown> | undefined
    const collection = (name: string) => {
      const table = connection.collection(name)
      const findOne = async (...query: Parameters<typeof table.findOne>) => {
        const found = await table.findOne(...query)
        // The first one comes in between, once.
        replaced ??= first.put('k', Buffer.from('one'))
        await replaced
        return found
      }
      return name === 'blobs' ? Object.assign(Object.create(table), { findOne }) : table
    }
    await blobsOf({ ...connection, collection }).put('k', Buffer.from('other'))
    const database = await raw(url)
    const names = ['blobs', 'blobs.files', 'blobs.chunks', 'blobs.uploads']
    const left = await Promise.all(names.map((name) => database.collection(name).countDocuments()))
    expect(left).toEqual([1, 1, 1, 0])
  })
})

describe('a process that dies', () => {
  test('leaves every acknowledged write and no half of one behind', async () => {
    const url = mongoDatabase()
    for (let round = 1; round <= 3; round += 1) {
      const writer = spawn(process.execPath, [join(import.meta.dirname, 'crash-writer.ts'), url], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const acknowledged: { n: number; id: string }[] = []
      for await (const line of createInterface({ input: writer.stdout })) {
        const [n = '', id = ''] = line.split(' ')
        acknowledged.push({ n: Number(n), id })
        if (acknowledged.length === 3) setTimeout(() => writer.kill('SIGKILL'), Math.random() * 40)
      }
      if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
      expect(writer.signalCode).toBe('SIGKILL')
      const store = await open(url, 500)
      const app = store.app(own)
      for (const { n, id } of acknowledged) {
        expect(await app.collection('flows').get(id)).toMatchObject({ revision: 2, description: 'updated' })
        expect((await app.telemetry.last([id])).get(id)?.n?.value).toBe(n)
        const content = await Array.fromAsync((await app.blobs.read(id)) ?? [])
        expect(Buffer.concat(content).equals(Buffer.alloc(300_000, n % 256))).toBe(true)
      }
      // What was not acknowledged is there whole or not at all.
      expect((await app.collection('origins').count()) % 2).toBe(0)
      for (const { id, revision } of await app.collection('flows').find({ limit: 10_000 })) {
        const origins = await app.collection('origins').count({ field: 'targetId', op: 'eq', value: id })
        expect([id, origins]).toEqual([id, revision === 2 ? 2 : 0])
        // Made anew, as the keys start from 0 again.
        await app.collection('flows').remove(id)
      }
      for await (const { id } of app.collection('origins').each()) await app.collection('origins').remove(id)
    }
  }, 60_000)

  test('in the middle of a batch is completed by the next that opens the store', async () => {
    const url = mongoDatabase()
    const store = await open(url, 400)
    const app = store.app(own)
    const kept = await app.collection('flows').insert({
      ...{ name: 'a', flowClass: 'cloud', enabled: true },
      content: { triggers: [], nodes: [], globals: [] },
    })
    const database = await raw(url)
    const journals = database.collection<{ _id: string }>('journals')
    // As if the process had died right after it wrote down what it was about to do, and after the first of it.
    const journal = {
      app: JSON.stringify(['t1', 'a1']),
      token: 'x',
      parts: 0,
      revision: 2,
      steps: [
        await stepOf(database, 'flows', kept.id, { ...kept, name: 'b', revision: 2 }),
        await stepOf(database, 'origins', idOf(7), {
          ...{ id: idOf(7), revision: 1, creationDate: 1, lastUpdated: 1 },
          ...origin('flow', 'k', kept.id),
        }),
      ],
    }
    await journals.insertOne({ _id: journal.app, ...journal })
    await database.collection<{ _id: string }>('locks').insertOne({ _id: 'dead', key: journal.app, beat: 3 } as never)
    const next = (await open(url, 400)).app(own)
    expect(await next.collection('flows').get(kept.id)).toMatchObject({ name: 'b', revision: 2 })
    expect(await next.collection('origins').get(idOf(7))).toMatchObject({ key: 'k' })
    expect(await next.revision()).toBe(2)
    expect(await journals.countDocuments()).toBe(0)
    await expect.poll(() => database.collection('locks').countDocuments()).toBe(0)
    // Completed once: what came later is not undone by another start.
    await next.collection('origins').remove(idOf(7))
    expect(await (await open(url)).app(own).collection('origins').get(idOf(7))).toBeUndefined()
  })

  test('after it wrote down what to do is completed by whoever looks for what is due', async () => {
    const url = mongoDatabase()
    const store = await open(url, 400)
    const flow = await store
      .app(own)
      .collection('flows')
      .insert({
        ...{ name: 'a', flowClass: 'cloud', enabled: true },
        content: { triggers: [], nodes: [], globals: [] },
      })
    await store.settle(own, 1)
    const database = await raw(url)
    const steps = [await stepOf(database, 'flows', flow.id, { ...flow, name: 'b', revision: 2 })]
    const journal = { app: JSON.stringify(['t1', 'a1']), token: 'x', parts: 0, revision: 2, steps }
    const journals = database.collection<{ _id: string }>('journals')
    await journals.insertOne({ _id: journal.app, ...journal })
    await database.collection<{ _id: string }>('locks').insertOne({ _id: 'dead', key: journal.app, beat: 3 } as never)
    expect(await store.due('jobs', 'dueAt', 1)).toEqual([])
    expect(await journals.countDocuments()).toBe(0)
    expect(await store.app(own).collection('flows').get(flow.id)).toMatchObject({ name: 'b' })
    expect(await store.unsettled()).toEqual([{ scope: own, revision: 2 }])
  })

  test.each<[string, (id: string) => object, { stamp?: string }]>([
    ['of a document that was written since', () => origin('flow', 'new', idOf(9)), { stamp: 'old' }],
    ['of a unique combination that was given away since', () => origin('flow', 'taken', idOf(9)), {}],
  ])(
    'after it lost its turn has begun nothing that keeps others from writing: a batch %s',
    async (_, made, { stamp }) => {
      const url = mongoDatabase()
      const app = (await open(url, 400)).app(own)
      const first = await app.collection('recipes').insert(recipe('first'))
      await app.collection('origins').insert(origin('flow', 'taken', first.id))
      const database = await raw(url)
      const dates = { revision: 1, creationDate: 1, lastUpdated: 1 }
      const change = await stepOf(database, 'recipes', first.id, { ...first, name: 'late', revision: 2 })
      const insert = await stepOf(database, 'origins', idOf(7), { id: idOf(7), ...dates, ...made(first.id) } as never)
      // As if what it wrote down had been on its way for so long that another one has had a turn since.
      const steps = [{ ...change, before: stamp ?? change.before }, insert]
      const app_ = JSON.stringify(['t1', 'a1'])
      const late = { app: app_, token: 'x', parts: 0, revision: null, steps }
      await database.collection<{ _id: string }>('journals').insertOne({ _id: app_, ...late })
      await app.collection('recipes').insert(recipe('second'))
      expect((await app.collection('recipes').find()).map(({ name }) => name).sort()).toEqual(['first', 'second'])
      expect(await app.collection('origins').count()).toBe(1)
      expect(await database.collection('journals').countDocuments()).toBe(0)
    },
  )

  test('loses its turn to one that waits, but only when it has stopped to beat', async () => {
    const url = mongoDatabase()
    const app = (await open(url, 1_000)).app(own)
    const locks = (await raw(url)).collection<{ _id: string; key: string; beat: number }>('locks')
    await locks.insertOne({ _id: 'other', key: JSON.stringify(['t1', 'a1']), beat: 0 })
    let written = false
    const writing = app
      .collection('recipes')
      .insert(recipe('second'))
      .then(() => {
        written = true
      })
    for (let beat = 1; beat <= 8; beat += 1) {
      await sleep(150)
      expect((await locks.updateOne({ _id: 'other' }, { $inc: { beat: 1 } })).matchedCount).toBe(1)
      expect(written).toBe(false)
    }
    await writing
    expect(await locks.countDocuments({ _id: 'other' })).toBe(0)
  })

  test('of its own will lets nobody wait', async () => {
    const url = mongoDatabase()
    const first = await open(url, 60_000)
    const writing = first.app(own).collection('recipes').insert(recipe('first'))
    await writing
    await first.close()
    await (await open(url, 60_000)).app(own).collection('recipes').insert(recipe('second'))
  })
})

describe('large things on MongoDB', () => {
  test('a batch of more than fits into one document is written whole', async () => {
    const app = (await open(mongoDatabase())).app(own)
    const text = 'x'.repeat(5_000_000)
    const documents = [1, 2, 3].map((n) => ({ id: idOf(n), name: `r${n}`, template: { text } }))
    await app.write(documents.map((document) => ({ insert: 'recipes' as const, document })))
    expect((await app.collection('recipes').get(idOf(3)))?.template).toEqual({ text })
    expect(await app.collection('recipes').count()).toBe(3)
  })

  test('a document or value of more than 15 MB is refused, and nothing changed', async () => {
    const app = (await open(mongoDatabase())).app(own)
    const text = 'x'.repeat(16_000_000)
    const large = app.collection('recipes').insert({ name: 'large', template: { text } })
    await expect(large).rejects.toMatchObject({ code: 'limit' })
    await expect(app.values.set('flow', 'k', text)).rejects.toMatchObject({ code: 'limit' })
    expect(await app.collection('recipes').count()).toBe(0)
  })

  test('documents may exchange what no two of them share', async () => {
    const app = (await open(mongoDatabase())).app(own)
    const origins = app.collection('origins')
    const [a, b] = [await origins.insert(origin('k', 'a', 'A')), await origins.insert(origin('k', 'b', 'B'))]
    await app.write([
      { update: 'origins', id: a.id, change: { key: 'free' } },
      { update: 'origins', id: b.id, change: { key: 'a' } },
      { update: 'origins', id: a.id, change: { key: 'b' } },
    ])
    expect(await origins.get(a.id)).toMatchObject({ key: 'b', revision: 3 })
    expect(await origins.get(b.id)).toMatchObject({ key: 'a', revision: 2 })
    const crossing = app.write([
      { update: 'origins', id: a.id, change: { key: 'a' } },
      { update: 'origins', id: b.id, change: { key: 'b' } },
    ])
    await expect(crossing).rejects.toMatchObject({ code: 'duplicate', details: { operation: 0 } })
  })
})

describe('a MongoDB that goes away', () => {
  let server: PrivateMongo
  beforeAll(async () => {
    server = await openPrivateMongo()
  })
  afterAll(() => server.close())

  const away: [string, { stop(): unknown; start(): unknown }][] = [
    ['was killed', { stop: () => server.kill(), start: () => server.start() }],
    ['hangs', { stop: () => server.hang(), start: () => server.resume() }],
  ]
  test.each(away)(
    'and %s: calls are refused as unavailable and work again when it is back',
    async (_name, how) => {
      const store = await open(`${server.url}away`, 1_000)
      const app = store.app(own)
      const before = await app.collection('recipes').insert(recipe('before'))
      await how.stop()
      try {
        const since = performance.now()
        const calls = [
          store.check(),
          app.collection('recipes').find(),
          app.collection('recipes').insert(recipe('lost')),
          app.values.add('flow', 'n', 1),
          app.telemetry.append([{ deviceId: idOf(1), time: 1, data: { a: 1 } }]),
          app.blobs.read('k'),
        ]
        for (const call of await Promise.allSettled(calls)) {
          expect(call).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
        }
        expect(performance.now() - since).toBeLessThan(10_000)
      } finally {
        await how.start()
      }
      await expect
        .poll(
          () =>
            store.check().then(
              () => true,
              () => false,
            ),
          { timeout: 10_000 },
        )
        .toBe(true)
      await expect
        .poll(
          () =>
            app
              .collection('recipes')
              .insert(recipe('after'))
              .then(
                () => true,
                () => false,
              ),
          { timeout: 10_000 },
        )
        .toBe(true)
      expect(await app.collection('recipes').get(before.id)).toEqual(before)
    },
    40_000,
  )

  test('is told in one line without the password when it cannot be reached', async () => {
    const url = 'mongodb://someone:very-secret@127.0.0.1:1/x'
    const error = (await openStore(url, '').catch((cause: unknown) => cause)) as Error
    expect(error).toBeInstanceOf(StoreError)
    expect(error.message).toMatch(/^MongoDB did not answer[^\n]*$/)
    expect(error.message).not.toContain('very-secret')
  })

  test.each([
    'http://x',
    'mongodb:/x',
    'mongodb://',
    'mongodb://u:very-secret@:port/x',
    'mongodb+srv://u:very-secret@a:1',
  ])('is told in one line when the URL is %s', async (url) => {
    const error = (await openStore(url, '').catch((cause: unknown) => cause)) as Error
    expect(error).toMatchObject({ code: 'unavailable' })
    // It would quote the URL.
    expect(error.cause).toBeUndefined()
    expect(error.message).toMatch(/^Expected the URL of the store as mongodb:\/\/[^\n]*$/)
    expect(error.message).not.toContain('very-secret')
  })
})

describe('a newer release', () => {
  test('finds what an older one wrote by fields that were not declared then', async () => {
    const url = mongoDatabase()
    const { recipes, ...others } = collections
    const older = await openMongo({ url, plans: { ...others, recipes: { fields: [] } } })
    const written = await older.app(own).collection('recipes').insert(recipe('Pump'))
    await older.close()
    const newer = (await open(url)).app(own).collection('recipes')
    expect(await newer.find({ filter: { field: 'name', op: 'eq', value: 'Pump' } })).toEqual([written])
    expect(recipes.fields).toContain('name')
    expect(await newer.update(written.id, { name: 'Valve' }, { revision: 1 })).toMatchObject({ revision: 2 })
  })
})

describe('a server that will not do', () => {
  const refused = { ok: 0, code: 18, codeName: 'AuthenticationFailed', errmsg: 'Authentication failed.' }
  const servers: [string, Parameters<typeof openFakeMongo>[0], RegExp][] = [
    [
      'is older than 6',
      { version: '5.0.31', maxWireVersion: 13 },
      /^Expected MongoDB 6\.0 or newer, found 5\.0\.31\. /,
    ],
    [
      'is older than the driver',
      { version: '3.6.0', maxWireVersion: 6 },
      /^Expected MongoDB 6\.0 or newer, found a much/,
    ],
    [
      'knows another password',
      { version: '7.0.0', maxWireVersion: 21, refusal: refused },
      /^MongoDB refused the user\. /,
    ],
  ]
  test.each(servers)('because it %s is named in one line', async (_name, options, expected) => {
    const fake = await openFakeMongo(options)
    onTestFinished(() => fake.close())
    const user = options.refusal === undefined ? '' : 'someone:very-secret@'
    const error = (await openStore(`mongodb://${user}${fake.host}/x`, '').catch((cause: unknown) => cause)) as Error
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringMatching(expected) })
    expect(error.message).not.toMatch(/very-secret|\n/)
  })
})

/** A step of a journal from what the document is now to what it will be, made by a store beside. */
async function stepOf(database: Awaited<ReturnType<typeof raw>>, collection: string, id: string, document: object) {
  const { layoutsOf } = await import('../../../server/store/mongo-plan.ts')
  const { appKeyOf, toStored } = await import('../../../server/store/mongo-document.ts')
  const found = await database.collection(`c_${collection}`).findOne({ id })
  const after = toStored(appKeyOf(own), layoutsOf().get(collection)!, document as never)
  return { collection, id, before: found?.stamp ?? null, after, releases: false }
}
