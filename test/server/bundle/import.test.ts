import { beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../../../server/store/port.ts'
import { tenancyWrite } from '../../../server/tenancy/write.ts'
import { openTestStore } from '../../helpers/store.ts'
import {
  application,
  type Contents,
  cloudFlow,
  device,
  documentsOf,
  endpoint,
  envelope,
  experienceFlow,
  group,
  importContents,
  ref,
  smallApp,
  user,
  view,
} from './small-app.ts'

let store: Store
beforeEach(async () => {
  store = await openTestStore()
})

const errorsOf = (report: { problems: { severity: string; code: string }[] }) =>
  report.problems.filter((one) => one.severity === 'error').map((one) => one.code)

const collectionNames = [
  'application',
  'recipes',
  'devices',
  'groups',
  'users',
  'experienceVersions',
  'views',
  'flows',
  'flowVersions',
  'endpoints',
  'files',
  'origins',
] as const

async function everything(slug = 'small') {
  const all: Record<string, unknown> = {}
  for (const name of collectionNames) all[name] = await documentsOf(store, name, slug)
  return all
}

async function readBlob(slug: string, key: string): Promise<string | undefined> {
  const host = await store.hosts.find(slug)
  const content = await store.app(host!.scope).blobs.read(key)
  if (content === undefined) return undefined
  let text = ''
  for await (const part of content) text += Buffer.from(part).toString()
  return text
}

test('makes an application of a folder, references replaced everywhere', async () => {
  const report = await importContents(store, smallApp(), { password: 'secret-word' })
  expect(report).toMatchObject({ imported: true, name: 'Small', users: ['ann@example.com', 'bob@example.com'] })
  expect(errorsOf(report)).toEqual([])
  expect(await store.hosts.find('small')).toEqual({ name: 'small', scope: report.scope, version: 'develop' })

  const [main, home] = (await documentsOf(store, 'views')).sort((a, b) => (a.name < b.name ? 1 : -1))
  const [rack, pump] = (await documentsOf(store, 'devices')).sort((a, b) => (a.name < b.name ? 1 : -1))
  const [world, east] = (await documentsOf(store, 'groups')).sort((a, b) => (a.name < b.name ? 1 : -1))
  expect(home).toMatchObject({ layoutId: main!.id, body: `<a data-id="${pump!.id}">one\r\ntwo</a>` })
  expect(pump).toMatchObject({ parentId: rack!.id, groupIds: [world!.id] })
  expect(east).toMatchObject({
    parentId: world!.id,
    ancestorIds: [world!.id],
    deviceTags: [{ key: 'group', value: east!.id }],
  })
  expect(world).toMatchObject({ deviceIds: [pump!.id] })
  expect(await documentsOf(store, 'application')).toMatchObject([
    {
      id: report.scope.application,
      globals: [{ key: 'home', json: `"${home!.id}"` }],
      readme: `See http://localhost:3000/applications/${report.scope.application}.`,
      secret: expect.stringMatching(/^.{40,}$/),
    },
  ])
  const users = await documentsOf(store, 'users')
  expect(users.find((one) => one.email === 'ann@example.com')).toMatchObject({
    experienceGroupIds: [east!.id],
    passwordHash: expect.stringContaining('argon2id'),
    passwordLastUpdated: 1_000,
  })
  expect((await documentsOf(store, 'endpoints')).find((one) => one.route === '/')?.staticReply?.value).toBe(home!.id)
  const flows = await documentsOf(store, 'flows')
  const greet = flows.find((one) => one.name === 'greet')!
  const tick = flows.find((one) => one.name === 'tick')!
  expect(greet).toMatchObject({ flowClass: 'experience', enabled: true })
  expect(tick).toMatchObject({
    flowClass: 'cloud',
    enabled: false,
    content: { triggers: [{ key: `${tick.id}-press` }] },
  })
  expect(await documentsOf(store, 'flowVersions')).toMatchObject([
    { flowId: greet.id, version: 'develop', enabled: true },
  ])
  const [file] = await documentsOf(store, 'files')
  expect(file).toMatchObject({ path: '/img/dot.svg', contentType: 'image/svg+xml', sizeBytes: 6, private: false })
  expect(await readBlob('small', file!.blob)).toBe('<svg/>')
})

test('nothing is written when something is wrong', async () => {
  const broken: Contents = {
    ...smallApp(),
    'workflows/cloud/Bad.yaml': envelope('Flow', cloudFlow('bad', { nodes: 'none' })),
  }
  const report = await importContents(store, broken)
  expect(report).toMatchObject({ imported: false, changes: {} })
  expect(errorsOf(report)).toContain('document.type')
  expect(await store.applications()).toEqual([])
  expect(await store.hosts.find('small')).toBeUndefined()

  await importContents(store, smallApp())
  const before = await everything()
  const again = await importContents(store, {
    ...broken,
    'files/new.txt': 'new',
    'devices.yaml': envelope('DeviceTree', device('other')),
  })
  expect(again.imported).toBe(false)
  expect(await everything()).toEqual(before)
})

test('what tenancy would refuse is listed with its place, all of it', async () => {
  const report = await importContents(store, {
    ...smallApp(),
    'bad.yaml': envelope(
      'ExperienceGroupTree',
      group('bad', { deviceQueryJson: '{"noSuchField": {"$eq": 1}}' }),
      group('late', { deviceQueryJson: '{"lastUpdated": {"$gt": 1}}' }),
      group('fine', { deviceQueryJson: `{"parentId": "${ref('device', 'rack')}"}` }),
      group('a', { parentId: ref('experienceGroup', 'b') }),
      group('b', { parentId: ref('experienceGroup', 'a') }),
      group('c', { parentId: ref('experienceGroup', 'a') }),
    ),
    'deep.yaml': envelope('ExperienceGroupTree', nested('deep', 51)),
    'files/new.txt': 'new',
  })
  expect(report).toMatchObject({ imported: false, changes: {} })
  const errors = report.problems.filter(({ severity }) => severity === 'error')
  expect(errors.map(({ code, file, pointer }) => [code, file, pointer])).toEqual([
    ['resource.field', 'bad.yaml', '/resources/0/deviceQueryJson'],
    ['resource.field', 'bad.yaml', '/resources/1/deviceQueryJson'],
    ['resource.field', 'bad.yaml', '/resources/3'],
    ['resource.field', 'bad.yaml', '/resources/4'],
    ['resource.field', 'deep.yaml', `/resources/0${'/children/0'.repeat(50)}`],
  ])
  expect(errors[0]?.message).toContain('noSuchField')
  expect(await documentsOf(store, 'application')).toEqual([])
})

test('an id of a group that is nowhere is named with its place; one of the application will do', async () => {
  await importContents(store, smallApp())
  const [there] = await documentsOf(store, 'groups')
  const gone = '9'.repeat(24)
  const withIds = (id: string) => ({
    ...smallApp(),
    'g.yaml': envelope('ExperienceGroupTree', group('below', { parentId: id, children: [group('inner')] })),
    'u.yaml': envelope('ExperienceUser', user('eve', { experienceGroupIds: [there!.id, id] })),
  })
  const refused = await importContents(store, withIds(gone))
  expect(refused.imported).toBe(false)
  expect(refused.problems.map(({ code, file, pointer }) => [code, file, pointer])).toEqual([
    ['resource.field', 'g.yaml', '/resources/0/parentId'],
    ['resource.field', 'u.yaml', '/resources/0/experienceGroupIds/1'],
  ])
  expect(await importContents(store, withIds(there!.id))).toMatchObject({ imported: true, problems: [] })
})

test('a reference to nothing in the query of a group is a warning, and matches nothing', async () => {
  const gone = ref('device', 'gone')
  const deviceQueryJson = JSON.stringify({
    $or: [{ id: gone }, { parentId: gone }, { ancestorId: gone }, { name: gone }],
  })
  const report = await importContents(store, {
    ...smallApp(),
    'g.yaml': envelope('ExperienceGroupTree', group('odd', { deviceQueryJson })),
  })
  expect(report).toMatchObject({ imported: true, problems: [{ code: 'reference.unresolved', file: 'g.yaml' }] })
  const odd = (await documentsOf(store, 'groups')).find(({ name }) => name === 'odd')!
  expect((await documentsOf(store, 'devices')).filter(({ groupIds }) => groupIds.includes(odd.id))).toEqual([])
})

const nested = (id: string, levels: number): object =>
  group(id, { children: levels > 1 ? [nested(`${id}${levels}`, levels - 1)] : [] })

test('what tenancy refuses leaves the store as it was, contents of files too', async () => {
  await importContents(store, { ...smallApp(), 'deep.yaml': envelope('ExperienceGroupTree', nested('deep', 50)) })
  const deepest = (await documentsOf(store, 'groups')).find(({ ancestorIds }) => ancestorIds.length === 49)!
  const before = await everything()
  // How deep it lies only the store knows.
  const bad = group('bad', { parentId: deepest.id })
  const report = await importContents(store, {
    ...smallApp(),
    'bad.yaml': envelope('ExperienceGroupTree', bad),
    'files/img/dot.svg': '<svg>new</svg>',
  })
  expect(report).toMatchObject({ imported: false, changes: {} })
  expect(errorsOf(report)).toEqual(['resource.field'])
  expect(await everything()).toEqual(before)
  const [file] = await documentsOf(store, 'files')
  expect(await readBlob('small', file!.blob)).toBe('<svg/>')
})

describe('a second import', () => {
  test('of the same folder changes nothing', async () => {
    await importContents(store, smallApp(), { password: 'secret-word' })
    const before = await everything()
    const report = await importContents(store, smallApp(), { password: 'secret-word' })
    for (const change of Object.values(report.changes))
      expect(change).toMatchObject({ created: 0, updated: 0, removed: 0 })
    expect(await everything()).toEqual(before)
  })

  test('updates what changed and keeps every id', async () => {
    await importContents(store, smallApp())
    const ids = (all: Record<string, unknown>) =>
      Object.entries(all).flatMap(([name, list]) =>
        name === 'origins' ? [] : (list as { id: string }[]).map((one) => one.id),
      )
    const before = ids(await everything())
    const changed = smallApp()
    changed['devices.yaml'] = envelope(
      'DeviceTree',
      device('rack', { deviceClass: 'system', children: [device('pump', { name: 'New pump' })] }),
    )
    changed['experience/develop/pages/home.hbs'] = 'new'
    changed['files/img/dot.svg'] = '<svg>new</svg>'
    const [old] = await documentsOf(store, 'files')
    const report = await importContents(store, changed)
    expect(report.changes).toMatchObject({
      devices: { updated: 1, unchanged: 1 },
      views: { updated: 1 },
      files: { updated: 1 },
    })
    expect(ids(await everything())).toEqual(before)
    expect((await documentsOf(store, 'devices')).map((one) => one.name).sort()).toEqual(['New pump', 'rack'])
    const [file] = await documentsOf(store, 'files')
    expect(await readBlob('small', file!.blob)).toBe('<svg>new</svg>')
    expect(await readBlob('small', old!.blob)).toBeUndefined()
  })

  test('removes flows, views, endpoints and files that are gone, and no user, group or device', async () => {
    await importContents(store, smallApp())
    const [file] = await documentsOf(store, 'files')
    const report = await importContents(store, { 'application.yaml': application() })
    expect(report.imported).toBe(true)
    for (const name of ['flows', 'flowVersions', 'views', 'endpoints', 'files', 'recipes'] as const) {
      expect(await documentsOf(store, name)).toEqual([])
    }
    for (const name of ['users', 'groups', 'devices'] as const) expect(await documentsOf(store, name)).toHaveLength(2)
    expect(await documentsOf(store, 'experienceVersions')).toMatchObject([{ version: 'develop' }])
    expect(await readBlob('small', file!.blob)).toBeUndefined()
    expect((await importContents(store, smallApp())).imported).toBe(true)
    expect(await documentsOf(store, 'users')).toHaveLength(2)
  })

  test('leaves alone what was made by hand', async () => {
    const { scope } = await importContents(store, smallApp())
    const app = store.app(scope)
    const content = { triggers: [], nodes: [], globals: [] }
    await app.collection('flows').insert({ name: 'mine', flowClass: 'cloud', enabled: true, content })
    await importContents(store, { 'application.yaml': application() })
    expect(await documentsOf(store, 'flows')).toMatchObject([{ name: 'mine' }])
  })

  test('keeps passwords, tokens, memberships and devices that were added by hand; takes away what the folder took away', async () => {
    const { scope } = await importContents(store, smallApp(), { password: 'secret-word' })
    const app = store.app(scope)
    const ann = (await app.collection('users').first({ field: 'email', op: 'eq', value: 'ann@example.com' }))!
    const world = (await app.collection('groups').first({ field: 'name', op: 'eq', value: 'world' }))!
    const east = (await app.collection('groups').first({ field: 'name', op: 'eq', value: 'east' }))!
    const rack = (await app.collection('devices').first({ field: 'name', op: 'eq', value: 'rack' }))!
    await tenancyWrite(app, [
      {
        update: 'users',
        id: ann.id,
        change: { experienceGroupIds: [east.id, world.id], tokenCutoff: 5, passwordHash: 'own' },
      },
      { update: 'groups', id: world.id, change: { deviceIds: [...world.deviceIds, rack.id] } },
    ])
    const changed = smallApp()
    changed['experience/users.yaml'] = envelope('ExperienceUser', user('ann', { firstName: 'Ann' }), user('bob'))
    changed['experience/groups.yaml'] = envelope(
      'ExperienceGroupTree',
      group('world', { description: 'All', children: [group('east')] }),
    )
    await importContents(store, changed, { password: 'another-word' })
    expect(await app.collection('users').get(ann.id)).toMatchObject({
      ...{ firstName: 'Ann', experienceGroupIds: [world.id], tokenCutoff: 5, passwordHash: 'own' },
    })
    expect(await app.collection('groups').get(world.id)).toMatchObject({ description: 'All', deviceIds: [rack.id] })
  })

  test('keeps edits of users and devices until the folder says something new about them', async () => {
    const { scope } = await importContents(store, smallApp())
    const pump = (await documentsOf(store, 'devices')).find((one) => one.name === 'pump')!
    await tenancyWrite(store.app(scope), [{ update: 'devices', id: pump.id, change: { name: 'Renamed' } }])
    await importContents(store, smallApp())
    expect(await store.app(scope).collection('devices').get(pump.id)).toMatchObject({ name: 'Renamed' })
  })

  test.each([
    ['replace', ''],
    ['keep', 'edited'],
  ] as const)('with %s leaves an edited body as %j', async (edits, expected) => {
    const { scope } = await importContents(store, smallApp())
    const views = store.app(scope).collection('views')
    const home = (await views.first({ field: 'name', op: 'eq', value: 'home' }))!
    await views.update(home.id, { body: 'edited' })
    await importContents(store, smallApp(), { edits })
    expect((await views.get(home.id))?.body).toBe(expected || home.body)
  })

  test('switches a flow neither on nor off until the folder changes it', async () => {
    const withTick = (more: object) => ({
      ...smallApp(),
      'workflows/cloud/Tick.yaml': envelope('Flow', cloudFlow('tick', more)),
    })
    const { scope } = await importContents(store, withTick({ enabled: true }))
    const flows = store.app(scope).collection('flows')
    const tick = (await flows.first({ field: 'name', op: 'eq', value: 'tick' }))!
    expect(tick.enabled).toBe(true)
    await flows.update(tick.id, { enabled: false })
    await importContents(store, withTick({ enabled: true }))
    expect((await flows.get(tick.id))?.enabled).toBe(false)
    await importContents(store, withTick({ enabled: true, description: 'new' }))
    expect((await flows.get(tick.id))?.enabled).toBe(true)
    await importContents(store, withTick({ description: 'silent' }))
    expect((await flows.get(tick.id))?.enabled).toBe(true)
  })

  test('gives a password to users that have none yet, and to no other', async () => {
    await importContents(store, smallApp())
    expect((await documentsOf(store, 'users')).map((one) => one.passwordHash)).toEqual([undefined, undefined])
    await importContents(store, smallApp(), { password: 'secret-word' })
    const hashes = (await documentsOf(store, 'users')).map((one) => one.passwordHash)
    expect(hashes.every((one) => one?.includes('argon2id'))).toBe(true)
    await importContents(store, smallApp(), { password: 'another-word' })
    expect((await documentsOf(store, 'users')).map((one) => one.passwordHash)).toEqual(hashes)
  })

  test('finds documents again by name when their placeholders changed', async () => {
    await importContents(store, smallApp())
    const before = await everything()
    const renamed = Object.fromEntries(
      Object.entries(smallApp()).map(([path, content]) => [
        path,
        String(content).replace(/~exportplaceholderid-(?!app-url)(\w+)-/g, '~exportplaceholderid-$1-x-'),
      ]),
    )
    const report = await importContents(store, renamed)
    for (const change of Object.values(report.changes)) expect(change).toMatchObject({ created: 0, removed: 0 })
    const after = await everything()
    const ids = (all: typeof before) =>
      collectionNames
        .filter((one) => one !== 'origins')
        .map((one) => (all[one] as { id: string }[]).map(({ id }) => id))
    expect(ids(after)).toEqual(ids(before))
    expect(after.origins).toHaveLength((before.origins as unknown[]).length)
  })

  test('takes over what was made by hand under the same unique name', async () => {
    const { scope } = await importContents(store, { 'application.yaml': application() })
    const fields = {
      version: 'develop',
      method: 'get',
      route: '/',
      access: 'public',
      enabled: true,
      endpointTags: {},
      experienceGroupIds: [],
    } as const
    const { id } = await store
      .app(scope)
      .collection('endpoints')
      .insert({ ...fields, endpointTags: {}, experienceGroupIds: [] })
    expect((await importContents(store, smallApp())).imported).toBe(true)
    expect((await documentsOf(store, 'endpoints')).find((one) => one.route === '/')?.id).toBe(id)
  })

  test('never takes one user for another who has the address now', async () => {
    const { scope } = await importContents(store, smallApp())
    const app = store.app(scope)
    const ann = (await app.collection('users').first({ field: 'email', op: 'eq', value: 'ann@example.com' }))!
    const other = { email: 'ann@example.com', emailKey: 'ann@example.com', userTags: {}, experienceGroupIds: [] }
    await app.collection('users').update(ann.id, { email: 'new@example.com', emailKey: 'new@example.com' })
    const stranger = await app.collection('users').insert(other)
    expect((await importContents(store, smallApp(), { password: 'secret-word' })).imported).toBe(true)
    expect(await app.collection('users').get(stranger.id)).toEqual(stranger)
    expect(await app.collection('users').get(ann.id)).toMatchObject({ email: 'new@example.com' })

    const before = await everything()
    const changed = {
      ...smallApp(),
      'experience/users.yaml': envelope('ExperienceUser', user('ann', { firstName: 'A' })),
    }
    const { problems } = await importContents(store, changed)
    const place = { file: 'experience/users.yaml', pointer: '/resources/0' }
    expect(problems).toMatchObject([{ code: 'bundle.conflict', severity: 'error', ...place }])
    expect(await everything()).toEqual(before)
  })

  test('swaps the names of two views', async () => {
    const names = (home: string, main: string) => ({
      'application.yaml': application(),
      'v.yaml': envelope(
        'ExperienceView',
        view('page', 'home', { name: home, localFilename: undefined, body: 'home' }),
        view('page', 'main', { name: main, localFilename: undefined, body: 'main' }),
      ),
    })
    await importContents(store, names('a', 'b'))
    expect((await importContents(store, names('b', 'a'))).imported).toBe(true)
    expect((await documentsOf(store, 'views')).map(({ name, body }) => [name, body]).sort()).toEqual([
      ['a', 'main'],
      ['b', 'home'],
    ])
  })

  test('moves a group with everything below it', async () => {
    const tree = (...roots: object[]) => ({
      'application.yaml': application(),
      'g.yaml': envelope('ExperienceGroupTree', ...roots),
    })
    await importContents(store, tree(group('a', { children: [group('b', { children: [group('c')] })] }), group('d')))
    await importContents(store, tree(group('a'), group('d', { children: [group('b', { children: [group('c')] })] })))
    const groups = await documentsOf(store, 'groups')
    const byName = new Map(groups.map((one) => [one.name, one]))
    expect(groups).toHaveLength(4)
    expect(byName.get('c')?.ancestorIds).toEqual([byName.get('d')!.id, byName.get('b')!.id])
  })
})

describe('slugs', () => {
  test('two slugs make two applications that share nothing', async () => {
    const first = await importContents(store, smallApp())
    const second = await importContents(store, smallApp(), { slug: 'other' })
    expect(second.imported).toBe(true)
    expect(second.scope.application).not.toBe(first.scope.application)
    const [one, two] = [await everything(), await everything('other')]
    const idsOf = (all: typeof one) =>
      collectionNames.flatMap((name) => (all[name] as { id: string }[]).map(({ id }) => id))
    expect(idsOf(one).filter((id) => idsOf(two).includes(id))).toEqual([])
  })

  test('a slug of another application or tenant is refused and nothing of it changes', async () => {
    await importContents(store, smallApp())
    const before = await everything()
    const stranger = { 'application.yaml': application({ id: ref('application', 'stranger'), name: 'Stranger' }) }
    const report = await importContents(store, stranger)
    expect(report.imported).toBe(false)
    expect(report.problems).toMatchObject([{ code: 'bundle.conflict', message: expect.stringContaining('--slug') }])
    const foreign = await importContents(store, smallApp(), { tenant: 'foreign' })
    expect(errorsOf(foreign)).toEqual(['bundle.conflict'])
    expect(await everything()).toEqual(before)
    expect(await store.applications()).toHaveLength(1)
  })

  test.each(['a', 'UPPER', '../x', '-a-', 'a.b', 'a'.repeat(64), 'a'.repeat(24)])(
    'the slug %j is refused',
    async (slug) => {
      expect(errorsOf(await importContents(store, smallApp(), { slug }))).toEqual(['bundle.conflict'])
    },
  )
})

test('kinds that are not supported are counted, and what refers to them keeps one id', async () => {
  const contents = {
    ...smallApp(),
    'dashboards/d.yaml': envelope('Dashboard', { id: ref('dashboard', 'd'), name: 'd' }),
    'experience/develop/pages/home.hbs': `{{element "dashboard" dashboardId="${ref('dashboard', 'd')}"}}`,
  }
  const report = await importContents(store, contents)
  expect(report).toMatchObject({ imported: true, unsupported: { Dashboard: 1 }, problems: [] })
  const body = async () => (await documentsOf(store, 'views')).find((one) => one.name === 'home')?.body
  const first = await body()
  expect(first).toMatch(/dashboardId="[0-9a-f]{24}"/)
  await importContents(store, contents)
  expect(await body()).toBe(first)
})

test('what looks like a reference in a file of the application stays as it is', async () => {
  const content = `${ref('device', 'pump')} https://~exportplaceholderid-app-url~/`
  await importContents(store, { ...smallApp(), 'files/a.txt': content, 'privateFiles/a.txt': content })
  const files = (await documentsOf(store, 'files')).filter(({ path }) => path === '/a.txt')
  expect(files.map((one) => one.private).sort()).toEqual([false, true])
  for (const { blob } of files) expect(await readBlob('small', blob)).toBe(content)
})

test('an unknown node type is imported with a warning', async () => {
  const odd = experienceFlow('odd', {
    nodes: [{ id: 'end', type: 'TeleportNode', config: { to: 'moon' }, extra: [1] }],
  })
  const report = await importContents(store, { ...smallApp(), 'odd.yaml': envelope('ExperienceFlowVersion', odd) })
  expect(report).toMatchObject({ imported: true, unsupported: { TeleportNode: 1 } })
  const versions = await documentsOf(store, 'flowVersions')
  expect(versions.find((one) => one.name === 'odd')?.content.nodes).toEqual(odd.nodes)
})

test('an experience version of its own has its own endpoints and views', async () => {
  const report = await importContents(store, {
    'application.yaml': application(),
    'experience/v1/endpoints.yaml': envelope('ExperienceEndpoint', endpoint('get', '/', { version: undefined })),
  })
  expect(report.problems).toEqual([])
  expect(await documentsOf(store, 'endpoints')).toMatchObject([{ version: 'v1' }])
  expect((await documentsOf(store, 'experienceVersions')).map((one) => one.version).sort()).toEqual(['develop', 'v1'])
})

test('makes no second application when the process ends right after the first was written', async () => {
  const store = await openTestStore()
  const dying: Store = {
    ...store,
    app: (scope) => ({
      ...store.app(scope),
      write: async (operations) => {
        await store.app(scope).write(operations)
        throw new Error('killed')
      },
    }),
  }
  await expect(importContents(dying, smallApp())).rejects.toThrow('killed')
  const { scope, imported } = await importContents(store, smallApp())
  expect(imported).toBe(true)
  expect(await store.applications()).toEqual([scope])
})
