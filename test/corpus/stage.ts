import { pino } from 'pino'
import type { FlowClass } from '../../engine/document.ts'
import { flowErrors } from '../../engine/errors.ts'
import { copyValue, type Payload } from '../../engine/payload.ts'
import { type Outcome, run } from '../../engine/run.ts'
import { type FunctionPool, openFunctionPool } from '../../engine/sandbox/pool.ts'
import { openTemplates } from '../../engine/template.ts'
import { catalog } from '../../nodes/index.ts'
import type { Connections } from '../../nodes/services/connections.ts'
import type { HttpClient } from '../../nodes/services/http.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { hostUrlsOf } from '../../server/bundle/host-urls.ts'
import { importBundle } from '../../server/bundle/import.ts'
import { readBundle } from '../../server/bundle/read.ts'
import { openFolder } from '../../server/bundle/tree.ts'
import { readConfig } from '../../server/config.ts'
import { exampleTime, fillExampleWorld } from '../../server/docs/example-world.ts'
import { openDefinitions } from '../../server/experience/definitions.ts'
import { openFileLinks } from '../../server/experience/files.ts'
import { toAnswer } from '../../server/experience/reply.ts'
import { standingClock } from '../../server/flow-tests/standing-clock.ts'
import type { AppFlows, RunnableFlow } from '../../server/flows/plans.ts'
import { openAppSchedules } from '../../server/flows/schedules-of-app.ts'
import { openJobs } from '../../server/jobs/jobs.ts'
import type { Queue } from '../../server/jobs/port.ts'
import { withOwn } from '../../server/lazy-object.ts'
import { openRuntime } from '../../server/runtime.ts'
import { type CollectionName, collections } from '../../server/store/documents.ts'
import type { AppStore, Store } from '../../server/store/port.ts'
import type { Scope } from '../../server/store/scope.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { loops, wrong } from './raws.ts'
import { openWatchdog } from './watchdog.ts'

const LIMIT_MS = 5_000

/** Runs flows in an application of a store, with the real services of a server but for the way out, which answers by itself. */
export interface Stage {
  /** Fills two applications of different tenants with the same things; with `folder`, the first with what is in there. */
  world(store: Store, folder?: string): Promise<World>
  close(): Promise<void>
}

/** Two applications of one store. Flows run in the first; what the second holds never changes. */
export interface World {
  app: AppStore
  /** Puts a flow into the first application and compiles what the store gives back. */
  load(flow: { flowClass: FlowClass; content: Payload }): Promise<Loaded>
  /** Every flow of the first application that may run. */
  flows(): Promise<Loaded[]>
  /** Makes happen what triggers listen to: reports, new devices, events, time. Gives the number of runs that were queued. */
  happen(): Promise<number>
  /** Throws for a trace of what ran outside of its application: in the other one, or in a prototype. */
  expectKept(): Promise<void>
}

export interface Loaded {
  flow: RunnableFlow
  flows: AppFlows
  /** Runs it from some of its nodes, by index. What is wrong with how it ended comes beside the outcome. `visits`: most of them. */
  visit(request: { what: string; entry: readonly number[]; payload: Payload; visits?: number }): Promise<Visited>
}

export interface Visited {
  outcome: Outcome
  /** Undefined: it ended as a run may. */
  fault: string | undefined
}

export async function openStage(): Promise<Stage> {
  const functions = openFunctionPool()
  const watchdog = openWatchdog(4 * LIMIT_MS)
  const folder = await temporaryFolder()
  return {
    world: (store, from) => openWorld(store, { functions, folder, from, watch: watchdog.watch }),
    async close() {
      await watchdog.close()
      await functions.close()
    },
  }
}

interface Tools {
  functions: FunctionPool
  folder: string
  from: string | undefined
  watch(what: string): void
}

const YEAR_MS = 365 * 86_400_000
const exampleDevice = '6521f7b20c1d4e8a9b3c5d71'
const application = 'a'.repeat(24)
const customNode = '5f7f96d80c1d4e8a9b3c5d70'

