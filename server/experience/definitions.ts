import { globalsOf } from '../../engine/compile.ts'
import type { Payload } from '../../engine/payload.ts'
import type { EndpointDocument, ExperienceVersionDocument, ViewDocument } from '../store/documents/experience.ts'
import type { AppStore } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import { lazyTemplate } from './lazy-template.ts'
import { compileRouter, type Router } from './match.ts'
import { perTurn } from './per-turn.ts'
import { compileStaticReply, type StaticAnswer } from './static-reply.ts'
import { openViews, type ViewOptions, type ViewSet } from './views.ts'

/** What one version of an experience is made of, ready to serve: all of one revision of its application. */
export interface Definitions {
  revision: number
  scope: Scope
  version: string
  application: { id: string; name: string; secret: string }
  /** Application globals, then those of the version. */
  globals: Payload
  cors: boolean
  /** Origins that may read replies; undefined: any. */
  corsOrigins: readonly string[] | undefined
  responseHeaders: [name: string, value: string][]
  router: Router<EndpointRoute>
  notFound: StaticAnswer | undefined
  unauthorized: StaticAnswer | undefined
  views: ViewSet
}

/** An enabled endpoint with its templates compiled. */
export interface EndpointRoute {
  method: string
  route: string
  endpoint: EndpointDocument
  /** As flows and pages see it. Shared by all requests: copy before giving it away. */
  view: Payload
  /** Renders the id of the device that `device` access asks for; throws FlowError `template.*`. */
  deviceId: (root: Payload) => string
  staticReply: StaticAnswer | undefined
  unauthorized: StaticAnswer | undefined
}

export interface DefinitionCache {
  /** Never stale: what is given has the revision that the store has in this turn. Undefined: there is no such version. */
  of(store: AppStore, version: string): Promise<Definitions | undefined>
}

interface Entry {
  revision: number
  loaded: Promise<Definitions | undefined>
}

/** Definitions by application and version. Concurrent loads are shared; the `most` used last are kept (default 200). */
export function openDefinitions(options: {
  viewOptions(app: { store: AppStore; secret: string }): ViewOptions
  most?: number
}): DefinitionCache {
  const most = options.most ?? 200
  const kept = new Map<string, Entry>()
  const shared = perTurn<number>()
  return {
    async of(store, version) {
      const key = `${scopeKey(store.scope)}\n${version}`
      const revision = await shared(key, () => store.revision())
      const known = kept.get(key)
      kept.delete(key)
      const entry = known?.revision === revision ? known : { revision, loaded: load(store, version, revision) }
      kept.set(key, entry)
      if (kept.size > most) kept.delete(kept.keys().next().value!)
      try {
        return await entry.loaded
      } catch (error) {
        // The next request tries again.
        if (kept.get(key) === entry) kept.delete(key)
        throw error
      }
    },
  }

  async function load(store: AppStore, version: string, revision: number): Promise<Definitions | undefined> {
    const { scope } = store
    const [application, settings] = await Promise.all([
      store.collection('application').get(scope.application),
      store.collection('experienceVersions').first({ field: 'version', op: 'eq', value: version }),
    ])
    if (!application || (!settings && version !== 'develop')) return undefined
    const ofVersion = { field: 'version', op: 'eq', value: version } as const
    const endpoints: EndpointDocument[] = []
    for await (const endpoint of store.collection('endpoints').each(ofVersion)) endpoints.push(endpoint)
    const views: ViewDocument[] = []
    for await (const view of store.collection('views').each(ofVersion)) views.push(view)
    const { id, name, secret } = application
    return {
      ...{ revision, scope, version, application: { id, name, secret } },
      ...settingsOf(settings),
      globals: { ...globalsOf(application.globals), ...globalsOf(settings?.globals ?? []) },
      router: compileRouter(endpoints.filter((one) => one.enabled).map((one) => toRoute(one, id))),
      views: openViews(views, options.viewOptions({ store, secret })),
    }
  }
}

type VersionSettings = Pick<Definitions, 'cors' | 'corsOrigins' | 'responseHeaders' | 'notFound' | 'unauthorized'>

function settingsOf(settings: ExperienceVersionDocument | undefined): VersionSettings {
  const origins = settings?.allowedCorsOrigins
  return {
    cors: settings?.endpointDefaultCors ?? true,
    corsOrigins: origins && origins.length > 0 && !origins.includes('*') ? origins : undefined,
    responseHeaders: Object.entries(settings?.responseHeaders ?? {}),
    notFound: settings?.notFoundReply && compileStaticReply(settings.notFoundReply),
    unauthorized: settings?.unauthorizedReply && compileStaticReply(settings.unauthorizedReply),
  }
}

function toRoute(endpoint: EndpointDocument, applicationId: string): EndpointRoute {
  const { method, route, staticReply, unauthorizedReply } = endpoint
  return {
    ...{ method, route, endpoint, view: toView(endpoint, applicationId) },
    deviceId: lazyTemplate(endpoint.deviceIdTemplate ?? ''),
    staticReply: staticReply && compileStaticReply(staticReply),
    unauthorized: unauthorizedReply && compileStaticReply(unauthorizedReply),
  }
}

function toView(endpoint: EndpointDocument, applicationId: string): Payload {
  const { revision: _revision, copyOf: _copyOf, creationDate, lastUpdated, experienceGroupIds, ...rest } = endpoint
  return {
    ...rest,
    experienceEndpointId: endpoint.id,
    applicationId,
    creationDate: new Date(creationDate).toISOString(),
    lastUpdated: new Date(lastUpdated).toISOString(),
    experienceGroups: experienceGroupIds.map((id) => ({ id })),
  }
}
