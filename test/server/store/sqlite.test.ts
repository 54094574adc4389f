import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { AppStore, Filter, WriteOperation } from '../../../server/store/port.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'
import { declaredPlans } from '../../../server/store/sqlite-plan.ts'
import { openTestStore, temporaryFolder } from '../../helpers/store.ts'
import { idOf, own, strangers } from './adapters.ts'

const device = { name: 'Pump', deviceClass: 'standalone', tags: [], attributes: [], groupIds: [] }

async function temporaryFile(): Promise<string> {
  return join(await temporaryFolder(), 'data', 'store.db')
}

test('keeps everything over closing and opening', async () => {
  const file = await temporaryFile()
  const first = await openSqlite({ file })
  const inserted = await first.app(own).collection('devices').insert(device)
  await first.app(own).values.set('s', 'k', 1)
  await first.close()
  const second = await openSqlite({ file })
  expect(await second.app(own).collection('devices').find()).toEqual([inserted])
  expect(await second.app(own).values.get('s', 'k')).toBe(1)
  await second.close()
})

test('has every acknowledged write, and no half of one, after the process was killed while writing', async () => {
  const file = await temporaryFile()
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'crash-writer.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: { n: number; id: string }[] = []
  for await (const line of createInterface({ input: writer.stdout })) {
    const [n = '', id = ''] = line.split(' ')
    acknowledged.push({ n: Number(n), id })
    // Lines that were on the way when the signal came are read as well.
    if (acknowledged.length === 50) writer.kill('SIGKILL')
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
  expect(writer.signalCode).toBe('SIGKILL')

  const store = await openSqlite({ file })
  const app = store.app(own)
  for (const { n, id } of acknowledged) {
    expect(await app.collection('flows').get(id)).toMatchObject({ revision: 2, description: 'updated' })
    const origins = await app.collection('origins').find({ filter: { field: 'targetId', op: 'eq', value: id } })
    expect(origins.map(({ kind }) => kind).toSorted()).toEqual(['flow', 'twin'])
    expect((await app.telemetry.last([id])).get(id)?.n?.value).toBe(n)
    const content = []
    for await (const chunk of (await app.blobs.read(id)) ?? []) content.push(chunk)
    expect(Buffer.concat(content).equals(Buffer.alloc(300_000, n % 256))).toBe(true)
  }
  expect(await app.values.get('counter', 'n')).toBeGreaterThanOrEqual(acknowledged.length)
  // What was not acknowledged is there whole or not at all.
  expect((await app.collection('origins').count()) % 2).toBe(0)
  const flows = await app.collection('flows').find({ limit: 10_000 })
  expect(await app.revision()).toBe(flows.reduce((sum, { revision }) => sum + revision, 0))
  await store.close()
})

test('serves two processes at once: each sees what the other wrote, ids and conflicts included', async () => {
  const file = await temporaryFile()
  const [one, two] = [await openSqlite({ file }), await openSqlite({ file })]
  const mine = one.app(own).collection('devices')
  const theirs = two.app(own).collection('devices')
  expect(await theirs.count()).toBe(0)
  const { id } = await mine.insert(device)
  await theirs.update(id, { name: 'Valve' }, { revision: 1 })
  await expect(mine.update(id, { name: 'Fan' }, { revision: 1 })).rejects.toMatchObject({ code: 'conflict' })
  expect(await mine.get(id)).toMatchObject({ name: 'Valve', revision: 2 })
  await one.close()
  expect(await theirs.count()).toBe(1)
  await two.close()
})

test('fails as unavailable when another process keeps the file from being written, and still reads', async () => {
  const file = await temporaryFile()
  const store = await openSqlite({ file, busyTimeoutMs: 20 })
  const values = store.app(own).values
  await values.set('s', 'k', 1)
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  await expect(values.set('s', 'k', 2)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await values.get('s', 'k')).toBe(1)
  other.exec('ROLLBACK')
  other.close()
  await values.set('s', 'k', 2)
  expect(await values.get('s', 'k')).toBe(2)
  await store.close()
})

test('refuses a file of a newer release, of another program and one that is no database', async () => {
  const newer = await temporaryFile()
  await (await openSqlite({ file: newer })).close()
  const raw = new DatabaseSync(newer)
  raw.exec('PRAGMA user_version = 999')
  raw.close()
  await expect(openSqlite({ file: newer })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('version 999'),
  })

  const folder = await temporaryFolder()
  const foreign = join(folder, 'foreign.db')
  const other = new DatabaseSync(foreign)
  other.exec('CREATE TABLE theirs (a)')
  other.close()
  await expect(openSqlite({ file: foreign })).rejects.toMatchObject({ code: 'unavailable' })

  const text = join(folder, 'text.db')
  await writeFile(text, 'no database at all, but long enough to have a header of a hundred bytes or more. '.repeat(9))
  await expect(openSqlite({ file: text })).rejects.toMatchObject({ code: 'unavailable' })
})

