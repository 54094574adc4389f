import { Refusal } from '../../nodes/services/listing.ts'
import { isoOf } from '../resources/listing.ts'
import type { Resources } from '../resources/resources.ts'
import { newId } from '../store/id.ts'
import type { AppStore, Filter, Store } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'

/** A connection as it is kept in the store. */
export interface Presence {
  app: AppStore
  /** Of the session. */
  id: string
  deviceId: string
  address: string
  startedAt: number
}

/** Writes down who is connected, and tells flows. */
export interface PresenceBook {
  connected(app: AppStore, device: { deviceId: string; address: string }): Promise<Presence>
  /** Never rejects. */
  ended(presence: Presence, end: { reason: string; received: number; sent: number }): Promise<void>
  /** Says that this broker lives; ends sessions of brokers that have died, in all applications. */
  repair(): Promise<void>
  /** Waits for what is being written. */
  settle(): Promise<void>
}

export interface PresenceDeps {
  store: Store
  now(): number
  resources(app: AppStore): Resources
  /** The store has this one process: all that is not its own is over. */
  alone: boolean
  onError(error: unknown): void
}

/** A broker that has not said for so long that it lives is dead. */
const deadMs = 60_000
const aliveMs = 20_000
const keptSessions = 100
const brokers = 'mqtt-brokers'

export function openPresence({ store, now, resources, alone, onError }: PresenceDeps): PresenceBook {
  const broker = newId()
  const saidAt = new Map<string, number>()
  const lines = new Map<string, Promise<unknown>>()

  /** Of one device one after the other: what was last is what stays. */
  async function inTurn<T>(app: AppStore, deviceId: string, work: () => Promise<T>): Promise<T> {
    const key = `${scopeKey(app.scope)}\n${deviceId}`
    const turn = (lines.get(key) ?? Promise.resolve()).then(work)
    const settled = turn.catch(() => undefined)
    lines.set(key, settled)
    try {
      return await turn
    } finally {
      if (lines.get(key) === settled) lines.delete(key)
    }
  }

  async function sayAlive(app: AppStore): Promise<void> {
    const key = scopeKey(app.scope)
    if (now() - (saidAt.get(key) ?? Number.NEGATIVE_INFINITY) < aliveMs) return
    saidAt.set(key, now())
    await app.values.set(brokers, broker, now())
  }

  async function close(presence: Presence, end: { reason: string; received?: number; sent?: number }): Promise<void> {
    const { app, id, deviceId, address, startedAt } = presence
    const { reason, received = 0, sent = 0 } = end
    const endedAt = now()
    const change = { endedAt, disconnectReason: reason, messagesFromClient: received, messagesToClient: sent }
    await app.collection('deviceSessions').update(id, change)
    const open = await app.collection('deviceSessions').first(openOf(deviceId))
    const data = {
      ...{ address, connectedAt: isoOf(startedAt), disconnectReason: reason, method: 'mqtt', secure: false },
      ...{ messagesFromDevice: received, messagesToDevice: sent },
    }
    const { devices } = resources(app).actingAs({ type: 'device', id: deviceId, depth: 0 })
    try {
      await devices.setConnection(deviceId, false, { time: endedAt, data, stays: open !== undefined })
    } catch (error) {
      // The device itself may be why its connection has ended.
      if (!(error instanceof Refusal)) throw error
    }
  }

  async function forget(app: AppStore, deviceId: string): Promise<void> {
    const sessions = app.collection('deviceSessions')
    const sort = { field: 'startedAt', direction: 'desc' } as const
    const filter: Filter = { field: 'deviceId', op: 'eq', value: deviceId }
    for (const { id } of await sessions.find({ filter, sort, skip: keptSessions, limit: 100 }))
      await sessions.remove(id)
  }

  async function repairOf(app: AppStore): Promise<void> {
    const filter: Filter = {
      all: [
        { field: 'endedAt', op: 'eq', value: null },
        { field: 'broker', op: 'ne', value: broker },
      ],
    }
    let living: Record<string, unknown> | undefined
    for await (const session of app.collection('deviceSessions').each(filter)) {
      living ??= alone ? {} : await app.values.entries(brokers)
      const said = Object.hasOwn(living, session.broker) ? Number(living[session.broker]) : 0
      if (now() - said < deadMs) continue
      await inTurn(app, session.deviceId, () => close({ app, ...session }, { reason: 'Server Shutdown' }))
    }
    for (const [name, said] of Object.entries(living ?? {})) {
      if (now() - Number(said) > 2 * deadMs) await app.values.set(brokers, name, undefined)
    }
  }

  return {
    connected: (app, { deviceId, address }) =>
      inTurn(app, deviceId, async () => {
        await sayAlive(app)
        const startedAt = now()
        const document = { deviceId, broker, address, startedAt }
        const { id } = await app.collection('deviceSessions').insert(document)
        const { devices } = resources(app).actingAs({ type: 'device', id: deviceId, depth: 0 })
        const data = { address, method: 'mqtt', secure: false }
        await devices.setConnection(deviceId, true, { time: startedAt, data })
        await forget(app, deviceId)
        return { app, id, deviceId, address, startedAt }
      }),
    async ended(presence, end) {
      await inTurn(presence.app, presence.deviceId, () => close(presence, end)).catch(onError)
    },
    async repair() {
      for (const scope of await store.applications()) {
        const app = store.app(scope)
        if (saidAt.has(scopeKey(scope))) await sayAlive(app)
        await repairOf(app)
      }
    },
    async settle() {
      while (lines.size > 0) await Promise.all(lines.values())
    },
  }
}

function openOf(deviceId: string): Filter {
  return {
    all: [
      { field: 'deviceId', op: 'eq', value: deviceId },
      { field: 'endedAt', op: 'eq', value: null },
    ],
  }
}
