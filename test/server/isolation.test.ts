import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { importFolder } from '../../server/bundle/import-folder.ts'
import { openResources, type Resources } from '../../server/resources/resources.ts'
import type { Scope } from '../../server/store/scope.ts'
import { type Answer, clientOf } from '../helpers/client.ts'
import { startServer, type TestServer } from '../helpers/server.ts'
import { emptyDatabases } from '../helpers/store.ts'
import { asPage, type FlowNode, type Guest, openGuest, reply } from '../hostile/world.ts'

// Acme and Beta are two tenants whose applications have one id; Gamma is a second application of Acme. All three hold the
// same names, addresses and tags. What is asked of Acme may never tell of the others, nor theirs of it.
const missingId = 'f'.repeat(24)

interface Side extends Guest {
  slug: string
  resources: Resources
  groups: Record<'top' | 'north' | 'site' | 'south', string>
  devices: Record<'top' | 'north' | 'site' | 'south' | 'loose', string>
  users: Record<keyof typeof membership, string>
}

const membership = {
  nobody: [],
  north: ['north'],
  parentAndChild: ['site', 'north'],
  several: ['south', 'site'],
  top: ['top'],
} as const
const seen: Record<keyof typeof membership, string[]> = {
  nobody: [],
  north: ['north pump', 'site pump'],
  parentAndChild: ['north pump', 'site pump'],
  several: ['site pump', 'south pump'],
  top: ['north pump', 'site pump', 'south pump', 'top pump'],
}

let running: TestServer
let acme: Side
let beta: Side
let gamma: Side

beforeAll(async () => {
  running = await startServer()
})
afterAll(() => running.close())
afterEach(() => {
  expect(running.log.splice(0)).toEqual([])
})

let round = 0
let changed = true
beforeEach(async () => {
  // New ones after a test that changed them: nothing of it is left.
  if (!changed) return
  changed = false
  await emptyDatabases()
  round++
  const id = (first: string) => first + String(round).padStart(23, '0')
  acme = await openSide('acme', 'acme', id('a'))
  beta = await openSide('beta', 'beta', id('a'))
  gamma = await openSide('acme', 'gamma', id('c'))
})

async function openSide(tenant: string, name: string, application: string): Promise<Side> {
  const slug = `${name}-${round}`
  const guest = await openGuest(running, tenant, slug, application)
  const resources = openResources({ app: guest.app, now: () => Date.now() })
  const groups: Record<string, string> = {}
  const devices: Record<string, string> = {}
  const users: Record<string, string> = {}
  const parents = { top: undefined, north: 'top', site: 'north', south: 'top' } as const
  for (const [group, parent] of Object.entries(parents)) {
    const deviceTags = [{ key: 'at', value: group }]
    const parentId = parent && groups[parent]
    const body = { name: group, groupTags: { kind: 'place' }, deviceTags, ...(parentId ? { parentId } : {}) }
    groups[group] = (await resources.groups.create(body)).id
  }
  for (const at of [...Object.keys(parents), 'loose']) {
    const tags = [
      { key: 'at', value: at },
      { key: 'kind', value: 'pump' },
    ]
    const made = await resources.devices.create({ name: `${at} pump`, tags }, {})
    devices[at] = made.id
  }
  for (const [user, member] of Object.entries(membership)) {
    const experienceGroupIds = member.map((group) => groups[group]!)
    const body = { email: `${user}@example.com`, password: 'correct-horse-1', userTags: { kind: 'person' } }
    users[user] = (await resources.users.create({ ...body, experienceGroupIds })).id
  }
  const side = { ...guest, slug, resources, groups, devices, users } as Side
  await serveNodes(side)
  return side
}

const inside = { access: 'authenticated' } as const
const answer = (path: string) => reply(`{{jsonEncode ${path}}}`)
const many = {
  findMultiple: true,
  findMetadata: true,
  resultsPerPage: '{{data.query.perPage}}',
  resultPath: 'working.r',
}

