import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Db, MongoClient } from 'mongodb'
import { afterAll, inject, onTestFinished } from 'vitest'
import { openMongo } from '../../server/store/mongo.ts'
import { openStore } from '../../server/store/open.ts'
import type { Store } from '../../server/store/port.ts'
import { openSqlite } from '../../server/store/sqlite.ts'

const folders: string[] = []
const stores: Store[] = []
/** Databases made by this file, and those of them that are empty and that nobody uses. */
const databases: string[] = []
const idle: string[] = []

afterAll(async () => {
  for (const store of stores.splice(0)) await store.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
  if (databases.length > 0) {
    await inMongo(async (client) => {
      for (const url of databases.splice(0)) await client.db(databaseOf(url)).dropDatabase()
    })
  }
})

/** A new folder, removed after the tests of the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-'))
  folders.push(folder)
  return folder
}

let onMongo = process.env.HEADGATE_TEST_STORE === 'mongo'

/** From now on the stores of this file are on MongoDB, as those of all files are with HEADGATE_TEST_STORE=mongo. */
export function storesOnMongo(): void {
  onMongo = true
}

/** How often a property is tried: FerretDB searches by reading everything, so there it is a twenty-fifth. */
export function runsOf(numRuns: number): number {
  return onMongo ? Math.ceil(numRuns / 25) : numRuns
}

/** STORE_URL of a new store of these tests; none where they are embedded. */
export function storeSettings(): { STORE_URL?: string } {
  return onMongo ? { STORE_URL: mongoDatabase() } : {}
}

/** An empty store; closed and removed after the tests of the file, or closed before. */
export async function openTestStore(): Promise<Store> {
  const store = await openStore(storeSettings().STORE_URL, join(await temporaryFolder(), 'store.db'))
  stores.push(store)
  return store
}

/** As `openTestStore`, embedded wherever the other tests are. */
export async function openTestSqlite(): Promise<Store> {
  const store = await openSqlite({ file: join(await temporaryFolder(), 'store.db') })
  stores.push(store)
  return store
}

/** URL of a new database of the MongoDB of the tests, dropped after the tests of the file. Only where there is one. */
export function mongoDatabase(): string {
  const mongo = inject('mongo')
  if (!('url' in mongo)) throw new Error(`Expected a MongoDB for the tests. ${mongo.reason}`)
  const url = new URL(mongo.url)
  url.pathname = `headgate_test_${randomBytes(6).toString('hex')}`
  databases.push(url.href)
  return url.href
}

/** An empty store on MongoDB for the running test, closed after it or before. Its database is emptied and used again. */
export async function openTestMongo(): Promise<Store> {
  const url = idle.pop() ?? mongoDatabase()
  const store = await openMongo({ url })
  onTestFinished(async () => {
    await store.close()
    await inMongo((client) => empty(client.db(databaseOf(url))))
    idle.push(url)
  })
  return store
}

/** Removes all documents of the databases of this file, while nobody writes: FerretDB searches by reading everything. */
export async function emptyDatabases(): Promise<void> {
  if (databases.length === 0) return
  await inMongo(async (client) => {
    for (const url of databases) await empty(client.db(databaseOf(url)))
  })
}

async function empty(database: Db) {
  for (const { collectionName } of await database.collections()) {
    // How the documents lie stays as it is.
    if (collectionName !== 'plans') await database.collection(collectionName).deleteMany()
  }
}

async function inMongo(work: (client: MongoClient) => Promise<void>) {
  const mongo = inject('mongo')
  if (!('url' in mongo)) return
  const client = new MongoClient(mongo.url)
  try {
    await work(client)
  } finally {
    await client.close()
  }
}

function databaseOf(url: string): string {
  return new URL(url).pathname.slice(1)
}
