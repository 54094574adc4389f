import type { OriginDocument } from '../store/documents/experience.ts'
import type { FlowDocument } from '../store/documents/flows.ts'
import type { CollectionName, Documents } from '../store/documents.ts'
import type { AppStore } from '../store/port.ts'

/** All that an export is made of, each list in an order that stays the same from export to export. */
export interface Everything {
  application: Documents['application']
  dataTables: Documents['dataTables'][]
  recipes: Documents['recipes'][]
  devices: Documents['devices'][]
  groups: Documents['groups'][]
  users: Documents['users'][]
  experienceVersions: Documents['experienceVersions'][]
  views: Documents['views'][]
  endpoints: Documents['endpoints'][]
  webhooks: Documents['webhooks'][]
  resourceJobs: Documents['resourceJobs'][]
  flows: Documents['flows'][]
  flowVersions: Documents['flowVersions'][]
  files: Documents['files'][]
  flowById: Map<string, FlowDocument>
  /** Ids that stand for resources which are not kept here. */
  reserved: OriginDocument[]
}

/** Reads a whole application. Throws an Error when there is no such application. */
export async function readEverything(app: AppStore): Promise<Everything> {
  const application = await app.collection('application').get(app.scope.application)
  if (application === undefined) throw new Error('There is no such application')
  const flows = await sorted(app, 'flows', (one) => one.name)
  return {
    application,
    flows,
    flowById: new Map(flows.map((one) => [one.id, one])),
    dataTables: await sorted(app, 'dataTables', (one) => one.name),
    recipes: await sorted(app, 'recipes', (one) => one.name),
    devices: await sorted(app, 'devices', (one) => one.name),
    groups: await sorted(app, 'groups', (one) => one.name),
    users: await sorted(app, 'users', (one) => one.emailKey),
    experienceVersions: await sorted(app, 'experienceVersions', (one) => one.version),
    views: await sorted(app, 'views', (one) => `${one.name}\n${one.viewType}\n${placeOf(one)}`),
    endpoints: await sorted(app, 'endpoints', (one) => `${one.route}\n${one.method}\n${placeOf(one)}`),
    flowVersions: await sorted(app, 'flowVersions', (one) => `${one.name ?? ''}\n${placeOf(one)}`),
    webhooks: await sorted(app, 'webhooks', (one) => one.name),
    resourceJobs: await sorted(app, 'resourceJobs', (one) => one.name),
    files: await sorted(app, 'files', (one) => one.path),
    reserved: (await sorted(app, 'origins', (one) => one.key)).filter((one) => one.kind === 'token'),
  }
}

// Before all others: the placeholders of develop must not depend on which versions there are.
function placeOf({ version }: { version: string }): string {
  return version === 'develop' ? '' : version
}

async function sorted<N extends CollectionName>(
  app: AppStore,
  name: N,
  keyOf: (document: Documents[N]) => string,
): Promise<Documents[N][]> {
  const documents: Documents[N][] = []
  // In order of id: what came first stays first among those with one key.
  for await (const document of app.collection(name).each()) documents.push(document)
  return documents.sort((a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)]
    return left < right ? -1 : left > right ? 1 : 0
  })
}
