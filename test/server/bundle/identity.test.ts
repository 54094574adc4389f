import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { exportBundle } from '../../../server/bundle/export.ts'
import { kinds } from '../../../server/bundle/kinds.ts'
import { printUnsupported } from '../../../server/bundle/report.ts'
import type { Store } from '../../../server/store/port.ts'
import { openTestStore, runsOf } from '../../helpers/store.ts'
import { application, type Contents, envelope, hostUrls, importContents, ref } from './small-app.ts'

type Resource = Record<string, unknown>

// Names that YAML, file systems and the format itself could misread.
const name = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((one) => one.trim() !== ''),
  fc.constantFrom(
    'yes',
    '1e3',
    '~',
    'null',
    'a/b',
    '..',
    'CON',
    '2024-01-01',
    'Ä b',
    "it's",
    '{{x}}',
    'constructor',
    '#',
  ),
)
const names = fc.uniqueArray(name, { maxLength: 5, selector: (one) => one.toLowerCase().normalize('NFKC') })
const text = fc.oneof(
  name,
  fc.constantFrom('a\r\nb', ' lead', 'trail ', '{{#if a}}b{{/if}}', 'x'.repeat(300), '\ta: b'),
)
const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/).filter((one) => one !== '__proto__')
const tags = fc.uniqueArray(fc.record({ key: word, value: name }), {
  maxLength: 3,
  selector: ({ key }) => key.toLowerCase(),
})
const tagMap = fc.dictionary(word, name, { maxKeys: 3 })
// As files hold it: JSON has no -0.
const json = fc.jsonValue({ maxDepth: 2 }).map((one) => JSON.parse(JSON.stringify(one)) as unknown)
const globals = fc.uniqueArray(fc.record({ key: word, json: json.map((one) => JSON.stringify(one)) }), {
  ...{ maxLength: 3, selector: ({ key }: { key: string }) => key },
})
/** Keys that may be missing: then they are undefined, which YAML leaves out. */
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined })
const reply = maybe(
  fc.record({ type: fc.constantFrom('page', 'redirect'), value: name, statusCode: fc.integer({ min: 200, max: 500 }) }),
)

const attributes = fc.uniqueArray(
  fc.record({
    name: word,
    dataType: fc.constantFrom('number', 'string', 'boolean', 'gps'),
    attributeTags: tagMap,
    description: maybe(text),
  }),
  { maxLength: 3, selector: (one) => one.name },
)
const deviceFields = {
  attributes,
  tags,
  description: maybe(text),
  deviceClass: fc.constantFrom('standalone', 'gateway', 'system'),
}

/** Resources, each with a name of its own. */
function some(type: string, fields: Record<string, fc.Arbitrary<unknown>>, key = 'name'): fc.Arbitrary<Resource[]> {
  return names.chain((own) =>
    fc.tuple(
      ...own.map((one, index) =>
        fc.record({ ...fields, id: fc.constant(ref(type, `${type}${index}`)), [key]: fc.constant(one) }),
      ),
    ),
  ) as fc.Arbitrary<Resource[]>
}

/** Resources in trees: a number says under which one before it each stands. */
const trees = (resources: fc.Arbitrary<Resource[]>) =>
  fc.tuple(resources, fc.array(fc.nat(5), { minLength: 6, maxLength: 6 })).map(([all, under]) => {
    const roots: Resource[] = []
    const grown = all.map((one) => ({ ...one, children: [] as Resource[] }))
    for (const [index, one] of grown.entries())
      (grown[under[index]! % (index + 1)] === one ? roots : grown[under[index]! % (index + 1)]!.children).push(one)
    return roots
  })

const node = (target: string) => ({
  ...{
    id: 'end',
    type: 'DebugNode',
    config: { message: `See ${target}` },
    meta: { label: 'End', x: 1.5 },
    outputIds: [[]],
  },
})
const content = (target: string, key: string) =>
  fc.record({
    ...{ globals, custom: json.filter((one) => one !== null), description: maybe(text) },
    nodes: fc.constant([node(target)]),
    triggers: fc.constant([{ type: 'virtualButton', key, config: {}, meta: {}, outputIds: [['end']] }]),
  })
