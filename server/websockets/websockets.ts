import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Payload } from '../../engine/payload.ts'
import { enterTurn } from '../../engine/turns.ts'
import type { ClientMessage } from '../../nodes/services/reply.ts'
import { HttpError } from '../errors.ts'
import { openHosts } from '../experience/host.ts'
import { openRateLimit } from '../experience/limits.ts'
import { openSources, readRequest } from '../experience/request.ts'
import { openRoom } from '../experience/room.ts'
import { checkBasicAuth, verifyCall } from '../experience/webhook-verify.ts'
import { checkSupported, openWebhookFinder, WEBHOOKS_PREFIX, type WebhookEvent } from '../experience/webhooks.ts'
import type { Upgrades } from '../listen.ts'
import type { Relay } from '../mqtt/relay.ts'
import type { WebhookDocument } from '../store/documents/experience.ts'
import type { AppStore, Store } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import { type Client, type ClientEvent, type ClientLimits, openClient } from './client.ts'
import { answerSocket, ourFault, refusalOf } from './refuse.ts'

/** Connections of clients to the webhooks that take them. */
export interface Websockets extends Upgrades {
  /** To the client with this `replyId`, wherever it is connected; a no-op when it has gone. */
  send(scope: Scope, replyId: string, message: ClientMessage): Promise<void>
  /** Open ones of this process. */
  connections(): number
  /** Looks now who does not answer any more and whose webhook is gone; done every 30 seconds. */
  check(): Promise<void>
  /** Ends all connections with 1012; resolves when the flows that listen to their end were started. */
  close(): Promise<void>
}

export interface WebsocketLimits extends ClientLimits {
  /** Open connections of one application. */
  connections: number
  /** New ones of one webhook in 10 seconds. */
  connectsPer10Seconds: number
  /** Memory that messages may take until their runs end, of one application and of all. */
  heldBytesPerApplication: number
  heldBytes: number
  /** How often clients are asked whether they are there. */
  pingMs: number
}

export const defaultWebsocketLimits: WebsocketLimits = {
  ...{ messageBytes: 256 * 1024, messagesPer10Seconds: 100, unfinished: 20, bufferedBytes: 2_000_000 },
  ...{ connections: 1_000, connectsPer10Seconds: 100, heldBytesPerApplication: 50_000_000, heldBytes: 200_000_000 },
  ...{ closeMs: 1_000, pingMs: 30_000 },
}

export interface WebsocketDeps {
  store: Store
  baseDomain: string
  trustedProxies: readonly string[]
  limits?: Partial<WebsocketLimits>
  /** Without it nobody connects here, and messages go to other processes. */
  takes: boolean
  relay: Relay
  /** Starts the flows that listen; resolves with how many were started, without waiting for their end. */
  fire(event: WebhookEvent): Promise<number>
  now(): number
  log: Logger
}

interface Connected {
  app: AppStore
  webhook: WebhookDocument
  replyId: string
  client: Client
}

