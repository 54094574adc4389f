import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { Refusal } from '../../nodes/services/listing.ts'
import { ConfigError } from '../config.ts'
import { openLoopGuard } from '../flows/loop-guard.ts'
import { applicationOfKey, openAccessKeys } from '../resources/access-keys.ts'
import type { Actor, Happening } from '../resources/happenings.ts'
import type { Resources } from '../resources/resources.ts'
import type { Documents } from '../store/documents.ts'
import { isId } from '../store/id.ts'
import type { AppStore, Store } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import { chunks } from '../tenancy/batch.ts'
import { openBans } from './bans.ts'
import {
  type Client,
  type Connection,
  type Credentials,
  Drop,
  mostMessageBytes,
  Refused,
  serveConnection,
} from './connection.ts'
import type { Exchange } from './exchange.ts'
import { openPresence, type Presence } from './presence.ts'
import type { DeviceOrder, Relay } from './relay.ts'
import { type Login, mayConnect, maySubscribe, publishRight } from './rights.ts'
import { readState } from './state.ts'
import { openSubscriptions, type Subscriptions } from './subscriptions.ts'

export interface BrokerLimits {
  /** Messages of one connection to one topic in 15 seconds; ten times as many to all together; 0: no limit. */
  messages: number
  /** Open connections of one application. */
  connections: number
}

export interface Broker {
  port: number
  /** Devices that are connected to this process. */
  connections(): number
  /** Ends connections that their key no longer allows, and sessions of brokers that have died; done every 30 seconds. */
  check(): Promise<void>
  /** Ends all connections. */
  close(): Promise<void>
}

export interface BrokerDeps {
  host: string
  port: number
  limits: BrokerLimits
  store: Store
  /** The application with an id; undefined for an unknown one. */
  application(id: string): Promise<{ store: AppStore } | undefined>
  resources(app: AppStore): Resources
  happened(app: AppStore, happening: Happening, by: Actor): Promise<void>
  exchange: Exchange
  relay: Relay
  /** The store has this one process. */
  alone: boolean
  now(): number
  log: Logger
}

const mostSubscriptions = 1_000
const mostStrangers = 1_000
const newConnections = 300
const checkMs = 30_000

interface Session {
  login: Login
  connection: Connection
  presence: Presence
  filters: Set<string>
  refused: number
  received: number
  sent: number
}

interface Connected {
  app: AppStore
  sessions: Map<string, Session>
  heard: Subscriptions<Session>
  /** Being logged in. */
  coming: number
}

/**
 * Listens for devices. Each is known by the application of its key, and hears and says nothing beyond it. Throws ConfigError
 * when the address is taken.
 */