const numbers = fc.uniqueArray(fc.nat(9), { maxLength: 3 })
const all = <T>(ids: number[], one: (id: number) => fc.Arbitrary<T>) =>
  fc.tuple(...ids.map(one)) as unknown as fc.Arbitrary<T[]>

const flows = fc.tuple(numbers, names).chain(([ids, own]) =>
  all(ids.slice(0, own.length), (id) =>
    fc
      .tuple(
        content(ref('device', 'device0'), `${ref('flow', `flow${id}`)}-press`),
        fc.constantFrom('cloud', 'edge', 'embedded'),
        fc.boolean(),
      )
      .map(([one, flowClass, enabled]) => ({
        ...{ ...one, id: ref('flow', `flow${id}`), name: `${own[ids.indexOf(id)]}`, flowClass },
        ...(enabled && flowClass === 'cloud' ? { enabled } : {}),
      })),
  ),
)

const someFiles = () =>
  fc.dictionary(fc.stringMatching(/^[a-z]{1,6}\.(txt|png|hbs|yaml)$/), fc.uint8Array({ maxLength: 50 }), { maxKeys: 3 })

interface App {
  application: Resource
  devices: Resource[]
  recipes: Resource[]
  groups: Resource[]
  users: Resource[]
  version: Resource
  /** Experience versions beside develop, each with all that develop has. */
  versions: string[]
  views: Resource[]
  bodies: string[]
  endpoints: Resource[]
  flows: Resource[]
  flowVersions: Resource[]
  experienceFlows: Resource[]
  webhooks: Resource[]
  jobs: Resource[]
  tables: Resource[]
  rows: string[]
  files: Record<string, Uint8Array>
  privateFiles: Record<string, Uint8Array>
  unsupported: string[]
}

