import type { DeviceCriteria } from '../../nodes/services/devices.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { Commands } from '../../nodes/services/messages.ts'
import type { Order } from '../mqtt/relay.ts'
import { commandTopic } from '../mqtt/topics.ts'
import type { AppStore, Filter, WriteOperation } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import { chunks } from '../tenancy/batch.ts'
import type { Actor } from './happenings.ts'
import { isoOf } from './listing.ts'

export interface CommandDeps {
  app: AppStore
  now(): number
  actor: Actor
  filterOf(criteria: DeviceCriteria): Promise<Filter>
  perform(app: AppStore, orders: readonly Order[]): Promise<void>
}

const mostPayloadBytes = 256 * 1024
const atOnce = 200
const mostKept = 10_000
const pruneEvery = 200
// Of all handles of the process: a handle is opened for each run.
const sentSince = new Map<string, number>()

/** Commands to the devices of one application, as `actor` sends them. */
export function openCommands({ app, now, actor, filterOf, perform }: CommandDeps): Commands {
  const collection = app.collection('deviceCommands')

  async function* targets(ids: readonly string[], criteria: readonly DeviceCriteria[]): AsyncIterable<string> {
    const seen = new Set<string>()
    for (const part of chunks([...new Set(ids.map((id) => id.trim().toLowerCase()))], 1_000)) {
      for (const { id } of await app.collection('devices').getMany(part)) {
        seen.add(id)
        yield id
      }
    }
    for (const one of criteria) {
      for await (const { id } of app.collection('devices').each(await filterOf(one))) {
        if (!seen.has(id)) yield id
        seen.add(id)
      }
    }
  }

  async function sendAll(ids: readonly string[], command: { name: string; payload?: unknown; time: number }) {
    const source = { sourceType: actor.type, sourceId: actor.id }
    await app.write(
      ids.map(
        (deviceId): WriteOperation => ({ insert: 'deviceCommands', document: { deviceId, ...command, ...source } }),
      ),
    )
    const { name, payload, time } = command
    const message = { name, time: { $date: isoOf(time) }, ...(payload === undefined ? {} : { payload }) }
    const text = Buffer.from(JSON.stringify(message))
    await perform(
      app,
      ids.map((id) => ({ kind: 'publish', topic: commandTopic(id), payload: text })),
    )
    await prune(ids.length)
  }

  /** The oldest beyond 10,000 of the application are forgotten, now and then. */
  async function prune(sent: number): Promise<void> {
    const key = scopeKey(app.scope)
    const count = (sentSince.get(key) ?? 0) + sent
    sentSince.set(key, count < pruneEvery ? count : 0)
    if (count < pruneEvery) return
    const sort = { field: 'creationDate', direction: 'desc' } as const
    const old = await collection.find({ sort, skip: mostKept, limit: 2 * pruneEvery + count })
    for (const { id } of old) await collection.remove(id)
  }

  return {
    async send({ ids = [], criteria = [], name, payload, time = now() }) {
      if (name.length === 0 || name.length > 255) {
        throw new Refusal('Validation', `Expected a command name of 1 to 255 characters, got ${name.length}`)
      }
      const bytes = Buffer.byteLength(JSON.stringify(payload) ?? '')
      if (bytes > mostPayloadBytes) {
        throw new Refusal('Validation', `Expected a payload of at most ${mostPayloadBytes} bytes of JSON, got ${bytes}`)
      }
      let sent = 0
      let batch: string[] = []
      const flush = async () => {
        if (batch.length > 0) await sendAll(batch, { name, time, ...(payload === undefined ? {} : { payload }) })
        sent += batch.length
        batch = []
      }
      for await (const id of targets(ids, criteria)) {
        batch.push(id)
        if (batch.length >= atOnce) await flush()
      }
      await flush()
      return sent
    },
  }
}