export async function openBroker(deps: BrokerDeps): Promise<Broker> {
  const { limits, store, resources, exchange, relay, now, log } = deps
  const onError = (error: unknown) => log.error({ err: error }, 'a device connection failed')
  const presences = openPresence({ store, now, resources, alone: deps.alone, onError })
  const applications = new Map<string, Connected>()
  const guards = guardsOf(limits.messages, now)
  const bans = openBans(now)
  const sockets = new Set<Socket>()
  let strangers = 0
  let closing = false

  async function login(given: Credentials, { connection, address }: { connection: Connection; address: string }) {
    const key = given.username.trim()
    const application = await deps.application(applicationOfKey(key) ?? '')
    const found = application && (await openAccessKeys(application.store).authenticate(key, given.password.trim()))
    if (application === undefined || found === undefined) return Refused.credentials
    const app = application.store
    const deviceId = given.clientId.trim()
    const device = isId(deviceId) ? await app.collection('devices').get(deviceId) : undefined
    if (device === undefined || !mayConnect({ device, key: found }, address)) return Refused.notAuthorized
    if (bans.has(banKey(app, deviceId))) return Refused.notAuthorized
    if (closing || !guards.connections.take(scopeKey(app.scope)).allowed) return Refused.unavailable
    const connected = connectedOf(app)
    const full = connected.sessions.size + connected.coming >= limits.connections
    if (full && !connected.sessions.has(deviceId)) return Refused.unavailable
    connected.coming += 1
    try {
      connected.sessions.get(deviceId)?.connection.drop('New Connection')
      const presence = await presences.connected(app, { deviceId, address })
      const session = { login: { app, device, key: found }, connection, presence, filters: new Set<string>() }
      return enter({ ...session, refused: 0, received: 0, sent: 0 })
    } finally {
      connected.coming -= 1
      release(connected)
    }
  }

  function enter(session: Session): Client {
    const { app, device } = session.login
    const connected = connectedOf(app)
    // Two that came at the same time: the later one stays.
    connected.sessions.get(device.id)?.connection.drop('New Connection')
    connected.sessions.set(device.id, session)
    const { id, startedAt } = session.presence
    exchange.perform(app, [{ kind: 'end', deviceId: device.id, session: id, startedAt }]).catch(onError)
    return {
      publish: (message) => publish(session, message),
      subscribe: (filter) => subscribe(session, filter),
      unsubscribe(filter) {
        session.filters.delete(filter)
        connected.heard.remove(filter, session)
      },
      count() {
        if (!guards.all.take(session.presence.id).allowed) throw overLimit(session)
      },
      ended(reason) {
        for (const filter of session.filters) connected.heard.remove(filter, session)
        if (connected.sessions.get(device.id) === session) connected.sessions.delete(device.id)
        release(connected)
        const { received, sent } = session
        void presences.ended(session.presence, { reason, received, sent })
      },
    }
  }

  function connectedOf(app: AppStore): Connected {
    const key = scopeKey(app.scope)
    const known = applications.get(key) ?? { app, sessions: new Map(), heard: openSubscriptions(), coming: 0 }
    applications.set(key, known)
    return known
  }

  function release({ app, sessions, coming }: Connected): void {
    if (sessions.size === 0 && coming === 0) applications.delete(scopeKey(app.scope))
  }

  function overLimit({ login: { app, device } }: Session): Drop {
    bans.add(banKey(app, device.id))
    return new Drop('Rate Limit Exceeded')
  }

  async function publish(session: Session, { topic, payload }: { topic: string; payload: Buffer }): Promise<void> {
    const { app, device } = session.login
    session.received += 1
    if (payload.length > mostMessageBytes) throw new Drop('Message Too Large')
    const right = await publishRight(session.login, topic)
    if (right === undefined) throw new Drop(`Publish Error - Not allowed to publish to ${topic.slice(0, 200)}`)
    if (!guards.topic.take(`${session.presence.id}\n${topic}`).allowed) throw overLimit(session)
    const by = { type: 'device', id: device.id, depth: 0 } as const
    if (right.as === 'custom') await exchange.publish(app, { topic, payload }, by)
    if (right.as !== 'state') return
    const text = payload.toString()
    const reports = readState(text, { deviceId: right.device.id, now: now() })
    if (reports === undefined) {
      log.info(
        { application: app.scope.application, device: right.device.id },
        'a device sent state that cannot be read',
      )
      await deps.happened(app, { kind: 'invalid-state', device: right.device, original: text, time: now() }, by)
      return
    }
    try {
      await resources(app).actingAs(by).devices.report(reports)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      log.info(
        { application: app.scope.application, device: right.device.id, reason: error.message },
        'state was dropped',
      )
    }
  }

  async function subscribe(session: Session, filter: string): Promise<boolean> {
    if (session.filters.size + session.refused >= mostSubscriptions && !session.filters.has(filter)) return false
    if (!(await maySubscribe(session.login, filter))) {
      // To look for the devices of made-up topics is work.
      session.refused += 1
      return false
    }
    const connected = applications.get(scopeKey(session.login.app.scope))
    // It may have ended meanwhile.
    if (connected?.sessions.get(session.login.device.id) !== session) return false
    session.filters.add(filter)
    connected.heard.add(filter, session)
    return true
  }

  function perform(app: AppStore, order: DeviceOrder, at: number): void {
    const connected = applications.get(scopeKey(app.scope))
    if (connected === undefined) return
    if (order.kind === 'end') {
      const session = connected.sessions.get(order.deviceId)
      if (session !== undefined && isBefore(session.presence, order)) session.connection.drop('New Connection')
      return
    }
    for (const session of connected.heard.of(order.topic)) {
      // Nobody gets what was sent before he came.
      if (session.presence.startedAt > at + 1_000) continue
      session.sent += 1
      session.connection.send(order)
    }
  }

  async function checkAll(): Promise<void> {
    for (const { app, sessions } of [...applications.values()]) {
      for (const part of chunks([...sessions.values()], 500)) await check(app, part)
    }
    await presences.repair()
  }

  async function check(app: AppStore, sessions: readonly Session[]): Promise<void> {
    const keys = await byId(app, { of: 'accessKeys', ids: sessions.map(({ login }) => login.key.id) })
    const devices = await byId(app, { of: 'devices', ids: sessions.map(({ login }) => login.device.id) })
    for (const session of sessions) {
      const { login, presence, connection } = session
      const key = keys.get(login.key.id)
      const device = devices.get(login.device.id)
      if (!key || !device || !mayConnect({ key, device }, presence.address)) {
        connection.drop('Not Authorized')
        continue
      }
      session.login = { app, key, device }
      for (const filter of session.filters) {
        if (await maySubscribe(session.login, filter)) continue
        session.filters.delete(filter)
        applications.get(scopeKey(app.scope))?.heard.remove(filter, session)
      }
    }
  }

  exchange.attach(perform)
  relay.watch(['publish', 'end'], () => [...applications.values()].map(({ app }) => app), perform)

  const server = createServer((socket) => {
    if (strangers >= mostStrangers) {
      socket.destroy()
      return
    }
    strangers += 1
    sockets.add(socket)
    let known = false
    const settle = () => {
      if (!known) strangers -= 1
      known = true
    }
    socket.once('close', () => {
      settle()
      sockets.delete(socket)
    })
    const address = socket.remoteAddress ?? ''
    serveConnection(socket, {
      onError,
      async login(credentials, connection) {
        const client = await login(credentials, { connection, address })
        if (typeof client !== 'number') settle()
        return client
      },
    })
  })
  await listen(server, deps)
  let checking = checkAll().catch(onError)
  const timer = setInterval(() => {
    checking = checking.then(checkAll).catch(onError)
  }, checkMs)

  return {
    port: (server.address() as AddressInfo).port,
    connections: () => [...applications.values()].reduce((sum, { sessions }) => sum + sessions.size, 0),
    check: checkAll,
    async close() {
      closing = true
      clearInterval(timer)
      server.close()
      for (const { sessions } of [...applications.values()]) {
        for (const { connection } of [...sessions.values()]) connection.drop('Server Shutdown')
      }
      for (const socket of sockets) socket.destroy()
      await checking
      await presences.settle()
    },
  }
}