test('makes the index of a collection again when its plan has changed', async () => {
  const file = await temporaryFile()
  const { devices, ...others } = declaredPlans
  if (devices === undefined) throw new Error('There are devices')
  const small = { ...others, devices: { fields: ['deviceClass'], tags: ['tags'] } }
  const first = await openSqlite({ file, plans: small })
  const given = { ...device, tags: [{ key: 'a', value: 'b' }], groupIds: [idOf(1)] }
  const inserted = await first.app(own).collection('devices').insert(given)
  await first
    .app(strangers[0])
    .collection('devices')
    .insert({ ...device, id: inserted.id })
  const named: Filter = { field: 'name', op: 'eq', value: 'Pump' }
  await expect(first.app(own).collection('devices').find({ filter: named })).rejects.toMatchObject({ code: 'field' })
  await first.close()

  const second = await openSqlite({ file })
  const collection = second.app(own).collection('devices')
  for (const filter of [named, { tag: 'tags', key: { in: ['a'] } }, { list: 'groupIds', has: [idOf(1)] }]) {
    expect(await collection.find({ filter })).toEqual([inserted])
  }
  await collection.update(inserted.id, { tags: [] })
  expect(await collection.count({ tag: 'tags' })).toBe(0)
  await second.close()
})

test('keeps a collection that was declared today', async () => {
  const plans = { ...declaredPlans, reports: { fields: ['title'], lists: ['readers'], unique: [['title']] } }
  const store = await openSqlite({ file: await temporaryFile(), plans })
  const reports = store.app(own).collection('reports' as 'recipes')
  const report = { title: 'May', readers: ['a'] } as never
  const inserted = await reports.insert(report)
  expect(await reports.find({ filter: { list: 'readers', has: ['a'] } })).toEqual([inserted])
  await expect(reports.insert(report)).rejects.toMatchObject({ code: 'duplicate' })
  await store.close()
})

test('says that no room is left, keeps what was there, and goes on when there is room again', async () => {
  const file = await temporaryFile()
  const store = await openSqlite({ file, mostPages: 400 })
  const blobs = store.app(own).blobs
  await blobs.put('kept', Buffer.from('kept'))
  await expect(blobs.put('large', Buffer.alloc(3_000_000))).rejects.toMatchObject({ code: 'full' })
  expect(await blobs.read('large')).toBeUndefined()
  expect(await blobs.read('kept')).toBeDefined()
  await blobs.put('small', Buffer.alloc(100_000))
  await store.close()
})

test('removes after a day what a broken upload left behind, and nothing younger', async () => {
  const file = await temporaryFile()
  const store = await openSqlite({ file })
  const blobs = store.app(own).blobs
  await blobs.put('kept', Buffer.from('kept'))
  const raw = new DatabaseSync(file)
  const day = 24 * 60 * 60 * 1000
  for (const [content, age] of [
    [77, day + 60_000],
    [78, day - 60_000],
  ] as const) {
    raw.prepare('INSERT INTO contents (content, app, started) VALUES (?, 1, ?)').run(content, Date.now() - age)
    raw.prepare('INSERT INTO chunks (app, content, position, data) VALUES (1, ?, 0, ?)').run(content, Buffer.from('x'))
  }
  await blobs.put('another', Buffer.from('x'))
  const left = raw.prepare('SELECT content FROM chunks WHERE content BETWEEN 77 AND 78').all()
  expect(left.map(({ content }) => content)).toEqual([78])
  expect(await blobs.read('kept')).toBeDefined()
  raw.close()
  await store.close()
})

