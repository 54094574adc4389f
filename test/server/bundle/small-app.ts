import { stringify } from 'yaml'
import { openTemplates } from '../../../engine/template.ts'
import { catalog } from '../../../nodes/index.ts'
import { type ImportReport, importBundle, scopeOf } from '../../../server/bundle/import.ts'
import type { Edits } from '../../../server/bundle/plan.ts'
import { readBundle } from '../../../server/bundle/read.ts'
import type { HostUrls } from '../../../server/bundle/references.ts'
import { treeOf } from '../../../server/bundle/tree.ts'
import type { CollectionName, Documents } from '../../../server/store/documents.ts'
import type { Store } from '../../../server/store/port.ts'

export type Contents = Record<string, string | Uint8Array>

/** A placeholder. */
export const ref = (type: string, name: string) => `~exportplaceholderid-${type}-${name}~`

/** The text of a resource file. */
export function envelope(resourceType: string, ...resources: object[]): string {
  return stringify({ resourceType, resources, version: 1 }, { aliasDuplicateObjects: false })
}

export const application = (more: object = {}) =>
  envelope('Application', { id: ref('application', 'small'), name: 'Small', globals: [], ...more })

export const device = (name: string, more: object = {}) => ({
  ...{ id: ref('device', name), name, deviceClass: 'standalone', attributes: [], tags: [], children: [] },
  ...more,
})

export const group = (name: string, more: object = {}) => ({
  ...{ id: ref('experienceGroup', name), name, deviceIds: [], deviceTags: [], groupTags: {}, children: [] },
  ...more,
})

export const user = (name: string, more: object = {}) => ({
  ...{ id: ref('experienceUser', name), email: `${name}@example.com`, experienceGroupIds: [], userTags: {} },
  ...more,
})

export const endpoint = (method: string, route: string, more: object = {}) => ({
  ...{ id: ref('experienceEndpoint', `${method}${route.replace(/\W/g, '-')}`), method, route, access: 'public' },
  ...{ enabled: true, endpointTags: {}, experienceGroupIds: [], version: 'develop' },
  ...more,
})

export const view = (viewType: string, name: string, more: object = {}) => ({
  ...{ id: ref('experienceView', name), name, viewType, viewTags: {}, version: 'develop' },
  ...{ localFilename: `./${name}.hbs` },
  ...more,
})

/** An experience flow that answers at nothing: one button, one node. */
export const experienceFlow = (name: string, more: object = {}) => ({
  ...{ id: ref('flowVersion', name), flowId: ref('flow', name), name, version: 'develop', enabled: true, globals: [] },
  ...{ triggers: [button(name)], nodes: [end('end')] },
  ...more,
})

export const cloudFlow = (name: string, more: object = {}) => ({
  ...{ id: ref('flow', name), name, flowClass: 'cloud', globals: [] },
  ...{ triggers: [button(name)], nodes: [end('end')] },
  ...more,
})

const button = (name: string) => ({
  ...{ type: 'virtualButton', key: `${ref('flow', name)}-press`, config: {}, meta: {}, outputIds: [['end']] },
})

const end = (id: string) => ({
  ...{ id, type: 'ConditionalNode', config: { expression: 'true' }, meta: {}, outputIds: [[], []] },
})

/** An application with one of each, small enough to read in full. */
export function smallApp(): Contents {
  return {
    'application.yaml': application({ globals: [{ key: 'home', json: `"${ref('experienceView', 'home')}"` }] }),
    'README.md': `See https://~exportplaceholderid-app-url~/applications/${ref('application', 'small')}.`,
    'devices.yaml': envelope('DeviceTree', device('rack', { deviceClass: 'system', children: [device('pump')] })),
    'deviceRecipes.yaml': envelope('DeviceRecipe', {
      ...{ id: ref('deviceRecipe', 'pump'), name: 'pump', deviceName: 'Pump', deviceClass: 'standalone' },
      ...{ attributes: [], tags: [{ key: 'kind', value: 'pump' }] },
    }),
    'experience/groups.yaml': envelope(
      'ExperienceGroupTree',
      group('world', {
        children: [group('east', { deviceTags: [{ key: 'group', value: ref('experienceGroup', 'east') }] })],
        deviceIds: [ref('device', 'pump')],
      }),
    ),
    'experience/users.yaml': envelope(
      'ExperienceUser',
      user('ann', { experienceGroupIds: [ref('experienceGroup', 'east')], userTags: { role: 'admin' } }),
      user('bob'),
    ),
    'experience/develop/version.yaml': envelope('ExperienceVersion', {
      ...{ id: ref('experienceVersion', 'develop'), version: 'develop', endpointDefaultCors: true, globals: [] },
    }),
    'experience/develop/endpoints.yaml': envelope(
      'ExperienceEndpoint',
      endpoint('get', '/', { staticReply: { type: 'page', value: ref('experienceView', 'home') } }),
      endpoint('get', '/{any*}'),
    ),
    'experience/develop/layouts/layouts.yaml': envelope('ExperienceView', view('layout', 'main')),
    'experience/develop/layouts/main.hbs': '<main>{{page}}</main>',
    'experience/develop/pages/pages.yaml': envelope(
      'ExperienceView',
      view('page', 'home', {
        layoutId: ref('experienceView', 'main'),
        headers: { 'content-type': 'text/html' },
      }),
    ),
    'experience/develop/pages/home.hbs': `<a data-id="${ref('device', 'pump')}">one\r\ntwo</a>`,
    'experience/develop/workflows/Greet.yaml': envelope('ExperienceFlowVersion', experienceFlow('greet')),
    'workflows/cloud/Tick.yaml': envelope('Flow', cloudFlow('tick')),
    'files/img/dot.svg': '<svg/>',
  }
}

export const hostUrls: HostUrls = {
  'files-domain': 'http://small.localhost:3000/_files',
  'docs-url': 'https://docs.example.com',
  'app-url': 'http://localhost:3000',
  'triggers-url': 'http://localhost:3000',
  'broker-url': 'localhost',
  'endpoint-domain': 'http://localhost:3000',
}

export interface Import {
  slug?: string
  tenant?: string
  password?: string
  edits?: Edits
}

/** Imports contents as a folder named `small`. */
export async function importContents(store: Store, contents: Contents, options: Import = {}): Promise<ImportReport> {
  const { slug = 'small', tenant = 'local', password, edits } = options
  return importBundle({
    ...{ store, slug, password, edits, hostUrls, catalog },
    bundle: await readBundle(treeOf('small', contents)),
    scope: await scopeOf(store, slug, tenant),
    templates: openTemplates(),
    now: () => 1_000,
  })
}

/** Every document of a collection, as the application of a slug holds it. */
export async function documentsOf<N extends CollectionName>(
  store: Store,
  name: N,
  slug = 'small',
): Promise<Documents[N][]> {
  const host = await store.hosts.find(slug)
  return host ? store.app(host.scope).collection(name).find({ limit: 1000 }) : []
}