/** Of two connections of a device one is always the earlier, whoever compares them. */
function isBefore(mine: Presence, { session, startedAt }: { session: string; startedAt: number }): boolean {
  return mine.startedAt === startedAt ? mine.id < session : mine.startedAt < startedAt
}

async function byId<N extends 'accessKeys' | 'devices'>(
  app: AppStore,
  { of, ids }: { of: N; ids: readonly string[] },
): Promise<Map<string, Documents[N]>> {
  const found = await app.collection(of).getMany([...new Set(ids)])
  return new Map(found.map((one) => [one.id, one]))
}

function banKey({ scope }: AppStore, deviceId: string): string {
  return `${scopeKey(scope)}\n${deviceId}`
}

function guardsOf(messages: number, now: () => number) {
  const most = messages === 0 ? Number.POSITIVE_INFINITY : messages
  return {
    topic: openLoopGuard({ now, most }),
    all: openLoopGuard({ now, most: 10 * most }),
    connections: openLoopGuard({ now, most: messages === 0 ? most : newConnections }),
  }
}

async function listen(server: ReturnType<typeof createServer>, { host, port }: { host: string; port: number }) {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new ConfigError(
      `MQTT_PORT: expected an address to listen on, got ${host}:${port} (${(error as Error).message})`,
    )
  }
}
