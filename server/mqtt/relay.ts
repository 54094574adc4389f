import type { MqttMessageDocument } from '../store/documents/devices.ts'
import { newId } from '../store/id.ts'
import type { AppStore } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import { chunks } from '../tenancy/batch.ts'

/** What brokers have to do: deliver a message, or end the connection of a device that began before `session`. */
export type Order =
  | { kind: 'publish'; topic: string; payload: Buffer }
  | { kind: 'end'; deviceId: string; session: string; startedAt: number }

/** Carries orders to the brokers of other processes. */
export interface Relay {
  /** Resolves when the orders are in the store. */
  send(app: AppStore, orders: readonly Order[]): Promise<void>
  /** Performs what others send to these applications, from when they are first named on; once. `at`: when it was sent. */
  watch(applications: () => Iterable<AppStore>, perform: (app: AppStore, order: Order, at: number) => void): void
  close(): Promise<void>
}

/** Tells other processes to look. Only a hint: what is lost is found a little later. */
export interface Signal {
  wake(scope: Scope): void
  onWake(wake: (key: string) => void): void
  close(): Promise<void>
}

export interface RelayOptions {
  now(): number
  /** Undefined: others look each second. */
  signal?: Signal
  onError(error: unknown): void
  /** Default 1,000, with a signal 5,000. */
  lookMs?: number
}

const keptMs = 60_000
const pruneMs = 30_000
/** Orders are looked for again for so long: two processes may not agree on the time, and a write may take some. */
const overlapMs = 5_000
const writtenAtOnce = 100

/** For the only process of a store: there is nobody to tell. */
export const noRelay: Relay = { send: async () => undefined, watch: () => undefined, close: async () => undefined }

/** Orders stand in the store of their application for a minute. */
export function openRelay({ now, signal, onError, lookMs = signal ? 5_000 : 1_000 }: RelayOptions): Relay {
  const name = newId()
  const prunedAt = new Map<string, number>()
  const watched = new Map<string, Watched>()
  let timer: NodeJS.Timeout | undefined
  let current: Iterable<AppStore> = []
  const looking = new Set<Promise<void>>()

  async function prune(app: AppStore): Promise<void> {
    const key = scopeKey(app.scope)
    if (now() - (prunedAt.get(key) ?? Number.NEGATIVE_INFINITY) < pruneMs) return
    prunedAt.set(key, now())
    const collection = app.collection('mqttMessages')
    const old = { field: 'creationDate', op: 'lt', value: now() - keptMs } as const
    for (const { id } of await collection.find({ filter: old, limit: 10_000 })) await collection.remove(id)
  }

  async function look(app: AppStore, perform: Performs): Promise<void> {
    const state = watched.get(scopeKey(app.scope))
    if (state === undefined) return
    if (state.busy) {
      state.again = true
      return
    }
    state.busy = true
    try {
      do {
        state.again = false
        await lookOnce(app, state, perform)
      } while (state.again)
    } finally {
      state.busy = false
    }
  }

  async function lookOnce(app: AppStore, state: Watched, perform: Performs): Promise<void> {
    const begun = now()
    const filter = {
      all: [
        { field: 'creationDate', op: 'gte', value: state.since - overlapMs },
        { field: 'kind', op: 'in', value: ['publish', 'end'] },
      ],
    } as const
    for await (const one of app.collection('mqttMessages').each(filter)) {
      if (one.from === name || state.seen.has(one.id)) continue
      state.seen.set(one.id, one.creationDate)
      perform(app, orderOf(one), one.creationDate)
    }
    state.since = begun
    for (const [id, at] of state.seen) if (at < begun - 3 * overlapMs) state.seen.delete(id)
  }

  function start(app: AppStore, perform: Performs): void {
    const work = look(app, perform).catch(onError)
    looking.add(work)
    void work.finally(() => looking.delete(work))
  }

  return {
    async send(app, orders) {
      for (const part of chunks(orders, writtenAtOnce)) {
        await app.write(
          part.map((order) => ({ insert: 'mqttMessages', document: { from: name, ...documentOf(order) } })),
        )
      }
      signal?.wake(app.scope)
      await prune(app)
    },
    watch(applications, perform) {
      const tick = () => {
        current = applications()
        const named = new Set<string>()
        for (const app of current) {
          const key = scopeKey(app.scope)
          named.add(key)
          if (!watched.has(key)) watched.set(key, { since: now(), seen: new Map(), busy: false, again: false })
          start(app, perform)
        }
        for (const key of watched.keys()) if (!named.has(key)) watched.delete(key)
      }
      timer = setInterval(tick, lookMs)
      signal?.onWake((key) => {
        for (const app of applications()) {
          if (scopeKey(app.scope) !== key) continue
          if (!watched.has(key)) watched.set(key, { since: now(), seen: new Map(), busy: false, again: false })
          start(app, perform)
        }
      })
    },
    async close() {
      clearInterval(timer)
      await signal?.close()
      await Promise.all(looking)
    },
  }
}

type Performs = (app: AppStore, order: Order, at: number) => void

interface Watched {
  since: number
  /** Orders that were performed, with their time. */
  seen: Map<string, number>
  busy: boolean
  again: boolean
}

function documentOf(order: Order) {
  return order.kind === 'publish' ? { ...order, payload: order.payload.toString('base64') } : order
}

function orderOf({ kind, topic = '', payload = '', ...one }: MqttMessageDocument): Order {
  const { deviceId = '', session = '', startedAt = 0 } = one
  return kind === 'publish'
    ? { kind, topic, payload: Buffer.from(payload, 'base64') }
    : { kind, deviceId, session, startedAt }
}
