import { connect } from 'node:net'
import { expect } from 'vitest'
import type { Config } from '../../server/config.ts'
import type { EndpointDocument, ViewDocument } from '../../server/store/documents/experience.ts'
import type { AppStore } from '../../server/store/port.ts'
import type { Scope } from '../../server/store/scope.ts'
import { type Answer, type Client, clientOf } from '../helpers/client.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

/** A node as a flow file holds it. Without an id and outputs it leads to the one after it. */
export interface FlowNode {
  id?: string
  type: string
  config?: object
  meta?: object
  outputIds?: string[][]
}

/** One application of a world, and whoever asks it over HTTP. */
export interface Guest {
  scope: Scope
  app: AppStore
  secret: string
  client: Client
  /** Adds an endpoint, and a flow of these nodes that listens to it; undefined: no flow. */
  serve(route: string, nodes: FlowNode[] | undefined, more?: Partial<EndpointDocument>): Promise<EndpointDocument>
  flow(name: string, content: { triggers: unknown[]; nodes: FlowNode[]; globals?: unknown[] }): Promise<string>
  view(viewType: ViewDocument['viewType'], name: string, body: string, more?: Partial<ViewDocument>): Promise<string>
}

/** One server with two tenants: Mallory, who writes and asks what nobody should, and Acme, who must not notice. */
export interface World {
  running: TestServer
  hostile: Guest
  innocent: Guest
  /** Sends bytes as they stand; resolves with all that came back, once the server closes or `until` has been seen. */
  raw(bytes: string, until?: RegExp): Promise<string>
  /** Does `work` while the innocent application is asked again and again. Every answer must be right. */
  meanwhile<T>(work: () => Promise<T>, path?: string): Promise<{ result: T; innocentAnswers: number }>
  /** Log lines since the last call. */
  logged(): Record<string, unknown>[]
  close(): Promise<void>
}

export async function openWorld(config: Partial<Config> = {}): Promise<World> {
  const running = await startServer({ config })
  const hostile = await openGuest(running, 'mallory', 'hostile', 'b'.repeat(24))
  const innocent = await openGuest(running, 'acme', 'innocent', 'a'.repeat(24))
  await innocent.serve('/hello', [mutate({ 'working.name': '{{data.query.name}}' }), reply('Hello {{working.name}}')])
  await innocent.serve('/sum', [script('payload.sum = 1 + 2'), reply('Sum {{sum}}')])
  const page = await innocent.view('page', 'home', '{{#each pageData}}<i>{{this}}</i>{{/each}}')
  await innocent.serve('/page', [
    { type: 'EndpointReplyNode', config: { ...asPage(page), bodyTemplateType: 'json', bodyTemplate: '[1,2]' } },
  ])
  const expected: Record<string, string> = {
    '/hello?name=Ann': 'Hello Ann',
    '/sum': 'Sum 3',
    '/page': '<i>1</i><i>2</i>',
  }
  let seen = 0
  return {
    ...{ running, hostile, innocent },
    raw: (bytes, until) => raw(running.port, bytes, until),
    async meanwhile(work, path = '/hello?name=Ann') {
      let over = false
      const done = work().finally(() => {
        over = true
      })
      let innocentAnswers = 0
      try {
        do {
          const { status, text } = await innocent.client.get(path)
          expect({ status, text }).toEqual({ status: 200, text: expected[path] })
          innocentAnswers++
        } while (!over)
      } finally {
        await done.catch(() => undefined)
      }
      return { result: await done, innocentAnswers }
    },
    logged() {
      const lines = running.log.slice(seen)
      seen = running.log.length
      return lines
    },
    close: () => running.close(),
  }
}