/** One route for each way to ask, with the id that is asked for in the query. */
async function serveNodes(side: Side): Promise<void> {
  const find = (route: string, type: string, config: object) =>
    side.serve(route, [{ type, config: { resultPath: 'working.r', ...config } }, answer('working.r')], inside)
  const verify = (route: string, type: string, config: object) =>
    side.serve(
      route,
      [
        { id: 'v', type, config, outputIds: [['no'], ['yes']] },
        { ...reply('false'), id: 'no', outputIds: [] },
        { ...reply('true'), id: 'yes', outputIds: [] },
      ],
      inside,
    )
  const id = '{{data.query.id}}'
  const tags = [{ keyTemplate: '{{data.query.key}}', valueTemplate: '{{data.query.value}}' }]
  const device = { includeConnectionStatus: false, tagsAsObject: true }
  await side.serve('/me', [answer('experience.user')], inside)
  await find('/mine', 'GetDeviceNode', {
    ...{ ...device, ...many, findMethod: 'experienceUserIdOrEmail', idTemplate: '{{experience.user.id}}' },
  })
  await find('/device', 'GetDeviceNode', { ...device, findMethod: 'id', idTemplate: id })
  await find('/devices-of-user', 'GetDeviceNode', {
    ...{ ...device, ...many, findMethod: 'experienceUserIdOrEmail', idTemplate: id },
  })
  await find('/devices-of-group', 'GetDeviceNode', {
    ...{ ...device, ...many, findMethod: 'experienceGroupId', idTemplate: id },
  })
  await find('/devices-by-query', 'GetDeviceNode', {
    ...{ ...device, ...many, findMethod: 'query' },
    queryTemplate: '{"{{data.query.field}}":{"$eq":"{{data.query.id}}"}}',
  })
  await find('/devices-all-tags', 'GetDeviceNode', { ...device, ...many, findMethod: 'findByAllTags', tags })
  await find('/devices-any-tags', 'GetDeviceNode', { ...device, ...many, findMethod: 'findByAnyTags', tags })
  await find('/group', 'GetExperienceGroupNode', { findMethod: 'id', idTemplate: id })
  await find('/group-name', 'GetExperienceGroupNode', { findMethod: 'name', idTemplate: id })
  await find('/groups-all-tags', 'GetExperienceGroupNode', { ...many, findMethod: 'findByAllTags', tags })
  await find('/groups-any-tags', 'GetExperienceGroupNode', { ...many, findMethod: 'findByAnyTags', tags })
  await find('/groups-by-query', 'GetExperienceGroupNode', {
    ...{ ...many, findMethod: 'query', queryTemplate: '{"{{data.query.field}}":{"$eq":"{{data.query.id}}"}}' },
  })
  await find('/tree', 'ExperienceGroupSummaryNode', { idTemplate: id })
  await find('/user', 'GetExperienceUserNode', { findMethod: 'emailOrId', emailOrIdTemplate: id })
  await find('/users-tags', 'GetExperienceUserNode', { ...many, findMethod: 'userTags', userTags: tags })
  await find('/users-by-query', 'GetExperienceUserNode', {
    ...{ ...many, findMethod: 'query', queryTemplate: '{"{{data.query.field}}":{"$eq":"{{data.query.id}}"}}' },
  })
  await find('/token', 'ExperienceUserTokenNode', { emailOrIdTemplate: id })
  await find('/delete-user', 'DeleteExperienceUserNode', { emailOrIdTemplate: id })
  await find('/update-user', 'UpdateExperienceUserNode', { emailOrIdTemplate: id, firstNameTemplate: 'Mallory' })
  await find('/update-group', 'UpdateExperienceGroupNode', { groupIdTemplate: id, nameTemplate: 'Mallory' })
  await find('/move-group', 'UpdateExperienceGroupNode', {
    ...{ groupIdTemplate: '{{data.query.group}}', parentIdTemplate: id },
  })
  await find('/add-member', 'UpdateExperienceGroupNode', {
    ...{ groupIdTemplate: '{{data.query.group}}', membersToAdd: [id] },
  })
  await find('/join', 'CreateExperienceUserNode', {
    ...{ emailTemplate: 'new@example.com', passwordTemplate: 'correct-horse-1', groupIdTemplates: [id] },
  })
  await verify('/verify-device', 'VerifyDeviceNode', { deviceIdTemplate: id })
  await verify('/verify-for-user', 'VerifyDeviceNode', {
    ...{ deviceIdTemplate: '{{data.query.device}}', idTemplate: id, idTypeTemplate: 'experienceUser' },
  })
  await verify('/verify-for-group', 'VerifyDeviceNode', {
    ...{ deviceIdTemplate: '{{data.query.device}}', idTemplate: id, idTypeTemplate: 'experienceGroup' },
  })
  await verify('/verify-group', 'VerifyExperienceGroupNode', { groupIdTemplate: id })
  await verify('/verify-group-of', 'VerifyExperienceGroupNode', {
    ...{ emailOrIdTemplate: id, groupIdTemplate: '{{data.query.group}}' },
  })
}