async function openWorld(store: Store, { functions, folder, from, watch }: Tools): Promise<World> {
  const clock = { now: exampleTime }
  const http = answering()
  const connections = databases()
  const faults: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => void faults.push(line) })
  const alone = { now: () => clock.now, wake: () => undefined, nudge: () => undefined }
  const jobsOf = (one: AppStore) => openJobs({ app: one, ...alone })
  const runtime = openRuntime({
    ...{ config: readConfig({ DATA_DIR: folder }), log, queue: { of: jobsOf } as Queue },
    parts: { now: () => clock.now, functions, http },
  })
  const [app, other] = ['first', 'second'].map((tenant) => store.app({ tenant, application })) as [AppStore, AppStore]
  if (from !== undefined) await importInto(store, app.scope, from)
  for (const one of from === undefined ? [app, other] : [other]) await fill(one, runtime.resources(one).devices)
  const before = await contentsOf(other)
  let happened = 0
  const natural = prototypes()
  const definitions = openDefinitions({
    viewOptions: ({ store: { scope }, secret }) => ({
      ...openFileLinks({ id: scope.application, secret, now: () => clock.now }),
      dashboard: () => '',
    }),
  })
  const end = (outcome: Outcome, milliseconds: number): string | undefined => {
    if (prototypes() !== natural) return 'a prototype was changed'
    if (milliseconds > LIMIT_MS) return `it took ${Math.round(milliseconds)} ms`
    const { error } = outcome
    if (outcome.status === 'done') return undefined
    if (error === undefined || !Object.hasOwn(flowErrors, error.code)) return `internal: ${stackOf(error?.cause)}`
    return error.code === 'limit.time' ? 'it ran out of time' : undefined
  }
  const loadedOf = async (flows: AppFlows, flow: RunnableFlow): Promise<Loaded> => {
    const { views, responseHeaders } = (await definitions.of(app, 'develop'))!
    return {
      ...{ flow, flows },
      async visit({ what, entry, payload, visits }) {
        watch(what)
        const real = runtime.services({ runId: 'case', app, flows, flow }, () => ({
          async send(_replyId, reply) {
            toAnswer(reply, { definitions: { views, responseHeaders }, secure: false, view: {} })
          },
          message: async () => undefined,
        }))
        const services = withOwn(real, { clock: standingClock(clock), connections })
        const limits = { milliseconds: LIMIT_MS, ...(visits === undefined ? {} : { visits }) }
        const started = performance.now()
        const outcome = await run({
          ...{ plan: flow.plan, entry, services, limits },
          payload: { time: new Date(clock.now), wrong: copyValue(wrong), ...payload },
        })
        return { outcome, fault: end(outcome, performance.now() - started) }
      },
    }
  }
  return {
    app,
    async flows() {
      const flows = await runtime.plans.of(app)
      return Promise.all(flows.flows.map((flow) => loadedOf(flows, flow)))
    },
    async load({ flowClass, content }) {
      // Read as from a file.
      const read = JSON.parse(JSON.stringify(content)) as never
      const { id } = await app.collection('flows').insert({ name: 'Case', flowClass, enabled: true, content: read })
      if (flowClass === 'experience') {
        await app
          .collection('flowVersions')
          .insert({ flowId: id, version: 'develop', name: 'Case', enabled: true, content: read })
      }
      const flows = await runtime.plans.of(app)
      return loadedOf(flows, flows.flows.find((one) => one.id === id)!)
    },
    async happen() {
      happened += 1
      const { devices, events } = runtime.resources(app)
      const queued = () => app.collection('jobs').count({ field: 'kind', op: 'eq', value: 'run' })
      const before = await queued()
      const device = await devices.create(
        { name: `Made ${happened}`, attributes: [{ name: 'level', dataType: 'number' }] },
        {},
      )
      for (const id of [exampleDevice, device.id]) {
        clock.now += 1
        await devices.report([{ deviceId: id, data: { temperature: 1, level: 2 } }])
        await devices.report([{ deviceId: id, data: { temperature: {}, level: 'none' } }]).catch(expected)
      }
      const event = await events.create({ level: 'warning', subject: 'Some text', deviceId: exampleDevice })
      await events.update(event.id, { state: 'acknowledged', comment: 'Seen' })
      const schedules = openAppSchedules({ ...{ app, plans: runtime.plans, jobs: jobsOf(app) }, now: () => clock.now })
      await schedules.adopt(await app.revision())
      const due = await schedules.nextAt()
      if (due <= clock.now) throw new Error('Expected schedules to be due later')
      if (due < clock.now + 10 * YEAR_MS) clock.now = due
      await schedules.fire()
      return (await queued()) - before
    },
    async expectKept() {
      if (faults.length > 0) throw new Error(`Expected no fault in the log, got ${faults[0]!.slice(0, 1_000)}`)
      const after = await contentsOf(other)
      if (after !== before) throw new Error('Expected the other application to stay as it was')
      if (prototypes() !== natural) throw new Error('Expected prototypes to stay as they were')
    },
  }
}