/** Takes the connections of clients, and starts flows on what they do. */
export function openWebsockets(deps: WebsocketDeps): Websockets {
  const { store, relay, now, log } = deps
  const limits = { ...defaultWebsocketLimits, ...deps.limits }
  const sources = openSources({ trustedProxies: deps.trustedProxies })
  const hosts = openHosts({ store, baseDomain: deps.baseDomain, now })
  const find = openWebhookFinder(async (id) => {
    const found = await hosts.application(id)
    return found && { app: found.store }
  })
  const rate = openRateLimit({
    burst: limits.connectsPer10Seconds,
    requestsPerSecond: limits.connectsPer10Seconds / 10,
  })
  const room = openRoom(limits)
  const server = new WebSocketServer({
    ...{ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: limits.messageBytes },
  })
  /** By application, then reply id. */
  const connected = new Map<string, Map<string, Connected>>()
  let closing = false

  async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const source = sources.of(request)
    const host = await hosts.find(source.host)
    const call = await find(source.path, host && { app: host.store })
    if (!call) throw new HttpError('webhook.unknown', 'There is no webhook at this address')
    const { app, webhook } = call
    if (!webhook.isWebsocket)
      throw new HttpError('webhook.http', 'Expected a call by HTTP: this webhook takes no connections')
    checkSupported(webhook)
    await rate.take(`${scopeKey(app.scope)}\n${webhook.id}`)
    checkBasicAuth(webhook, request.headers.authorization)
    const parts = await readRequest(request, source, { bodyBytes: 0 })
    const verified = verifyCall(webhook, parts, source)
    if (verified) return answerSocket(socket, verified)
    if (closing) throw new HttpError('reply.stopped', 'The server stops. Try again in a moment')
    if ((connected.get(scopeKey(app.scope))?.size ?? 0) >= limits.connections) {
      throw new HttpError('webhook.busy', `Expected at most ${limits.connections} open connections. Try again later`)
    }
    const { cookie: _, ...headers } = parts.headers
    server.handleUpgrade(request, socket, head, (websocket) => enter(websocket, { app, webhook, headers }))
  }

  function enter(
    socket: WebSocket,
    { app, webhook, headers }: { app: AppStore; webhook: WebhookDocument; headers: Payload },
  ) {
    const key = scopeKey(app.scope)
    const replyId = `${webhook.id}.${randomUUID()}`
    const clients = connected.get(key) ?? new Map<string, Connected>()
    connected.set(key, clients)
    const client = openClient(socket, {
      ...{ limits, now },
      onEvent: (event, done) => tell(event, { app, webhook, headers, replyId, done }),
    })
    clients.set(replyId, { app, webhook, replyId, client })
    if (closing) client.end(1012, 'Service restarts')
    void client.over.then(() => {
      clients.delete(replyId)
      if (clients.size === 0 && connected.get(key) === clients) connected.delete(key)
    })
  }

  async function tell(
    event: ClientEvent,
    about: { app: AppStore; webhook: WebhookDocument; headers: Payload; replyId: string; done(): void },
  ): Promise<void> {
    const { app, webhook, headers, replyId, done } = about
    const { scope } = app
    const hold = room.open(scopeKey(scope))
    const release = hold.share()
    const onEnd = () => {
      release()
      done()
    }
    try {
      if (event.type === 'message') hold.set(2 * event.bytes.length)
      await enterTurn(scopeKey(scope))
      const data = { type: event.type, message: messageOf(event, webhook), headers: { ...headers }, replyId }
      await deps.fire({ scope, webhookId: webhook.id, time: now(), data, onEnd })
    } catch (error) {
      onEnd()
      log.warn(
        { err: error, ...scope, webhook: webhook.id, event: event.type },
        'flows could not be started for a client',
      )
      throw error
    }
  }

  const all = () => [...connected.values()].flatMap((clients) => [...clients.values()])

  async function check(): Promise<void> {
    for (const { client } of all()) client.ping()
    for (const clients of [...connected.values()]) {
      const [one] = clients.values()
      if (one === undefined) continue
      const ids = [...new Set([...clients.values()].map(({ webhook }) => webhook.id))]
      const found = await one.app.collection('webhooks').getMany(ids.slice(0, 1_000))
      const byId = new Map(found.map((webhook) => [webhook.id, webhook]))
      for (const { webhook, client } of clients.values()) {
        const there = byId.get(webhook.id)
        if (!there?.enabled || !there.isWebsocket || there.tokenHash !== webhook.tokenHash)
          client.end(1008, 'The webhook is gone')
      }
    }
  }
  const timer = setInterval(() => {
    check().catch((error: unknown) => log.warn({ err: error }, 'clients of webhooks could not be looked through'))
  }, limits.pingMs)
  // What cannot listen ends without having been closed.
  timer.unref()

  relay.watch(
    ['client-message'],
    () => [...connected.values()].flatMap((clients) => [...clients.values()].slice(0, 1).map(({ app }) => app)),
    ({ scope }, { client, payload, binary }) => {
      connected.get(scopeKey(scope))?.get(client)?.client.send({ bytes: payload, binary })
    },
  )

  return {
    check,
    connections: () => all().length,
    asks({ url, headers, method }) {
      const bare = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
      const asked = headers.upgrade?.toLowerCase() === 'websocket'
      return deps.takes && bare && asked && method === 'GET' && url?.startsWith(WEBHOOKS_PREFIX) === true
    },
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy())
      accept(request, socket, head).catch((error: unknown) => {
        const refusal = refusalOf(error)
        if (!refusal) log.error({ err: error }, 'a connection to a webhook could not be taken')
        answerSocket(socket, refusal ?? ourFault)
      })
    },
    async send(scope, replyId, message) {
      const here = connected.get(scopeKey(scope))?.get(replyId)
      if (here) return here.client.send(message)
      // What is no such id would only cost a write.
      if (!/^[0-9a-f]{24}\.[0-9a-f-]{36}$/.test(replyId)) return
      const payload = Buffer.from(message.bytes)
      await relay.send(store.app(scope), [{ kind: 'client-message', client: replyId, payload, binary: message.binary }])
    },
    async close() {
      closing = true
      clearInterval(timer)
      const clients = all()
      for (const { client } of clients) client.end(1012, 'Service restarts')
      await Promise.all(clients.map(({ client }) => client.over))
    },
  }
}

function messageOf(event: ClientEvent, { castBuffersAs }: WebhookDocument): Payload {
  if (event.type === 'connect') return {}
  if (event.type === 'disconnect') return { reason: event.reason, statusCode: event.statusCode }
  const encoding = event.binary && castBuffersAs !== 'array' ? castBuffersAs : 'utf8'
  return { data: event.bytes.toString(encoding), length: event.bytes.length }
}
