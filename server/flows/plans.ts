import { type Catalog, compileFlow, globalsOf, type Plan, type PlanTrigger } from '../../engine/compile.ts'
import type { FlowClass, Problem } from '../../engine/document.ts'
import { type Payload, readPath } from '../../engine/payload.ts'
import { openTemplates, type Templates } from '../../engine/template.ts'
import { enterTurn } from '../../engine/turns.ts'
import type { FlowContent } from '../store/documents/flows.ts'
import type { AppStore } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'

/** One version of a flow that may run now. */
export interface RunnableFlow {
  /** Id of the flow, not of its version. */
  id: string
  name: string
  flowClass: FlowClass
  /** `develop` or the version's name. */
  version: string
  /** Name of the experience version it belongs to; undefined for application flows. */
  experienceVersion: string | undefined
  plan: Plan
  problems: Problem[]
}

/** What an application is made of, as far as runs need it: all of one revision. */
export interface AppFlows {
  revision: number
  application: { id: string; name: string }
  globals: Payload
  /** By name of the experience version. */
  experienceGlobals: ReadonlyMap<string, Payload>
  /** Enabled flows, in the version that runs. */
  flows: readonly RunnableFlow[]
  /** Their triggers of one type, or of one type and key, in the order of the flows. Costs the same however many flows there are. */
  listeners(type: string, key?: string): readonly Listener[]
  /**
   * One version of a flow, enabled or not: `default`, `develop` or a name; of an experience flow the name of the experience
   * version. Compiled when it is first asked for. Undefined: there is no such flow, or no such version.
   */
  version(flowId: string, version: string): RunnableFlow | undefined
}

/** A trigger of an enabled flow. */
export interface Listener {
  flow: RunnableFlow
  trigger: PlanTrigger
  /** Among the triggers of its flow. */
  index: number
  /** Among all triggers of the application. */
  place: number
}

export interface Plans {
  /**
   * Never stale: what is given has the revision that the store has at the call, or the one that the caller has just read.
   * Concurrent loads are shared.
   */
  of(app: AppStore, revision?: number): Promise<AppFlows>
}

/** Compiled flows by application. What did not change between two revisions is not compiled again. */
export function openPlans(catalog: Catalog): Plans {
  const kept = new Map<string, Kept>()
  return {
    async of(app, known) {
      const key = scopeKey(app.scope)
      const revision = known ?? (await app.revision())
      const entry: Kept = kept.get(key) ?? { templates: openTemplates(), compiled: new Map(), at: -1 }
      keepNewest(kept, key, entry)
      if (entry.loading && entry.at === revision) return entry.loading
      entry.at = revision
      const loading = load(app, revision, catalog, entry)
      entry.loading = loading
      loading.catch(() => {
        if (entry.loading === loading) entry.loading = undefined
      })
      return loading
    },
  }
}

interface Kept {
  templates: Templates
  compiled: Map<string, Compiled>
  loading?: Promise<AppFlows>
  /** The revision that `loading` is of. */
  at: number
}

const MOST_APPLICATIONS = 500

// A Map keeps the order of insertion: what was used last stands last.
function keepNewest(kept: Map<string, Kept>, key: string, entry: Kept): void {
  kept.delete(key)
  kept.set(key, entry)
  if (kept.size > MOST_APPLICATIONS) kept.delete(kept.keys().next().value!)
}

interface Compiled {
  stamp: string
  plan: Plan
  problems: Problem[]
}

async function load(app: AppStore, revision: number, catalog: Catalog, cache: Kept): Promise<AppFlows> {
  const application = await app.collection('application').get(app.scope.application)
  const versions = await collect(app.collection('experienceVersions').each())
  const { flows, version } = await flowsOf(app, catalog, cache)
  return {
    revision,
    application: { id: app.scope.application, name: application?.name ?? '' },
    globals: globalsOf(application?.globals ?? []),
    experienceGlobals: new Map(versions.map((one) => [one.version, globalsOf(one.globals)])),
    flows,
    listeners: listenersOf(flows),
    version,
  }
}

function listenersOf(flows: readonly RunnableFlow[]): AppFlows['listeners'] {
  const all = flows.flatMap((flow) => flow.plan.triggers.map((trigger, index) => ({ flow, trigger, index })))
  const placed: Listener[] = all.map((one, place) => ({ ...one, place }))
  const byType = Map.groupBy(placed, ({ trigger }) => trigger.type)
  const byKey = Map.groupBy(placed, ({ trigger }) => `${trigger.type}\n${trigger.key}`)
  return (type, key) => (key === undefined ? byType.get(type) : byKey.get(`${type}\n${key}`)) ?? []
}

async function flowsOf(app: AppStore, catalog: Catalog, cache: Kept): Promise<Pick<AppFlows, 'flows' | 'version'>> {
  const documents = await collect(app.collection('flows').each())
  const snapshots = await collect(app.collection('flowVersions').each())
  const compile = (id: string, stamp: string, flowClass: FlowClass, content: FlowContent): Compiled => {
    const known = cache.compiled.get(id)
    if (known?.stamp === stamp) return known
    const fresh = { stamp, ...compileFlow(content, { flowClass, catalog, templates: cache.templates }) }
    cache.compiled.set(id, fresh)
    return fresh
  }
  const present = new Set([...documents, ...snapshots].map((one) => one.id))
  for (const id of cache.compiled.keys()) if (!present.has(id)) cache.compiled.delete(id)
  const byId = new Map(documents.map((flow) => [flow.id, flow]))
  const versions = Map.groupBy(snapshots, (one) => one.flowId)
  const version = (flowId: string, wanted: string): RunnableFlow | undefined => {
    const flow = byId.get(flowId)
    if (!flow) return undefined
    const { id, name, flowClass } = flow
    const own = versions.get(id) ?? []
    if (flowClass === 'experience') {
      const one = own.find((each) => each.version === wanted)
      if (!one) return undefined
      const about = { id, name: one.name ?? name, flowClass, version: wanted, experienceVersion: wanted }
      return { ...about, ...compile(one.id, `${one.revision}`, flowClass, one.content) }
    }
    const chosen = own.find((one) => (wanted === 'default' ? one.id === flow.defaultVersionId : one.version === wanted))
    if (!chosen && wanted !== 'default' && wanted !== 'develop') return undefined
    const { plan, problems } = chosen
      ? compile(chosen.id, `${chosen.revision}`, flowClass, chosen.content)
      : compile(id, `${flow.revision}`, flowClass, flow.content)
    return { id, name, flowClass, version: chosen?.version ?? 'develop', experienceVersion: undefined, plan, problems }
  }
  const flows: RunnableFlow[] = []
  for (const flow of documents) {
    if (!flow.enabled) continue
    const running = flow.flowClass === 'experience' ? (versions.get(flow.id) ?? []).filter((one) => one.enabled) : []
    const names = flow.flowClass === 'experience' ? running.map((one) => one.version) : ['default']
    for (const name of names) {
      const found = version(flow.id, name)
      if (found) flows.push(found)
      // A flow may take long to compile, and an application has hundreds: others come in between.
      const turn = enterTurn(scopeKey(app.scope))
      if (turn) await turn
    }
  }
  return { flows, version }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** The payload's `data.replyId`, when a run carries one. */
export function replyIdOf(payload: Payload): string | undefined {
  const id = readPath(payload, ['data', 'replyId'])
  return typeof id === 'string' ? id : undefined
}