/** 40,000 devices of three groups of very different size, so that each way to a page is taken. */
async function largeWorld(): Promise<AppStore> {
  const app = (await openTestStore()).app(own)
  const [root, middle, leaf] = [idOf(1), idOf(2), idOf(3)]
  const above = { [root]: [], [middle]: [root], [leaf]: [root, middle] }
  const operations: WriteOperation[] = Object.entries(above).map(([id, ancestorIds]) => ({
    insert: 'groups',
    document: { id, name: 'g', ancestorIds, groupTags: {}, deviceIds: [], deviceTags: [] },
  }))
  for (let n = 0; n < 40_000; n += 1) {
    const groupIds = [n % 400 === 0 ? leaf : n % 10 === 0 ? middle : root, ...(n % 2000 === 0 ? [middle] : [])]
    const tags = [{ key: 'third', value: `${n % 3}` }]
    operations.push({
      insert: 'devices',
      document: { ...device, id: idOf(100 + n), name: `Device ${(n * 7919) % 1000}`, tags, groupIds },
    })
  }
  await app.write(operations)
  return app
}

test('gives the same order and count whichever way the size of the set calls for', { timeout: 60_000 }, async () => {
  const app = await largeWorld()
  const devices = app.collection('devices')
  const everyone = []
  for await (const one of devices.each()) everyone.push(one)
  expect(everyone.length).toBe(40_000)
  expect(everyone.map(({ id }) => id)).toEqual(everyone.map(({ id }) => id).toSorted())
  const folded = everyone
    .map((one) => ({ ...one, key: `${one.name.toLowerCase()}\0${one.id}` }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const depth = [40_000, 4000, 100]
  const third: Filter = { tag: 'tags', key: { in: ['third'] }, value: { in: ['1'] } }
  for (const [n, size] of depth.entries()) {
    const within: Filter = { within: [idOf(n + 1)] }
    const groups = [idOf(1), idOf(2), idOf(3)].slice(n)
    const mine = folded.filter(({ groupIds }) => groupIds.some((id) => groups.includes(id)))
    expect(mine).toHaveLength(size)
    for (const [filter, expected] of [
      [within, mine],
      [{ all: [within, third] }, mine.filter(({ tags }) => tags[0]?.value === '1')],
      [{ all: [{ not: { not: within } }] }, mine],
    ] as const) {
      expect(await devices.count(filter)).toBe(expected.length)
      for (const skip of [0, 30, expected.length - 10]) {
        const page = await devices.find({ filter, sort: { field: 'name', direction: 'asc' }, skip, limit: 50 })
        expect(page.map(({ id }) => id)).toEqual(expected.slice(skip, skip + 50).map(({ id }) => id))
      }
      const last = await devices.find({ filter, sort: { field: 'name', direction: 'desc' }, limit: 20 })
      expect(last.map(({ id }) => id)).toEqual(
        expected
          .slice(-20)
          .reverse()
          .map(({ id }) => id),
      )
    }
  }
})

test('walks over a collection that changes: what was there all the time comes once', async () => {
  const devices = (await openTestStore()).app(own).collection('devices')
  for (let n = 0; n < 1200; n += 1) await devices.insert({ ...device, id: idOf(1000 + n) })
  const seen: string[] = []
  for await (const { id } of devices.each()) {
    seen.push(id)
    if (seen.length === 600) {
      await devices.remove(id)
      await devices.remove(idOf(2100))
      await devices.insert({ ...device, id: idOf(1) })
      await devices.insert({ ...device, id: idOf(9000) })
      await devices.update(idOf(1005), { name: 'A' })
    }
  }
  expect(seen).toEqual(seen.toSorted())
  expect(new Set(seen).size).toBe(seen.length)
  for (let n = 0; n < 1200; n += 1) if (n !== 1100) expect(seen).toContain(idOf(1000 + n))
})