const tokens = new Map<string, string>()
async function tokenOf(side: Side, user: keyof typeof membership): Promise<string> {
  const key = `${side.slug} ${user}`
  const token = tokens.get(key) ?? (await side.resources.users.issueToken({ idOrEmail: side.users[user] }))!
  tokens.set(key, token)
  return token
}

/** Asks an application as one of its users. What comes back must be free of the two others. */
async function ask(side: Side, user: keyof typeof membership, path: string, query: Record<string, string> = {}) {
  const headers = { authorization: `Bearer ${await tokenOf(side, user)}` }
  const given = new URLSearchParams(query)
  const found = await side.client.send({ path: `${path}?${given}`, headers })
  for (const other of [acme, beta, gamma]) if (other !== side) expectNothingOf(other, found, [...given.values()])
  return found
}

function expectNothingOf(other: Side, { text, headers }: Answer, given: readonly string[]): void {
  const all = `${text}\n${JSON.stringify(headers)}`
  for (const ids of [other.groups, other.devices, other.users]) {
    for (const id of Object.values(ids)) if (!given.includes(id)) expect(all).not.toContain(id)
  }
  expect(all).not.toContain(other.secret)
  expect(all).not.toContain(other.slug)
}

async function value<T>(side: Side, user: keyof typeof membership, path: string, query: Record<string, string> = {}) {
  const found = await ask(side, user, path, query)
  expect([found.status, found.text]).toEqual([200, expect.any(String)])
  return (found.text === '' ? undefined : JSON.parse(found.text)) as T
}

interface Envelope {
  items: { id: string; name: string }[]
  count: number
  totalCount: number
}

/** What stands for nobody and nothing: blank, malformed, of nobody, of the two other applications. */
function strangers(kind: 'groups' | 'devices' | 'users'): string[] {
  const foreign = kind === 'users' ? [beta.users.top, gamma.users.top] : [beta[kind].site, gamma[kind].site]
  return ['', ' ', '*', '%', "' OR 1=1 --", '{}', 'null', '__proto__', '0', missingId, `${missingId}0`, ...foreign]
}

describe('a list of the devices of a user', () => {
  test.each(Object.keys(membership) as (keyof typeof membership)[])(
    'holds each once, counts them right: %s',
    async (user) => {
      for (const side of [acme, beta, gamma]) {
        const total = seen[user].length
        const all = await value<Envelope>(side, user, '/mine')
        expect(all.items.map(({ name }) => name)).toEqual(seen[user])
        expect(all).toMatchObject({ count: total, totalCount: total })
        expect(await value(side, user, '/mine', { perPage: '0' })).toMatchObject({
          items: [],
          count: 0,
          totalCount: total,
        })
        expect(await value(side, user, '/mine', { perPage: '1' })).toMatchObject({ totalCount: total })
        for (const id of Object.values(side.devices)) {
          const listed = all.items.some((one) => one.id === id)
          expect((await ask(side, user, '/verify-device', { id })).text).toBe(String(listed))
        }
      }
    },
  )

  test.each(['/devices-of-user', '/devices-of-group'])('of nobody is empty: %s', async (path) => {
    for (const id of [...strangers('groups'), ...strangers('users')]) {
      for (const perPage of ['', '0', '5']) {
        expect(await value(acme, 'top', path, { id, perPage }), id).toMatchObject({
          items: [],
          count: 0,
          totalCount: 0,
        })
      }
    }
  })

  test.each(['experienceUserId', 'experienceGroupId', 'id', 'parentId'])(
    'by a query for nobody is empty: %s',
    async (field) => {
      const foreign = [beta, gamma].flatMap(({ users, groups, devices }) => [users.top, groups.site, devices.site])
      for (const id of ['', ' ', missingId, '__proto__', ...foreign]) {
        for (const perPage of ['', '0']) {
          const found = await value(acme, 'top', '/devices-by-query', { field, id, perPage })
          expect(found, id).toMatchObject({ items: [], count: 0, totalCount: 0 })
        }
      }
    },
  )
})

