import { type Connection, isDuplicate } from './mongo-client.ts'
import { keyOf } from './mongo-document.ts'
import type { Turns } from './mongo-turns.ts'
import { StoreError, type Values } from './port.ts'

const mostEntriesChars = 5 << 20
const mostBytes = 15 * 1024 * 1024
const pageSize = 100

interface Value {
  _id: string
  app: string
  space: string
  key: string
  json: string
}

/** The small values of one application, each a document with its JSON text. Throws StoreError `limit` for one of over 15 MB. */
export function openValues(connection: Connection, appKey: string, turns: Turns): Values {
  const table = () => connection.collection<Value>('values')
  const idOf = (space: string, key: string) => keyOf(appKey, 'value', space, key)

  async function read(_id: string): Promise<string | undefined> {
    return (await table().findOne({ _id }, { projection: { json: 1 } }))?.json
  }

  /** False when the value is not `before` any more: another process was faster. Undefined is "nothing there". */
  async function exchange(space: string, key: string, before: string | undefined, after: string | undefined) {
    const _id = idOf(space, key)
    if (after === undefined) {
      return before === undefined
        ? (await read(_id)) === undefined
        : (await table().deleteOne({ _id, json: before })).deletedCount > 0
    }
    if (before !== undefined) {
      return (await table().updateOne({ _id, json: before }, { $set: { json: after } })).matchedCount > 0
    }
    try {
      await table().insertOne({ _id, app: appKey, space, key, json: after })
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  return {
    get: (space, key) =>
      connection.ask(async () => {
        const json = await read(idOf(space, key))
        return json === undefined ? undefined : JSON.parse(json)
      }),

    entries: (space) =>
      connection.ask(async () => {
        const entries: [string, unknown][] = []
        let chars = 0
        const found = table().find({ app: appKey, space }, { sort: { key: 1 }, batchSize: pageSize })
        for await (const { key, json } of found) {
          chars += key.length + json.length
          if (chars > mostEntriesChars) {
            throw new StoreError('limit', `More than ${mostEntriesChars} characters are stored in "${space}"`)
          }
          entries.push([key, JSON.parse(json)])
        }
        return Object.fromEntries(entries)
      }),

    set: (space, key, value) =>
      turns.alone(idOf(space, key), async () => {
        const _id = idOf(space, key)
        const json = jsonOf(value)
        if (json === undefined) {
          await table().deleteOne({ _id })
          return
        }
        for (;;) {
          const { matchedCount } = await table().updateOne({ _id }, { $set: { json } })
          if (matchedCount > 0 || (await exchange(space, key, undefined, json))) return
        }
      }),

    take: (space, key) =>
      turns.alone(idOf(space, key), async () => {
        const taken = await table().findOneAndDelete({ _id: idOf(space, key) })
        return taken === null ? undefined : JSON.parse(taken.json)
      }),

    add: (space, key, amount) =>
      turns.alone(idOf(space, key), async () => {
        for (;;) {
          const before = await read(idOf(space, key))
          const value: unknown = before === undefined ? 0 : JSON.parse(before)
          const sum = typeof value === 'number' ? value + amount : Number.NaN
          if (!Number.isFinite(sum)) {
            const message = `Expected a number under "${key}" and a finite sum, got a ${typeof value}.`
            throw new StoreError('not-number', message)
          }
          if (await exchange(space, key, before, jsonOf(sum))) return sum
        }
      }),

    swap: (space, key, { before, after }) =>
      turns.alone(idOf(space, key), async () => {
        const found = await read(idOf(space, key))
        // A text may lie there in another order of keys than it is given back in.
        const now = found === undefined ? undefined : JSON.stringify(JSON.parse(found))
        return now === JSON.stringify(before) && exchange(space, key, found, jsonOf(after))
      }),
  }
}

/** Undefined for what has no JSON. */
function jsonOf(value: unknown): string | undefined {
  const json = JSON.stringify(value) as string | undefined
  if (json !== undefined && Buffer.byteLength(json) > mostBytes) {
    throw new StoreError('limit', `Expected a value of at most ${mostBytes} bytes of JSON, got more.`)
  }
  return json
}