async function importInto(store: Store, scope: Scope, folder: string): Promise<void> {
  const hostUrls = hostUrlsOf(readConfig({}), 'first')
  const bundle = await readBundle(await openFolder(folder))
  const options = { store, scope, bundle, hostUrls, catalog, templates: openTemplates(), slug: 'first' }
  const { imported } = await importBundle({ ...options, now: () => exampleTime })
  if (!imported) throw new Error(`Expected ${folder} to be an application`)
}

async function fill(app: AppStore, devices: Parameters<typeof fillExampleWorld>[1]['devices']): Promise<void> {
  await fillExampleWorld(app, { passwordHash: 'none', devices })
  await app.collection('experienceVersions').insert({ version: 'develop', endpointDefaultCors: false, globals: [] })
  const end = { id: 'end', type: 'custom-node-end', config: {} }
  const content = {
    triggers: [{ type: 'customNodeStart', key: 'customNodeStart', outputIds: [['end']] }],
    nodes: [end],
    globals: [],
  }
  await app
    .collection('flows')
    .insert({ id: customNode, name: 'Custom', flowClass: 'customNode', enabled: true, content: content as never })
  await app.values.set(`flow:${customNode}`, 'key', 'value')
  await app.blobs.put('blob', Buffer.from('content'))
}

/** Everything that an application holds, as text. */
export async function contentsOf(app: AppStore): Promise<string> {
  const all: unknown[] = []
  for (const name of Object.keys(collections) as CollectionName[]) {
    for await (const document of app.collection(name).each()) all.push([name, document])
  }
  const devices: string[] = []
  for await (const { id } of app.collection('devices').each()) devices.push(id)
  all.push([...(await app.telemetry.last(devices))])
  for (const deviceId of devices) {
    for await (const point of app.telemetry.points({ deviceId, start: 0, end: 8.64e15 })) all.push(point)
  }
  all.push(await app.values.entries(`flow:${customNode}`))
  for await (const part of (await app.blobs.read('blob')) ?? []) all.push(Buffer.from(part).toString('hex'))
  return JSON.stringify(all)
}

// What cannot be stored is refused.
function expected(error: unknown): void {
  if (!(error instanceof Refusal)) throw error
}

// Each time another answer: what comes from outside is as wild as what authors write.
function answering(): HttpClient {
  const bodies = ['[{"id": 1}]', '', 'no json', '{"__proto__": {"polluted": 1}}', '\u0000\ufffd', '[', 'null', loops]
  const kinds = ['application/json', 'text/plain', 'application/octet-stream', 'application/json; charset=none']
  let count = 0
  return {
    async send() {
      count += 1
      return {
        status: [200, 204, 404, 500, 302][count % 5]!,
        headers: { 'content-type': kinds[count % 4]!, 'x-list': ['a', 'b'], location: '/' },
        body: Buffer.from(bodies[count % 8]!),
      }
    },
  }
}

/** Whatever database is asked: it gives nothing, rows, a word, or refuses. */
function databases(): Connections {
  const answers = [undefined, [{ id: 1 }, JSON.parse('{"__proto__": {"polluted": 1}}')], 'OK', null, [[1], 'x']]
  let count = 0
  const method = async () => {
    count += 1
    if (count % 6 === 5) throw new Refusal('Unavailable', 'Expected the database to answer')
    return structuredClone(answers[count % 6])
  }
  return new Proxy({} as Connections, { get: () => method })
}

function prototypes(): string {
  return [Object, Array, Function, String, Date, Promise, RegExp, Error]
    .flatMap((one) => [Object.getOwnPropertyNames(one), Object.getOwnPropertyNames(one.prototype)])
    .join()
}

function stackOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message).split('\n').slice(0, 6).join(' | ') : String(cause)
}