describe('tags', () => {
  const paths = ['/devices-all-tags', '/devices-any-tags', '/groups-all-tags', '/groups-any-tags', '/users-tags']
  test.each(paths)(
    'a pair without sides finds nothing, with one side what the application itself has: %s',
    async (path) => {
      const kinds = path.startsWith('/devices')
        ? ['pump', 5]
        : path.startsWith('/groups')
          ? ['place', 4]
          : ['person', 5]
      const [kind, total] = kinds as [string, number]
      for (const perPage of ['', '0']) {
        expect(await value(acme, 'nobody', path, { perPage })).toMatchObject({ items: [], totalCount: 0 })
        expect(await value(acme, 'nobody', path, { perPage, key: 'kind' })).toMatchObject({ totalCount: total })
        expect(await value(acme, 'nobody', path, { perPage, value: kind })).toMatchObject({ totalCount: total })
        expect(await value(acme, 'nobody', path, { perPage, key: 'kind', value: 'x' })).toMatchObject({ totalCount: 0 })
      }
    },
  )
})

describe('one by one', () => {
  test('a device, group or user that is none and one of another application get the same answer', async () => {
    for (const id of strangers('groups')) {
      expect(await value(acme, 'top', '/group', { id })).toBeNull()
      if (id.trim() !== '') expect(await value(acme, 'top', '/tree', { id })).toBeNull()
      expect(await value(acme, 'top', '/groups-by-query', { id, field: 'ancestorId' })).toMatchObject({ totalCount: 0 })
      expect(await value(acme, 'top', '/users-by-query', { id, field: 'experienceGroupId' })).toMatchObject({
        totalCount: 0,
      })
    }
    for (const id of strangers('users')) {
      expect(await value(acme, 'top', '/user', { id })).toBeNull()
      // Without any id the node is wrong, and the run fails.
      if (id.trim() !== '') expect(await value(acme, 'top', '/token', { id })).toBeNull()
      expect(await value(acme, 'top', '/delete-user', { id })).toBe(false)
      expect(await value(acme, 'top', '/groups-by-query', { id, field: 'experienceUserId' })).toMatchObject({
        totalCount: 0,
      })
    }
    // A blank id of a device is a mistake of the author: the format says that the run fails.
    for (const id of strangers('devices').filter((one) => one.trim() !== '')) {
      expect(await value(acme, 'top', '/device', { id })).toBeNull()
    }
    for (const side of [beta, gamma]) expect(await side.app.collection('users').count()).toBe(5)
  })

  test('Verify is false for all of them, and never an error', async () => {
    for (const device of strangers('devices')) {
      expect((await ask(acme, 'top', '/verify-device', { id: device })).text).toBe('false')
      expect((await ask(acme, 'top', '/verify-for-group', { device, id: acme.groups.top })).text).toBe('false')
      expect((await ask(acme, 'top', '/verify-for-user', { device, id: 'top@example.com' })).text).toBe('false')
    }
    for (const id of strangers('users')) {
      expect((await ask(acme, 'top', '/verify-for-user', { device: acme.devices.site, id })).text).toBe('false')
      expect((await ask(acme, 'top', '/verify-group-of', { group: acme.groups.site, id })).text).toBe('false')
    }
    for (const id of strangers('groups')) {
      expect((await ask(acme, 'top', '/verify-for-group', { device: acme.devices.site, id })).text).toBe('false')
      expect((await ask(acme, 'top', '/verify-group', { id })).text).toBe('false')
    }
  })

  test('Group: Verify follows the tree downwards only', async () => {
    const may: Record<keyof typeof membership, string[]> = {
      nobody: [],
      north: ['north', 'site'],
      parentAndChild: ['north', 'site'],
      several: ['site', 'south'],
      top: ['north', 'site', 'south', 'top'],
    }
    for (const [user, expected] of Object.entries(may) as [keyof typeof membership, string[]][]) {
      const found: string[] = []
      for (const [name, id] of Object.entries(acme.groups)) {
        if ((await ask(acme, user, '/verify-group', { id })).text === 'true') found.push(name)
      }
      expect(found.sort()).toEqual(expected)
    }
  })

  test('names and addresses find the own ones alone', async () => {
    for (const side of [acme, beta, gamma]) {
      expect(await value(side, 'nobody', '/group-name', { id: 'site' })).toMatchObject({ id: side.groups.site })
      expect(await value(side, 'nobody', '/user', { id: 'TOP@example.com' })).toMatchObject({ id: side.users.top })
      const own = await value<Envelope>(side, 'nobody', '/devices-of-user', { id: 'several@example.com' })
      expect(own.items.map(({ id }) => id)).toEqual([side.devices.site, side.devices.south])
      expect(JSON.stringify(await value(side, 'nobody', '/tree', {}))).toContain(side.groups.site)
    }
  })

  test('writes refuse what another application has as they refuse what is not there', async () => {
    const writes: [path: string, kind: 'groups' | 'users', more: Record<string, string>][] = [
      ['/update-user', 'users', {}],
      ['/update-group', 'groups', {}],
      ['/move-group', 'groups', { group: acme.groups.south }],
      ['/add-member', 'users', { group: acme.groups.south }],
      ['/join', 'groups', {}],
    ]
    const everything = async (side: Side) => {
      const all: unknown[] = []
      for (const name of ['users', 'groups', 'devices'] as const) {
        for await (const one of side.app.collection(name).each()) all.push(one)
      }
      return all
    }
    const before = [await everything(beta), await everything(gamma)]
    for (const [path, kind, more] of writes) {
      const texts = new Set<string>()
      for (const other of [beta, gamma]) {
        const id = kind === 'users' ? other.users.top : other.groups.top
        const found = await ask(acme, 'top', path, { ...more, id })
        texts.add(found.text.replaceAll(id, '?'))
      }
      texts.add((await ask(acme, 'top', path, { ...more, id: missingId })).text.replaceAll(missingId, '?'))
      expect([...texts], path).toEqual([expect.stringMatching(/^{"error":{"type":"(NotFound|Validation)"/)])
    }
    expect([await everything(beta), await everything(gamma)]).toEqual(before)
  })
})

describe('what changes is so with the next request', () => {
  afterEach(() => {
    changed = true
  })
  const names = async (user: keyof typeof membership) =>
    (await value<Envelope>(acme, user, '/mine')).items.map(({ name }) => name)

  test('a group that is removed leaves its members nothing of it, and its children to the one above', async () => {
    expect(await names('north')).toEqual(['north pump', 'site pump'])
    await acme.resources.groups.remove(acme.groups.north)
    expect(await names('north')).toEqual([])
    expect(await names('parentAndChild')).toEqual(['site pump'])
    expect(await names('top')).toEqual(['site pump', 'south pump', 'top pump'])
    expect((await ask(acme, 'north', '/verify-group', { id: acme.groups.north })).text).toBe('false')
    expect((await ask(acme, 'north', '/verify-group', { id: acme.groups.site })).text).toBe('false')
    expect(await value(acme, 'north', '/me')).toMatchObject({ experienceGroups: [] })
    expect(await value(acme, 'top', '/devices-of-group', { id: acme.groups.north })).toMatchObject({ totalCount: 0 })
    expect(await value<Envelope>(beta, 'north', '/mine')).toMatchObject({ totalCount: 2 })
  })

  test('a group that moves takes what is below it along', async () => {
    await acme.resources.groups.update(acme.groups.site, { parentId: acme.groups.south }, {})
    expect(await names('north')).toEqual(['north pump'])
    expect((await ask(acme, 'north', '/verify-device', { id: acme.devices.site })).text).toBe('false')
    await acme.resources.groups.update(acme.groups.south, { parentId: acme.groups.north }, {})
    expect(await names('north')).toEqual(['north pump', 'site pump', 'south pump'])
    expect((await ask(acme, 'north', '/verify-group', { id: acme.groups.site })).text).toBe('true')
  })

  test('an endpoint for a group that is gone lets nobody in', async () => {
    await acme.serve('/staff', [reply('in')], { access: 'group', experienceGroupIds: [acme.groups.north] })
    const statuses = async () =>
      await Promise.all(
        (['nobody', 'north', 'top'] as const).map(async (user) => (await ask(acme, user, '/staff')).status),
      )
    expect(await statuses()).toEqual([403, 200, 200])
    await acme.resources.groups.remove(acme.groups.north)
    expect(await statuses()).toEqual([403, 403, 403])
  })

  test('an endpoint for a group of another application lets nobody in', async () => {
    for (const [i, group] of [beta.groups.top, gamma.groups.top, missingId].entries()) {
      await acme.serve(`/foreign${i}`, [reply('in')], { access: 'group', experienceGroupIds: [group] })
      expect((await ask(acme, 'top', `/foreign${i}`)).status).toBe(403)
    }
  })

  test('a user who is removed is nobody, also when the address comes back', async () => {
    expect((await ask(acme, 'top', '/me')).status).toBe(200)
    await acme.resources.users.remove(acme.users.top)
    expect((await ask(acme, 'top', '/me')).status).toBe(401)
    await acme.resources.users.create({ email: 'top@example.com', password: 'correct-horse-1' })
    expect((await ask(acme, 'top', '/me')).status).toBe(401)
    expect((await ask(beta, 'top', '/me')).status).toBe(200)
  })

  test('what others name in their groups stays unseen', async () => {
    const all = { deviceIds: Object.values(acme.devices), deviceTags: [{ key: 'at', value: 'loose' }] }
    await beta.resources.groups.update(beta.groups.site, all, {})
    await gamma.resources.groups.update(gamma.groups.site, { deviceQueryJson: '{}' }, {})
    expect(await names('north')).toEqual(['north pump', 'site pump'])
    expect(await value<Envelope>(beta, 'north', '/mine')).toMatchObject({ totalCount: 2 })
    expect(await value<Envelope>(gamma, 'north', '/mine')).toMatchObject({ totalCount: 5 })
  })
})

test('a page knows the direct groups of its user alone, by name', async () => {
  const groups = async (user: keyof typeof membership) => (await value<object>(acme, user, '/me')) as object
  expect(await groups('several')).toMatchObject({
    experienceGroups: [
      { id: acme.groups.site, name: 'site', parentId: acme.groups.north },
      { id: acme.groups.south, name: 'south', parentId: acme.groups.top },
    ],
  })
  expect(await groups('parentAndChild')).toMatchObject({ experienceGroups: [{ name: 'north' }, { name: 'site' }] })
  expect(await groups('top')).toMatchObject({
    experienceGroups: [{ id: acme.groups.top, name: 'top', parentId: null }],
  })
  expect(await groups('nobody')).toMatchObject({ experienceGroups: [] })
})

test('a token fails in every other application, on every host and in every place', async () => {
  for (const side of [acme, beta, gamma]) {
    const token = await tokenOf(side, 'top')
    for (const other of [acme, beta, gamma]) {
      const status = other === side ? 200 : 401
      for (const { query = '', headers } of [
        { headers: { authorization: `Bearer ${token}` } },
        { headers: { cookie: `authorization=${token}` } },
        { headers: {}, query: `?authorization=${token}` },
      ]) {
        expect((await other.client.send({ path: `/me${query}`, headers })).status).toBe(status)
      }
    }
  }
})

test('a flow answers no request of another application', async () => {
  const debug: FlowNode = { type: 'DebugNode', config: { message: 'waits', property: 'data.replyId' } }
  const elsewhere = (text: string) => reply(text, { replyIdPath: 'data.query.replyId' })
  await acme.serve('/wait', [debug])
  for (const side of [acme, beta, gamma]) {
    await side.serve('/answer', [elsewhere(`of ${side.scope.tenant}`), reply('done')])
  }
  const heard = Promise.withResolvers<string>()
  const stop = running.server.debug.listen(({ value: found }) => heard.resolve(String(found)))
  const waiting = acme.client.get('/wait')
  const replyId = await heard.promise
  stop()
  const path = `/answer?replyId=${encodeURIComponent(replyId)}`
  for (const side of [beta, gamma]) expect((await side.client.get(path)).text).toBe('done')
  expect((await acme.client.get(path)).text).toBe('done')
  expect(await waiting).toMatchObject({ status: 200, text: 'of acme' })
})

test('a link to a private file opens it in its own application only', async () => {
  const links = new Map<Side, string>()
  for (const side of [acme, beta, gamma]) {
    const { sizeBytes, sha256 } = await side.app.blobs.put('r', new TextEncoder().encode(`of ${side.slug}`))
    const file = { path: '/r.txt', private: true, contentType: 'text/plain', sizeBytes, sha256, blob: 'r' }
    await side.app.collection('files').insert(file)
    const page = await side.view('page', 'link', "{{{file 'r.txt' private=true}}}")
    await side.serve('/link', [{ type: 'EndpointReplyNode', config: asPage(page) }])
    links.set(side, (await side.client.get('/link')).text)
  }
  for (const [side, link] of links) {
    expect(await side.client.get(link)).toMatchObject({ status: 200, text: `of ${side.slug}` })
    for (const other of links.keys()) {
      if (other === side) continue
      for (const path of [link, link.replace(side.scope.application, other.scope.application)]) {
        const found = await other.client.get(path)
        expect([403, 404]).toContain(found.status)
        expect(found.text).not.toContain('of ')
      }
    }
  }
})

describe('host names', () => {
  const by = (name: string) => clientOf(running.port, `${name}.localhost`).get('/me')

  test('an id that two tenants have opens neither application', async () => {
    expect((await by(acme.scope.application)).status).toBe(404)
    expect((await by(gamma.scope.application)).status).toBe(401)
  })

  test('nobody takes the address that another application has by its id', async () => {
    const { application } = gamma.scope
    await running.store.hosts.put({ name: application, scope: beta.scope, version: 'develop' })
    const headers = { authorization: `Bearer ${await tokenOf(gamma, 'top')}` }
    const found = await clientOf(running.port, `${application}.localhost`).send({ path: '/me', headers })
    expect([found.status, found.text]).toEqual([200, expect.stringContaining(gamma.users.top)])
  })

  test('an import refuses the slug of another tenant, and nothing of it changes', async () => {
    const counts = async (scope: Scope) => {
      const app = running.store.app(scope)
      return [await app.revision(), await app.collection('users').count(), await app.collection('devices').count()]
    }
    const before = await counts(acme.scope)
    const applications = await running.store.applications()
    const said: string[] = []
    const io = {
      env: { DATA_DIR: running.config.dataDir },
      out: () => undefined,
      err: (line: string) => void said.push(line),
    }
    const folder = join(import.meta.dirname, '../../examples/one-to-many')
    await expect(importFolder({ store: running.store, folder, slug: acme.slug, io })).rejects.toThrow(
      'was not imported',
    )
    expect(said.join('\n')).toContain(`The slug "${acme.slug}" belongs to another application`)
    expect(said.join('\n')).not.toMatch(/tenant|acme\b(?!-)/)
    expect(await counts(acme.scope)).toEqual(before)
    expect(await running.store.applications()).toEqual(applications)
    expect(await running.store.hosts.find(acme.slug)).toMatchObject({ scope: acme.scope })
  })
})