const apps: fc.Arbitrary<App> = fc.record({
  application: fc.record({
    id: fc.constant(ref('application', 'app')),
    name,
    globals,
    description: maybe(text),
    filesPath: fc.constant('./files'),
  }),
  devices: trees(some('device', deviceFields)),
  recipes: some('deviceRecipe', { ...deviceFields, deviceName: maybe(name) }),
  groups: trees(
    some('experienceGroup', {
      deviceIds: fc.constant([]),
      deviceTags: tags,
      groupTags: tagMap,
      description: maybe(text),
      deviceQueryJson: maybe(fc.constant('{"name": "x"}')),
    }),
  ),
  users: fc.uniqueArray(word, { maxLength: 4, selector: (one) => one.toLowerCase() }).chain((own) =>
    fc.tuple(
      ...own.map((one, index) =>
        fc.record({
          ...{ firstName: maybe(name), lastName: maybe(name), userTags: tagMap, experienceGroupIds: fc.constant([]) },
          ...{ id: fc.constant(ref('experienceUser', `user${index}`)), email: fc.constant(`${one}@example.com`) },
        }),
      ),
    ),
  ) as fc.Arbitrary<Resource[]>,
  version: fc.record({
    ...{
      id: fc.constant(ref('experienceVersion', 'develop')),
      version: fc.constant('develop'),
      endpointDefaultCors: fc.boolean(),
      globals,
    },
    ...{
      notFoundReply: reply,
      responseHeaders: maybe(fc.dictionary(fc.stringMatching(/^x-[a-z]{1,8}$/), word, { maxKeys: 2 })),
    },
  }),
  versions: fc.subarray(['1.0', 'Spring / 26']),
  views: some('experienceView', {
    viewTags: tagMap,
    description: maybe(text),
    viewType: fc.constantFrom('page', 'component', 'layout'),
    version: fc.constant('develop'),
  }),
  bodies: fc.array(
    fc.oneof(
      fc.constantFrom('<p>{{x}}</p>', 'a\r\nb\n', `${ref('device', 'device0')} é`, ''),
      fc.stringMatching(/^[a-z<>\n é]{0,20}$/),
    ),
    { minLength: 6, maxLength: 6 },
  ),
  endpoints: numbers.chain((ids) =>
    all(ids, (id) =>
      fc.record({
        ...{
          id: fc.constant(ref('experienceEndpoint', `endpoint${id}`)),
          route: fc.constantFrom(`/r${id}`, `/r${id}/{id}`, `/r${id}/{any*}`),
        },
        ...{
          method: fc.constantFrom('get', 'post', 'put'),
          access: fc.constantFrom('public', 'authenticated', 'group', 'device'),
          deviceIdTemplate: maybe(fc.constant('{{request.params.id}}')),
          enabled: fc.boolean(),
        },
        ...{
          endpointTags: tagMap,
          experienceGroupIds: fc.constant([]),
          version: fc.constant('develop'),
          description: maybe(text),
        },
        ...{ staticReply: reply, unauthorizedReply: reply },
      }),
    ),
  ) as fc.Arbitrary<Resource[]>,
  flows: flows as fc.Arbitrary<Resource[]>,
  flowVersions: fc.array(
    fc
      .tuple(content('nothing', 'press'), fc.boolean(), maybe(text))
      .map(([one, enabled, notes]) => ({ ...one, enabled, notes })),
    { maxLength: 4 },
  ) as fc.Arbitrary<Resource[]>,
  experienceFlows: fc.tuple(numbers, names).chain(([ids, own]) =>
    all(ids.slice(0, own.length), (id) =>
      fc.tuple(content('nothing', `${ref('flow', `page${id}`)}-press`), fc.boolean()).map(([one, enabled]) => ({
        ...{ ...one, id: ref('flowVersion', `page${id}`), flowId: ref('flow', `page${id}`), enabled },
        ...{ name: own[ids.indexOf(id)], version: 'develop' },
      })),
    ),
  ) as fc.Arbitrary<Resource[]>,
  webhooks: some('webhook', {
    ...{
      responseCode: fc.integer({ min: 200, max: 299 }),
      verificationType: fc.constantFrom('none', 'twilio'),
      verificationCode: fc.constant(''),
    },
    ...{
      waitForReply: fc.boolean(),
      basicAuthUsername: word,
      basicAuthPassword: word,
      isWebsocket: fc.constant(false),
    },
    ...{ castBuffersAs: fc.constantFrom('array', 'hex'), annotateMultipart: fc.boolean() },
  }),
  jobs: some('resourceJob', {
    ...{ description: maybe(text), resourceType: fc.constantFrom('device', 'experienceUser', 'experienceGroup') },
    ...{ queryJson: fc.constant('{"name": "x"}'), defaultContext: fc.constant('{"a": 1}') },
    ...{ iterationDelay: fc.nat(60_000), iterationTimeout: fc.constantFrom(60_000, 900_000) },
    ...{ maxIterationConcurrency: fc.constantFrom(1, 10), maxIterationRetries: fc.integer({ min: 1, max: 5 }) },
    ...{ retryDelay: fc.nat(30_000), retryOnFailure: fc.boolean(), retryOnTimeout: fc.boolean() },
  }),
  tables: some('dataTable', {
    description: maybe(text),
    columns: fc.constant([
      { name: 'size', dataType: 'number', constraint: 'required' },
      { name: 'kind', dataType: 'string', constraint: 'optional', defaultValue: 'pump' },
    ]),
  }),
  rows: fc
    .array(fc.array(fc.tuple(fc.integer(), fc.constantFrom('a', 'ü', '"x, y"')), { maxLength: 4 }), {
      minLength: 6,
      maxLength: 6,
    })
    .map((tables) =>
      tables.map((rows) =>
        [
          'id,size,kind',
          ...rows.map(([size, kind], index) => `${String(index).padStart(24, '0')},${size},${kind}`),
        ].join('\n'),
      ),
    ),
  files: someFiles(),
  privateFiles: someFiles(),
  unsupported: fc.subarray(kinds.filter(({ supported }) => !supported).map((one) => one.name)),
})