/** A new application of a tenant, with an experience version `develop` and a host name. */
export async function openGuest(
  running: Pick<TestServer, 'store' | 'port'>,
  tenant: string,
  slug: string,
  application: string,
): Promise<Guest> {
  const { store, port } = running
  const scope = { tenant, application }
  const secret = `secret-of-${tenant}`
  const app = store.app(scope)
  await app.collection('application').insert({ id: application, name: slug, globals: [], secret })
  await app.collection('experienceVersions').insert({ version: 'develop', endpointDefaultCors: false, globals: [] })
  await store.hosts.put({ name: slug, scope, version: 'develop' })
  const flow: Guest['flow'] = async (name, { triggers, nodes, globals = [] }) => {
    const content = { triggers, nodes: chained(nodes), globals }
    const flowDocument = { name, flowClass: 'experience', enabled: true, content } as const
    const { id } = await app.collection('flows').insert(flowDocument)
    await app.collection('flowVersions').insert({ flowId: id, version: 'develop', name, enabled: true, content })
    return id
  }
  return {
    ...{ scope, secret, app, flow },
    client: clientOf(port, `${slug}.localhost`),
    async serve(route, nodes, more = {}) {
      const endpoint = await app.collection('endpoints').insert({
        ...{ version: 'develop', method: 'get', route, access: 'public', enabled: true },
        ...{ endpointTags: {}, experienceGroupIds: [] },
        ...more,
      })
      if (nodes) await flow(`flow of ${route}`, { triggers: [trigger(endpoint.id, nodes[0]?.id ?? 'n0')], nodes })
      return endpoint
    },
    async view(viewType, name, body, more = {}) {
      const { id } = await app
        .collection('views')
        .insert({ version: 'develop', viewType, name, body, viewTags: {}, ...more })
      return id
    },
  }
}

export const trigger = (key: string, ...next: string[]) => ({ type: 'endpoint', key, config: {}, outputIds: [next] })

export const mutate = (set: Record<string, string>, more: object[] = []): FlowNode => ({
  type: 'MutateNode',
  config: {
    rules: [
      ...Object.entries(set).map(([destination, valueTemplate]) => ({ type: 'set', destination, valueTemplate })),
      ...more,
    ],
  },
})

export const script = (text: string, scopePath = ''): FlowNode => ({
  type: 'RawFunctionNode',
  config: { script: text, scopePath },
})

export const reply = (bodyTemplate: string, more: object = {}): FlowNode => ({
  type: 'EndpointReplyNode',
  config: { replyType: 'custom', bodyTemplateType: 'string', bodyTemplate, responseCodeTemplate: '200', ...more },
})

export const asPage = (pageIdTemplate: string) => ({ replyType: 'page', pageIdTemplate, responseCodeTemplate: '200' })

/** What an answer may never hold: where our code lies, a stack, a secret, the name or id of the other tenant. */
export function expectClean({ text, headers }: Pick<Answer, 'text' | 'headers'>, world: World): void {
  const all = `${text}\n${JSON.stringify(headers)}`
  expect(all).not.toMatch(/\bat .+[\\/](?:engine|nodes|server|node_modules)[\\/]|node:internal|\.ts:\d+/)
  for (const { secret } of [world.hostile, world.innocent]) expect(all).not.toContain(secret)
  expect(all).not.toContain(world.running.config.secretKey)
  expect(all).not.toContain(world.innocent.scope.application)
  expect(all).not.toContain(world.running.config.dataDir)
}

function chained(nodes: FlowNode[]): object[] {
  const idOf = (index: number) => nodes[index]?.id ?? `n${index}`
  return nodes.map((node, index) => {
    const next = index + 1 < nodes.length ? [[idOf(index + 1)]] : []
    return { config: {}, outputIds: next, ...node, id: idOf(index) }
  })
}

function raw(port: number, bytes: string, until?: RegExp): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      if (until?.test(received)) socket.destroy()
    })
    // A connection that is reset has said all that it will.
    socket.on('error', () => resolve(received))
    socket.on('close', () => resolve(received))
    socket.write(bytes, 'latin1')
  })
}
