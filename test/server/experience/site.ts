import { createHmac } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import express from 'express'
import pino from 'pino'
import { afterAll } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import type { DeviceView } from '../../../nodes/services/devices.ts'
import type { UserView } from '../../../nodes/services/people.ts'
import type { Reply } from '../../../nodes/services/reply.ts'
import type { EndpointEvent } from '../../../server/experience/event.ts'
import { type Experience, type ExperienceDeps, openExperience } from '../../../server/experience/experience.ts'
import type {
  EndpointDocument,
  ExperienceVersionDocument,
  ViewDocument,
} from '../../../server/store/documents/experience.ts'
import type { AppStore, NewDocument, Store } from '../../../server/store/port.ts'
import type { Scope } from '../../../server/store/scope.ts'
import { openTestStore } from '../../helpers/store.ts'

const closers: (() => void)[] = []
afterAll(() => {
  for (const close of closers.splice(0)) close()
})

export interface Answered {
  status: number
  headers: IncomingHttpHeaders
  body: string
  json(): unknown
}

export interface Asked {
  host?: string
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

/** What a flow of the test does with an event: reply, start without a reply (`silent`), or not exist (undefined). */
export type Planned = Partial<Reply> | 'silent' | undefined
export type Flow = (event: EndpointEvent) => Planned | Promise<Planned>

export interface Site {
  store: Store
  app: AppStore
  scope: Scope
  experience: Experience
  /** Every event that was fired, in order. */
  events: EndpointEvent[]
  /** What was logged as warning or error. */
  logged: Record<string, unknown>[]
  /** The flow that answers; default: the event's data as JSON. */
  flow: { run: Flow }
  ask(path: string, asked?: Asked): Promise<Answered>
  /**
   * Sends bytes as they stand; resolves with everything that came back once the connection is closed: by the server, or
   * with `leave` by the client as soon as it has sent them, or when the promise resolves.
   */
  raw(bytes: string, options?: { leave?: boolean | Promise<unknown> }): Promise<string>
  endpoint(document: Partial<EndpointDocument>): Promise<EndpointDocument>
  view(document: Partial<ViewDocument> & { name: string; body: string }): Promise<ViewDocument>
  /** Creates or changes the settings of the version `develop`. */
  settings(change: Partial<ExperienceVersionDocument>): Promise<void>
}

export const applicationId = 'a'.repeat(24)
export const aliceId = '1'.repeat(24)
export const deviceId = 'd'.repeat(24)

/** Alice is in the group `staff` of tenant `acme`, where device d... is hers too. */
export const alice: UserView = { id: aliceId, email: 'alice@acme.example', firstName: 'Alice', userTags: {} }

/** A token that the site accepts for a tenant; stands in for a signed one. */
export function tokenOf(tenant: string, expiresAt?: number): string {
  const text = `${tenant}.${expiresAt ?? ''}`
  return `${Buffer.from(text).toString('base64url')}.${createHmac('sha256', tenant).update(text).digest('base64url')}`
}

/** A server on a port of its own, with an application of tenant `acme` at `shop.localhost`; its flows are the test's. */
export async function openSite(options: Partial<ExperienceDeps> = {}): Promise<Site> {
  const store = await openTestStore()
  const scope = { tenant: 'acme', application: applicationId }
  const app = store.app(scope)
  await addApplication(store, scope, 'shop')
  const events: EndpointEvent[] = []
  const logged: Record<string, unknown>[] = []
  const flow: Site['flow'] = { run: (event) => ({ body: { kind: 'custom', body: event.data } }) }
  const now = options.now ?? Date.now
  const experience = openExperience({
    store,
    now,
    baseDomain: 'localhost',
    async session(where, token) {
      const [text = '', expiresAt] = Buffer.from(token.split('.')[0]!, 'base64url').toString().split('.')
      if (token !== tokenOf(text, expiresAt ? Number(expiresAt) : undefined) || text !== where.tenant) return undefined
      if (expiresAt && Number(expiresAt) <= now()) return undefined
      return { user: { ...alice }, authInfo: { issuedAt: 1, expiresAt: expiresAt ?? null, extraData: { kiosk: true } } }
    },
    tenancy: (where) => ({
      verify: async ({ device, subject }) => where.tenant === 'acme' && device.startsWith('d') && subject === aliceId,
      verifyGroup: async ({ user, group }) => user === aliceId && group === 'staff',
    }),
    device: async (_, id) =>
      id === deviceId ? ({ id, name: 'Pump', tags: { serial: '7' } } as DeviceView) : undefined,
    async fire(event) {
      events.push(event)
      const planned = flow.run(event)
      if (planned === undefined) return 0
      // A real run goes on after the trigger was served.
      queueMicrotask(() => void reply(experience, event, planned))
      return 1
    },
    fireWebhook: async () => 0,
    log: pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line) as Payload) }),
    ...options,
  })
  const server = express().disable('x-powered-by').use(experience.handle).listen(0)
  const { port } = server.address() as AddressInfo
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    ...{ store, app, scope, experience, events, logged, flow },
    ask: (path, asked) => ask(port, path, asked),
    raw: (bytes, options) => raw(port, bytes, options?.leave ?? false),
    endpoint: (document) => app.collection('endpoints').insert(endpointOf(document)),
    view: (document) =>
      app.collection('views').insert({ version: 'develop', viewType: 'page', viewTags: {}, ...document }),
    async settings(change) {
      const versions = app.collection('experienceVersions')
      const known = await versions.first({ field: 'version', op: 'eq', value: 'develop' })
      if (known) await versions.update(known.id, change)
      else await versions.insert({ version: 'develop', endpointDefaultCors: true, globals: [], ...change })
    },
  }
}