/** The folder of an application, in the published format. */
function folderOf(app: App): Contents {
  const contents: Contents = { 'application.yaml': envelope('Application', app.application) }
  const put = (path: string, type: string, resources: Resource[]) => {
    if (resources.length > 0) contents[path] = envelope(type, ...resources)
  }
  const groups: Resource[] = app.groups.map((one) => ({
    ...one,
    deviceIds: app.devices.slice(0, 1).map(({ id }) => id),
  }))
  put('devices.yaml', 'DeviceTree', app.devices)
  put('deviceRecipes.yaml', 'DeviceRecipe', app.recipes)
  put('experience/groups.yaml', 'ExperienceGroupTree', groups)
  put(
    'experience/users.yaml',
    'ExperienceUser',
    app.users.map((one) => ({ ...one, experienceGroupIds: groups.slice(0, 1).map(({ id }) => id) })),
  )
  for (const version of ['develop', ...app.versions]) putVersion(app, { version, groups, contents, put })
  const flows: Resource[] =
    app.devices.length > 0 ? app.flows : app.flows.map((one) => ({ ...one, nodes: [node('nothing')] }))
  for (const [index, one] of flows.entries()) put(`workflows/${one.flowClass}/${index}.yaml`, 'Flow', [one])
  if (flows.length > 0) {
    for (const [index, one] of app.flowVersions.entries()) {
      const of = { flowId: flows[index % flows.length]!.id, version: `v${index}`, id: ref('flowVersion', `v${index}`) }
      put(`workflowVersions/v${index}.yaml`, 'FlowVersion', [{ ...one, ...of }])
    }
  }
  const webhooks = app.webhooks.map((one, index) => ({ ...one, token: ref('webhookToken', `token${index}`) }))
  put('webhooks.yaml', 'Webhook', webhooks)
  put('resourceJobs.yaml', 'ResourceJob', app.jobs)
  app.tables.forEach((one, index) => {
    put(`dataTables/${index}.yaml`, 'DataTable', [{ ...one, localFilename: `./${index}.csv` }])
    contents[`dataTables/${index}.csv`] = app.rows[index]!
  })
  for (const type of app.unsupported)
    put(`${type}.yaml`, type, [{ id: ref(type, 'x'), name: 'Unknown here', anything: [1] }])
  for (const [path, bytes] of Object.entries(app.files)) contents[`files/${path}`] = Buffer.from(bytes)
  for (const [path, bytes] of Object.entries(app.privateFiles)) contents[`privateFiles/${path}`] = Buffer.from(bytes)
  return contents
}

/** The experience of one version; each has all that there is, under ids of its own. */
function putVersion(
  app: App,
  to: {
    version: string
    groups: Resource[]
    contents: Contents
    put(path: string, type: string, resources: Resource[]): void
  },
): void {
  const { version, groups, contents, put } = to
  const folder = `experience/${version.replace(/\W/g, '_')}`
  const suffix = version === 'develop' ? '' : `-${version.replace(/\W/g, '')}`
  const own = (one: Resource) => ({ ...one, version, id: String(one.id).replace(/~$/, `${suffix}~`) })
  put(`${folder}/version.yaml`, 'ExperienceVersion', [own(app.version)])
  const layout = app.views.find(({ viewType }) => viewType === 'layout')
  app.views.forEach((one, index) => {
    const inLayout = one.viewType === 'page' && layout ? { layoutId: own(layout).id } : {}
    const view = { ...own(one), ...inLayout, localFilename: `./${index}.hbs` }
    put(`${folder}/views/${index}.yaml`, 'ExperienceView', [view])
    const body = app.devices.length > 0 ? app.bodies[index]! : 'plain'
    contents[`${folder}/views/${index}.hbs`] = one.viewType === 'layout' ? `<main>{{page}}</main>${body}` : body
  })
  const endpoints = app.endpoints.map((one) => ({
    ...own(one),
    experienceGroupIds: one.access === 'group' ? groups.slice(0, 2).map(({ id }) => id) : [],
  }))
  put(`${folder}/endpoints.yaml`, 'ExperienceEndpoint', endpoints)
  // Versions of one flow have its id in common.
  for (const [index, one] of app.experienceFlows.entries()) {
    put(`${folder}/workflows/${index}.yaml`, 'ExperienceFlowVersion', [own(one)])
  }
}

async function exportContents(store: Store, slug: string): Promise<Contents> {
  const host = await store.hosts.find(slug)
  const files = await exportBundle(store.app(host!.scope), { hostUrls })
  const contents: Contents = {}
  for (const [path, file] of files) contents[path] = typeof file === 'string' ? file : Buffer.from(await file())
  return contents
}

