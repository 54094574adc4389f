import type { LookupFunction } from 'node:net'
import type { Collection, Document, MongoClient } from 'mongodb'
import { FlowError } from '../../engine/errors.ts'
import type { MongoMethod } from '../../nodes/services/connections.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { Guard } from '../egress-guard.ts'
import { MOST_BYTES, MOST_ROWS, tooLarge, tooMany } from './answers.ts'
import { checkMongoUri, guardDiscovery } from './mongo-guard.ts'
import { type Link, unlessAborted } from './pool.ts'

export interface MongoLink extends Link {
  run(request: { collection: string; method: MongoMethod; args: readonly unknown[] }): Promise<unknown>
}

const CONNECT_MS = 10_000
const ANSWER_MS = 30_000

/** Opens a client of one connection to MongoDB. Throws Refusal for a URI that is not usable here. Whoever opens it closes it. */
export async function openMongo(
  { uri, signal }: { uri: string; signal: AbortSignal },
  guard: Guard,
): Promise<MongoLink> {
  checkMongoUri(uri)
  const { BSON, MongoClient } = await import('mongodb')
  const refused = Promise.withResolvers<never>()
  // Told at once: the driver would try again until its time is over.
  const lookup: LookupFunction = (host, options, done) =>
    guard.lookup(host, options, (error, ...found) => {
      if (error instanceof FlowError) refused.reject(error)
      done(error, ...found)
    })
  refused.promise.catch(() => undefined)
  const client: MongoClient = new MongoClient(uri.trim(), {
    ...{ lookup, maxPoolSize: 1, appName: 'headgate' },
    ...{ serverSelectionTimeoutMS: CONNECT_MS, connectTimeoutMS: CONNECT_MS, socketTimeoutMS: ANSWER_MS },
  })
  guardDiscovery(client, guard)
  let reusable = true
  const close = () => {
    reusable = false
    // Nobody waits for it, and nothing is left to do when it fails.
    client.close(true).catch(() => undefined)
  }
  try {
    await unlessAborted(signal, () => Promise.race([client.connect(), refused.promise]))
  } catch (error) {
    close()
    throw error
  }
  return {
    get reusable() {
      return reusable
    },
    close,
    async run({ collection, method, args }) {
      const values = args.map((value) => (value === undefined ? undefined : BSON.EJSON.deserialize(value as Document)))
      const answer = await methods[method](client.db().collection(collection), values as Document[])
      if (answer === null || typeof answer !== 'object' || !(Symbol.asyncIterator in answer)) return answer
      const items: Document[] = []
      let size = 0
      for await (const item of answer as AsyncIterable<Document>) {
        size += BSON.calculateObjectSize(item)
        if (size > MOST_BYTES) throw tooLarge()
        if (items.push(item) > MOST_ROWS) throw tooMany()
      }
      return items
    },
  }
}

type Call = (collection: Collection, args: Document[]) => unknown

const methods: Record<MongoMethod, Call> = {
  count: (collection, [filter, options]) => collection.countDocuments(filter, options),
  countDocuments: (collection, [filter, options]) => collection.countDocuments(filter, options),
  find: (collection, [filter = {}, options]) => collection.find(filter, options),
  findOne: (collection, [filter = {}, options]) => collection.findOne(filter, options),
  insertOne: (collection, [document, options]) => collection.insertOne(needed(document), options),
  insertMany: (collection, [documents, options]) => collection.insertMany(listOf(documents), options),
  insert: (collection, [given, options]) =>
    Array.isArray(given) ? collection.insertMany(given, options) : collection.insertOne(needed(given), options),
  updateOne: (collection, [filter, update, options]) => collection.updateOne(needed(filter), needed(update), options),
  updateMany: (collection, [filter, update, options]) => collection.updateMany(needed(filter), needed(update), options),
  replaceOne: (collection, [filter, document, options]) =>
    collection.replaceOne(needed(filter), needed(document), options),
  // As the shell had it: one document, unless `multi`; a document without operators takes the place of the other.
  update: (collection, [filter, update, { multi, ...options } = {}]) => {
    const replaces = !Object.keys(needed(update)).some((key) => key.startsWith('$'))
    if (replaces) return collection.replaceOne(needed(filter), needed(update), options)
    return multi === true
      ? collection.updateMany(needed(filter), needed(update), options)
      : collection.updateOne(needed(filter), needed(update), options)
  },
  deleteOne: (collection, [filter, options]) => collection.deleteOne(needed(filter), options),
  deleteMany: (collection, [filter, options]) => collection.deleteMany(needed(filter), options),
  // All that the filter finds, unless `justOne`.
  remove: (collection, [filter, { justOne, ...options } = {}]) =>
    justOne === true ? collection.deleteOne(needed(filter), options) : collection.deleteMany(needed(filter), options),
  distinct: (collection, [field, filter = {}, options = {}]) => collection.distinct(String(field), filter, options),
  aggregate: (collection, [pipeline, options]) => collection.aggregate(listOf(pipeline), options),
}

// A filter that is missing must never be one that finds everything.
function needed(value: Document | undefined): Document {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value
  throw new Refusal(
    'Validation',
    `Expected an object as an argument, got ${value === undefined ? 'nothing' : typeof value}`,
  )
}

function listOf(value: Document | undefined): Document[] {
  if (Array.isArray(value)) return value
  throw new Refusal('Validation', 'Expected a list as the first argument, got something else')
}
