import { beforeEach, expect, test } from 'vitest'
import { kinds } from '../../../server/bundle/kinds.ts'
import type { CollectionName } from '../../../server/store/documents.ts'
import type { Store } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import { type Contents, documentsOf, envelope, importContents, ref } from './small-app.ts'

let store: Store
beforeEach(async () => {
  store = await openTestStore()
})

/** One resource of each kind as the oldest exports could have it: with what it cannot do without, and nothing else. */
const least = {
  Application: { name: 'Old' },
  DataTable: { name: 'Parts' },
  DeviceRecipe: { name: 'Recipe' },
  DeviceTree: { name: 'Pump', attributes: [{ name: 'on', dataType: 'boolean' }] },
  ExperienceGroupTree: { name: 'North' },
  ExperienceUser: { email: 'Ann@Example.com' },
  ExperienceVersion: { version: 'develop' },
  ExperienceView: { name: 'home', viewType: 'page' },
  Webhook: { name: 'Hook' },
  ResourceJob: { name: 'Job', resourceType: 'device' },
  Flow: { name: 'Tick', id: ref('flow', 'tick') },
  FlowVersion: { version: 'v1', flowId: ref('flow', 'tick') },
  ExperienceEndpoint: { method: 'get', route: '/' },
  ExperienceFlowVersion: { name: 'GET /', flowId: ref('flow', 'page') },
}
type Known = keyof typeof least

/** What the documents of a collection say, without what the store and this server say of them. */
async function said(collection: CollectionName, slug: string): Promise<object[]> {
  const own = ['id', 'revision', 'creationDate', 'lastUpdated', 'secret', 'token', 'tokenHash', 'anchors', 'flowId']
  return (await documentsOf(store, collection, slug)).map((one) =>
    Object.fromEntries(Object.entries(one).filter(([key]) => !own.includes(key))),
  )
}

const withEach = (more: (kind: Known) => object): Contents =>
  Object.fromEntries(
    Object.entries(least).map(([kind, one]) => {
      const path = kind === 'Application' ? 'application.yaml' : `${kind}.yaml`
      return [path, envelope(kind, { ...more(kind as Known), ...one })]
    }),
  )

const defaults: [collection: CollectionName, documents: object[]][] = [
  ['application', [{ name: 'Old', globals: [] }]],
  ['dataTables', [{ name: 'Parts', columns: [] }]],
  ['recipes', [{ name: 'Recipe', template: {} }]],
  [
    'devices',
    [
      {
        ...{ name: 'Pump', deviceClass: 'standalone', tags: [], groupIds: [] },
        attributes: [{ name: 'on', dataType: 'boolean', attributeTags: {} }],
      },
    ],
  ],
  ['groups', [{ name: 'North', ancestorIds: [], groupTags: {}, deviceIds: [], deviceTags: [] }]],
  ['users', [{ email: 'Ann@Example.com', emailKey: 'ann@example.com', userTags: {}, experienceGroupIds: [] }]],
  ['experienceVersions', [{ version: 'develop', endpointDefaultCors: true, globals: [] }]],
  ['views', [{ version: 'develop', name: 'home', viewType: 'page', body: '', viewTags: {} }]],
  [
    'webhooks',
    [
      {
        ...{ name: 'Hook', enabled: true, responseCode: 200, verificationType: 'none', verificationCode: '' },
        ...{ waitForReply: false, basicAuthUsername: '', basicAuthPassword: '', isWebsocket: false },
        ...{ castBuffersAs: 'array', annotateMultipart: false },
      },
    ],
  ],
  [
    'flows',
    [
      {
        ...{ name: 'Tick', flowClass: 'cloud', enabled: false },
        content: { triggers: [], nodes: [], globals: [] },
      },
      {
        ...{ name: 'GET /', flowClass: 'experience', enabled: true },
        content: { triggers: [], nodes: [], globals: [] },
      },
    ],
  ],
  [
    'flowVersions',
    [
      { version: 'v1', enabled: true, content: { triggers: [], nodes: [], globals: [] } },
      { version: 'develop', name: 'GET /', enabled: true, content: { triggers: [], nodes: [], globals: [] } },
    ],
  ],
  [
    'endpoints',
    [
      {
        ...{ version: 'develop', method: 'get', route: '/', access: 'public', enabled: true },
        ...{ endpointTags: {}, experienceGroupIds: [] },
      },
    ],
  ],
]

test('what older exports leave out has its default, of every kind', async () => {
  expect(Object.keys(least).sort()).toEqual(kinds.flatMap(({ name, supported }) => (supported ? [name] : [])).sort())
  const report = await importContents(
    store,
    withEach(() => ({})),
    { slug: 'old' },
  )
  expect(report).toMatchObject({ imported: true, problems: [] })
  for (const [collection, documents] of defaults) {
    const found = await said(collection, 'old')
    expect([collection, found]).toEqual([collection, expect.arrayContaining(documents)])
    expect(found).toHaveLength(documents.length)
  }
})

test('a key that is null is one that is missing; hashes of other servers say nothing', async () => {
  await importContents(
    store,
    withEach(() => ({})),
    { slug: 'old' },
  )
  const nulls = (kind: Known) => {
    const { fields } = kinds.find(({ name }) => name === kind)!
    const empty = Object.fromEntries(Object.keys(fields).map((key) => [key, null]))
    return { ...empty, ...(kind === 'Application' ? {} : { exportHash: 'f'.repeat(64) }) }
  }
  const report = await importContents(store, withEach(nulls), { slug: 'new' })
  expect(report).toMatchObject({ imported: true, problems: [] })
  for (const [collection] of defaults) {
    expect([collection, await said(collection, 'new')]).toEqual([collection, await said(collection, 'old')])
  }
})