/**
 * What a folder says, whatever its files, orders and placeholders: each resource under its kind and name, references as kinds and
 * names, texts that stand in files of their own in the place of the name of the file.
 */
function saidBy(contents: Contents): Record<string, unknown> {
  const said: Record<string, unknown> = {}
  const tokens = new Map<string, string>()
  const add = (type: string, { children, ...own }: Resource, parent: string | undefined, folder: string) => {
    const name = `${type} ${own.email ?? (type === 'ExperienceEndpoint' ? `${own.method} ${own.route}` : (own.name ?? own.version))}`
    const label = own.viewType === undefined ? `${name}, ${own.version}` : `${name}, ${own.viewType} ${own.version}`
    tokens.set(String(own.id), label)
    if (type === 'ExperienceFlowVersion') tokens.set(String(own.flowId), `${name}, flow`)
    if (own.token !== undefined) tokens.set(String(own.token), `${label}, token`)
    const body =
      own.localFilename === undefined
        ? {}
        : { localFilename: String(contents[`${folder}/${String(own.localFilename).slice(2)}`]) }
    said[label] = { ...own, ...body, parent }
    for (const child of (children ?? []) as Resource[]) add(type, child, label, folder)
  }
  for (const [path, file] of Object.entries(contents)) {
    const isFile = /^(privateFiles|files)\//.test(path)
    if (isFile) said[path] = Buffer.from(file as Uint8Array).toString('hex')
    if (!path.endsWith('.yaml') || isFile) continue
    const { resourceType, resources } = parse(String(file)) as { resourceType: string; resources: Resource[] }
    for (const one of resources) add(resourceType, one, undefined, path.slice(0, path.lastIndexOf('/')))
  }
  const named = stringify(said, { aliasDuplicateObjects: false }).replace(
    /~exportplaceholderid-\w+-[\w-]+~/g,
    (token) => JSON.stringify(tokens.get(token) ?? token).slice(1, -1),
  )
  return parse(named) as Record<string, unknown>
}

describe('whatever an application holds', () => {
  test('import, export, import is the identity, and an export says what the folder said', async () => {
    let resources = 0
    await fc.assert(
      fc.asyncProperty(apps, async (app) => {
        const store = await openTestStore()
        const original = folderOf(app)
        const report = await importContents(store, original, { slug: 'first' })
        expect(report.problems.filter(({ severity }) => severity === 'error')).toEqual([])
        expect(report.unsupported).toEqual(Object.fromEntries(app.unsupported.map((type) => [type, 1])))
        expect(printUnsupported(report.unsupported)).toHaveLength(
          app.unsupported.length === 0 ? 0 : app.unsupported.length + 1,
        )
        const exported = await exportContents(store, 'first')
        const known = folderOf({ ...app, unsupported: [] })
        expect(saidBy(exported)).toEqual(saidBy(known))
        expect((await importContents(store, exported, { slug: 'second' })).imported).toBe(true)
        expect(await exportContents(store, 'second')).toEqual(exported)
        // What is there already is taken for what it is.
        await importContents(store, original, { slug: 'first' })
        expect(await exportContents(store, 'first')).toEqual(exported)
        resources += Object.keys(saidBy(exported)).length
        await store.close()
      }),
      { numRuns: runsOf(Number(process.env.HEADGATE_FUZZ_RUNS ?? 60)), seed: 4, endOnFailure: true },
    )
    expect(resources).toBeGreaterThan(100)
  }, 120_000)
})

test('kinds that are not known here are in one table and stop nothing', async () => {
  const store = await openTestStore()
  const unknown = kinds.filter(({ supported }) => !supported).map((one) => one.name)
  const contents: Contents = { 'application.yaml': application() }
  for (const type of unknown) contents[`${type}.yaml`] = envelope(type, { id: ref(type, 'a') }, { id: ref(type, 'b') })
  const report = await importContents(store, contents)
  expect(report).toMatchObject({ imported: true, unsupported: Object.fromEntries(unknown.map((type) => [type, 2])) })
  const table = printUnsupported(report.unsupported)
  expect(table[0]).toBe('Not supported:')
  for (const type of unknown) expect(table.join('\n')).toMatch(new RegExp(`^ {2}${type} +2$`, 'm'))
})
