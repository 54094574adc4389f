import type { MqttMessageDocument } from '../store/documents/devices.ts'
import { newId } from '../store/id.ts'
import type { AppStore } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import { chunks } from '../tenancy/batch.ts'

/** What brokers have to do: deliver a message, or end the connection of a device that began before `session`. */
export type DeviceOrder =
  | { kind: 'publish'; topic: string; payload: Buffer }
  | { kind: 'end'; deviceId: string; session: string; startedAt: number }

/** What whoever holds the WebSocket client of a webhook has to do: send it a message. */
export interface ClientOrder {
  kind: 'client-message'
  client: string
  payload: Buffer
  binary: boolean
}

export type Order = DeviceOrder | ClientOrder

/** Carries orders to other processes. */
export interface Relay {
  /** Resolves when the orders are in the store. */
  send(app: AppStore, orders: readonly Order[]): Promise<void>
  /** Performs what others send to these applications, from when they are first named on; once for each kind. `at`: when it was sent. */
  watch<K extends Order['kind']>(
    kinds: readonly K[],
    applications: () => Iterable<AppStore>,
    perform: (app: AppStore, order: Extract<Order, { kind: K }>, at: number) => void,
  ): void
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
  const watchers: Watcher[] = []
  const looking = new Set<Promise<void>>()

  async function prune(app: AppStore): Promise<void> {
    const key = scopeKey(app.scope)
    if (now() - (prunedAt.get(key) ?? Number.NEGATIVE_INFINITY) < pruneMs) return
    prunedAt.set(key, now())
    const collection = app.collection('mqttMessages')
    const old = { field: 'creationDate', op: 'lt', value: now() - keptMs } as const
    for (const { id } of await collection.find({ filter: old, limit: 10_000 })) await collection.remove(id)
  }

  async function look(app: AppStore, watcher: Watcher): Promise<void> {
    const state = watcher.watched.get(scopeKey(app.scope))
    if (state === undefined) return
    if (state.busy) {
      state.again = true
      return
    }
    state.busy = true
    try {
      do {
        state.again = false
        await lookOnce(app, state, watcher)
      } while (state.again)
    } finally {
      state.busy = false
    }
  }

  async function lookOnce(app: AppStore, state: Watched, { kinds, perform }: Watcher): Promise<void> {
    const begun = now()
    const filter = {
      all: [
        { field: 'creationDate', op: 'gte', value: state.since - overlapMs },
        { field: 'kind', op: 'in', value: kinds },
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

  function start(app: AppStore, watcher: Watcher): void {
    const { watched } = watcher
    const key = scopeKey(app.scope)
    if (!watched.has(key)) watched.set(key, { since: now(), seen: new Map(), busy: false, again: false })
    const work = look(app, watcher).catch(onError)
    looking.add(work)
    void work.finally(() => looking.delete(work))
  }

  function tick(watcher: Watcher): void {
    const named = new Set<string>()
    for (const app of watcher.applications()) {
      named.add(scopeKey(app.scope))
      start(app, watcher)
    }
    for (const key of watcher.watched.keys()) if (!named.has(key)) watcher.watched.delete(key)
  }

  function wake(key: string): void {
    for (const watcher of watchers) {
      for (const app of watcher.applications()) if (scopeKey(app.scope) === key) start(app, watcher)
    }
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
    watch(kinds, applications, perform) {
      if (watchers.length === 0) signal?.onWake(wake)
      const watcher: Watcher = { kinds, applications, perform: perform as Watcher['perform'], watched: new Map() }
      watcher.timer = setInterval(() => tick(watcher), lookMs)
      watchers.push(watcher)
    },
    async close() {
      for (const { timer } of watchers) clearInterval(timer)
      await signal?.close()
      await Promise.all(looking)
    },
  }
}

interface Watcher {
  kinds: readonly Order['kind'][]
  applications(): Iterable<AppStore>
  perform(app: AppStore, order: Order, at: number): void
  watched: Map<string, Watched>
  timer?: NodeJS.Timeout
}

interface Watched {
  since: number
  /** Orders that were performed, with their time. */
  seen: Map<string, number>
  busy: boolean
  again: boolean
}

function documentOf(order: Order) {
  return 'payload' in order ? { ...order, payload: order.payload.toString('base64') } : order
}

function orderOf({ kind, topic = '', payload = '', ...one }: MqttMessageDocument): Order {
  const { deviceId = '', session = '', startedAt = 0, client = '', binary = false } = one
  if (kind === 'end') return { kind, deviceId, session, startedAt }
  const bytes = Buffer.from(payload, 'base64')
  return kind === 'publish' ? { kind, topic, payload: bytes } : { kind, client, payload: bytes, binary }
}