/** Adds an application with a host. */
export async function addApplication(store: Store, scope: Scope, slug: string): Promise<AppStore> {
  const app = store.app(scope)
  await app.collection('application').insert({
    ...{ id: scope.application, name: `App of ${scope.tenant}`, secret: `secret of ${scope.tenant}` },
    globals: [
      { key: 'brand', json: '"Application"' },
      { key: 'limit', json: '5' },
    ],
  })
  await store.hosts.put({ name: slug, scope, version: 'develop' })
  return app
}

export function endpointOf(document: Partial<EndpointDocument>): NewDocument<EndpointDocument> {
  return {
    ...{ version: 'develop', method: 'get', route: '/', access: 'public', enabled: true },
    ...{ endpointTags: {}, experienceGroupIds: [] },
    ...document,
  }
}

/** Replies to an event as a flow would: by its reply id, through the desk. */
export async function reply(
  experience: Experience,
  event: EndpointEvent,
  planned: Planned | Promise<Planned>,
): Promise<void> {
  const part = await planned
  if (part === 'silent' || part === undefined) return
  const service = experience.replies.service({
    ...{ scope: event.scope, globals: { brand: 'Run' }, application: { id: event.scope.application, name: 'App' } },
    flow: { id: 'f1', name: 'Answer', version: 'develop' },
  })
  const whole: Reply = { body: { kind: 'custom', body: undefined }, headers: [], cookies: [], ...part }
  try {
    await service.send(event.replyId, whole, { payload: {} })
  } catch (error) {
    experience.replies.fail(event.scope, event.replyId, { message: (error as Error).message })
  }
}

function ask(port: number, path: string, { host = 'shop.localhost', method = 'GET', headers, body }: Asked = {}) {
  return new Promise<Answered>((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = { port, host: '127.0.0.1', path, method, headers: { host, ...length, ...headers }, agent: false }
    const request = httpRequest(options as object, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const { statusCode = 0, headers: received } = response
        resolve({ status: statusCode, headers: received, body: text, json: () => JSON.parse(text) as unknown })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

function raw(port: number, bytes: string, leave: boolean | Promise<unknown>): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
    })
    // A connection that is reset has said all that it will.
    socket.on('error', () => resolve(received))
    socket.on('close', () => resolve(received))
    socket.write(bytes, 'latin1', () => {
      if (leave) void Promise.resolve(leave).then(() => socket.destroy())
    })
  })
}
