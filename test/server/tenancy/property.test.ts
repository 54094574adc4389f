import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { Refusal } from '../../../nodes/services/listing.ts'
import { openResources, type Resources } from '../../../server/resources/resources.ts'
import { fold } from '../../../server/store/fold.ts'
import { type AppStore, type Store, StoreError, type WriteOperation } from '../../../server/store/port.ts'
import { tenancyWrite } from '../../../server/tenancy/write.ts'
import { openTestStore, runsOf } from '../../helpers/store.ts'
import { type Facts, groupSees, isAssociated, isMember, readFacts, sees, upFrom } from './oracle.ts'

const counts = { users: 4, groups: 7, devices: 8, systems: 3 }
const userIds = range(counts.users).map((n) => idOf('1', n))
const groupIds = range(counts.groups).map((n) => idOf('2', n))
const deviceIds = range(counts.devices).map((n) => idOf('3', n))
const systemIds = deviceIds.slice(0, counts.systems)
const nobody = [idOf('9', 1), '', 'x', '%']

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i)
}

function idOf(kind: string, n: number): string {
  return `${kind}${n.toString(16).padStart(23, '0')}`
}

const key = fc.constantFrom('group', 'site')
const value = fc.constantFrom('a', 'b', ...groupIds.slice(0, 3))
const tags = fc.uniqueArray(fc.record({ key, value }), { maxLength: 3, selector: (tag) => tag.key + tag.value })
const pair = fc.oneof(fc.record({ key, value }), fc.record({ key }), fc.record({ value }), fc.constant({}))
const tagQuery = fc.record({
  $tagKey: fc.constantFrom('group', 'site', ''),
  $tagValue: fc.constantFrom('a', 'b', '', groupIds[0]!),
})
const { query } = fc.letrec<{ query: object }>((tie) => ({
  query: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ tags: fc.record({ $eq: tagQuery }) }),
    fc.record({ tags: fc.record({ $ne: tagQuery }) }),
    fc.record({ name: fc.record({ $startsWith: fc.constantFrom('d', 'D', 'd1') }) }),
    fc.record({ deviceClass: fc.constantFrom('system', 'standalone') }),
    fc.record({ id: fc.constantFrom(...deviceIds) }),
    { weight: 3, arbitrary: fc.record({ ancestorId: fc.constantFrom(...systemIds) }) },
    fc.constant({}),
    fc.record({ $and: fc.array(tie('query'), { maxLength: 2 }) }),
    fc.record({ $or: fc.array(tie('query'), { maxLength: 2 }) }),
    fc.record({ $nor: fc.array(tie('query'), { maxLength: 2 }) }),
  ),
}))

const groupFields = fc.record({
  parentId: fc.option(fc.constantFrom(...groupIds), { nil: undefined }),
  deviceIds: fc.uniqueArray(fc.constantFrom(...deviceIds), { maxLength: 2 }),
  deviceTags: fc.array(pair, { maxLength: 2 }),
  deviceQueryJson: fc.option(
    query.map((one) => JSON.stringify(one)),
    { nil: undefined, freq: 2 },
  ),
})
const deviceFields = fc.record({
  name: fc.constantFrom('d1', 'D1', 'd2', 'e'),
  tags,
  parent: fc.option(fc.nat(counts.systems - 1), { nil: undefined }),
})
const memberships = fc.uniqueArray(fc.constantFrom(...groupIds), { maxLength: 3 })

type Step =
  | { put: 'groups'; n: number; fields: typeof groupFields extends fc.Arbitrary<infer T> ? T : never }
  | { put: 'devices'; n: number; fields: typeof deviceFields extends fc.Arbitrary<infer T> ? T : never }
  | { put: 'users'; n: number; groups: string[] }
  | { drop: 'groups' | 'devices' | 'users'; n: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ put: fc.constant('groups' as const), n: fc.nat(counts.groups - 1), fields: groupFields }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ put: fc.constant('devices' as const), n: fc.nat(counts.devices - 1), fields: deviceFields }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ put: fc.constant('users' as const), n: fc.nat(counts.users - 1), groups: memberships }),
  },
  { weight: 1, arbitrary: fc.record({ drop: fc.constant('groups' as const), n: fc.nat(counts.groups - 1) }) },
  {
    weight: 1,
    arbitrary: fc.record({ drop: fc.constantFrom('devices' as const, 'users' as const), n: fc.nat(counts.users - 1) }),
  },
)
const history = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 6, maxLength: 20, size: 'max' })

let store: Store
let applications = 0

beforeAll(async () => {
  store = await openTestStore()
})

/** A new application. */
function openWorld(): { app: AppStore; resources: Resources } {
  const application = (++applications).toString(16).padStart(24, '0')
  const app = store.app({ tenant: 'tenant', application })
  return { app, resources: openResources({ app, now: Date.now, secret: () => 'secret' }) }
}

/** Operations of one batch: what is there is updated, what is not is inserted. */
function toOperations(steps: Step[], facts: Facts): WriteOperation[] {
  const there = new Set([...facts.users.keys(), ...facts.groups.keys(), ...facts.devices.keys()])
  const ids = { users: userIds, groups: groupIds, devices: deviceIds }
  return steps.flatMap((one): WriteOperation[] => {
    if ('drop' in one) {
      const id = ids[one.drop][one.n]!
      return there.delete(id) ? [{ remove: one.drop, id }] : []
    }
    const id = ids[one.put][one.n]!
    const known = there.has(id)
    there.add(id)
    if (one.put === 'users') {
      const document = { email: `u${one.n}@x.y`, emailKey: '', userTags: {}, experienceGroupIds: one.groups }
      return known
        ? [{ update: 'users', id, change: { experienceGroupIds: one.groups } }]
        : [{ insert: 'users', document: { id, ...document } }]
    }
    if (one.put === 'groups') {
      return known
        ? [{ update: 'groups', id, change: one.fields }]
        : [{ insert: 'groups', document: { id, name: `g${one.n}`, groupTags: {}, ancestorIds: [], ...one.fields } }]
    }
    const { parent, ...fields } = one.fields
    const isSystem = one.n < counts.systems
    // Systems lie only below systems of a smaller number: no cycles, which the devices service refuses.
    const parentId = parent === undefined || (isSystem && parent >= one.n) ? undefined : systemIds[parent]
    const deviceClass = isSystem ? 'system' : 'standalone'
    return known
      ? [{ update: 'devices', id, change: { ...fields, parentId } }]
      : [{ insert: 'devices', document: { id, deviceClass, attributes: [], groupIds: [], ...fields, parentId } }]
  })
}

/** Why an operation alone must be refused; undefined when it must not. */
function illegal(operation: WriteOperation, facts: Facts): string | undefined {
  if ('remove' in operation) return undefined
  const fields = 'insert' in operation ? operation.document : operation.change
  const id = 'insert' in operation ? operation.document.id! : operation.id
  if ('parentId' in fields && fields.parentId !== undefined && id.startsWith('2')) {
    if (fields.parentId === id) return 'itself'
    if (!facts.groups.has(fields.parentId)) return 'missing parent'
    if (upFrom(facts, fields.parentId).includes(id)) return 'cycle'
  }
  if ('experienceGroupIds' in fields && fields.experienceGroupIds?.some((one) => !facts.groups.has(one)))
    return 'missing group'
  return undefined
}

/** Writes a batch; refused ones must leave everything as it was, and single operations be refused rightly. */
async function apply(app: AppStore, steps: Step[]): Promise<void> {
  const before = await readFacts(app)
  const operations = toOperations(steps, before)
  const reason = operations.length === 1 ? illegal(operations[0]!, before) : undefined
  try {
    await tenancyWrite(app, operations)
    expect(reason).toBeUndefined()
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal)
    if (operations.length === 1) expect(reason).toBeDefined()
    expect(await readFacts(app)).toEqual(before)
  }
}

/** What tenancy keeps is what follows from the rest. */
async function checkDerived(app: AppStore, facts: Facts): Promise<void> {
  for await (const group of app.collection('groups').each()) {
    expect(group.ancestorIds).toEqual(upFrom(facts, group.id).slice(1).reverse())
  }
  for await (const device of app.collection('devices').each()) {
    const groups = [...facts.groups.values()]
      .filter((group) => isAssociated(facts, device, group))
      .map((group) => group.id)
    expect(device.groupIds).toEqual(groups.sort())
  }
  for (const user of facts.users.values())
    for (const id of user.experienceGroupIds) expect(facts.groups.has(id)).toBe(true)
}

async function checkVerify({ tenancy, users }: Resources, facts: Facts): Promise<void> {
  for (const subject of [...userIds, ...nobody]) {
    for (const device of [...deviceIds, ...nobody]) {
      expect(await tenancy.verify({ device, subject, kind: 'experienceUser' })).toBe(sees(facts, subject, device))
    }
    for (const group of [...groupIds, ...nobody]) {
      expect(await tenancy.verifyGroup({ user: subject, group })).toBe(isMember(facts, subject, group))
    }
  }
  for (const subject of [...groupIds, ...nobody]) {
    for (const device of deviceIds) {
      expect(await tenancy.verify({ device, subject, kind: 'experienceGroup' })).toBe(groupSees(facts, subject, device))
    }
  }
  for (const device of deviceIds) {
    const { userIds: found } = await tenancy.whoCanSee(device)
    expect(found).toEqual(userIds.filter((user) => facts.users.has(user) && sees(facts, user, device)))
  }
  for (const device of [...deviceIds, ...nobody]) await checkWhoSee(users, tenancy, device)
}

/** Pages of any size give exactly the users whom verify does not refuse, each once. */
async function checkWhoSee(users: Resources['users'], tenancy: Resources['tenancy'], device: string): Promise<void> {
  const expected: string[] = []
  for (const subject of userIds) {
    if (await tenancy.verify({ device, subject, kind: 'experienceUser' })) expected.push(subject)
  }
  for (const perPage of [1, 2, 100]) {
    const found: string[] = []
    for (let page = 0; page * perPage <= expected.length; page++) {
      const listing = await users.whoSee(device, { page, perPage, sortField: 'id' })
      expect(listing.totalCount).toBe(expected.length)
      found.push(...listing.items.map((one) => one.id))
    }
    expect(found).toEqual(expected)
  }
}

const sortFields = ['name', 'id', 'creationDate', 'lastUpdated'] as const

/** Ids as a list of these devices must give them. */
function inOrder(facts: Facts, ids: string[], field: (typeof sortFields)[number], direction: 'asc' | 'desc'): string[] {
  const keyOf = (id: string) => (field === 'name' ? fold(facts.devices.get(id)!.name) : facts.devices.get(id)![field])
  const sorted = [...ids].sort((a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)]
    return left < right ? -1 : left > right ? 1 : a < b ? -1 : 1
  })
  return direction === 'asc' ? sorted : sorted.reverse()
}

async function checkLists({ devices, tenancy }: Resources, facts: Facts): Promise<void> {
  const all = [...facts.devices.keys()]
  for (const user of [...userIds, ...nobody]) {
    const seen = all.filter((device) => sees(facts, user, device))
    const criteria = { by: 'user', idOrEmail: user } as const
    for (const perPage of [1, 2, 7, 100]) {
      const found: string[] = []
      for (let page = 0; page * perPage <= seen.length; page++) {
        const listing = await devices.find(criteria, { page, perPage }, {})
        expect(listing).toMatchObject({ totalCount: seen.length, count: listing.items.length, page, perPage })
        found.push(...listing.items.map((one) => one.id))
      }
      expect(found).toEqual(inOrder(facts, seen, 'name', 'asc'))
    }
    for (const sortField of sortFields) {
      for (const sortDirection of ['asc', 'desc'] as const) {
        const { items } = await devices.find(criteria, { sortField, sortDirection }, {})
        expect(items.map((one) => one.id)).toEqual(inOrder(facts, seen, sortField, sortDirection))
      }
    }
    expect(await devices.find(criteria, { perPage: 0 }, {})).toMatchObject({
      items: [],
      count: 0,
      totalCount: seen.length,
    })
    const ask = async (query: unknown) =>
      (await devices.find({ by: 'query', query }, {}, {})).items.map((one) => one.id).sort()
    expect(await ask({ experienceUserId: user })).toEqual(seen.sort())
    expect(await ask({ experienceUserId: { $ne: user } })).toEqual(all.filter((id) => !seen.includes(id)).sort())
    const named = seen.filter((id) => facts.devices.get(id)!.name.startsWith('d'))
    expect(await ask({ $and: [{ experienceUserId: { $eq: user } }, { name: { $startsWith: 'd' } }] })).toEqual(
      named.sort(),
    )
    const either = all.filter((id) => seen.includes(id) || groupSees(facts, groupIds[0]!, id))
    expect(await ask({ $or: [{ experienceUserId: user }, { experienceGroupId: groupIds[0] }] })).toEqual(either.sort())
  }
  for (const group of [...groupIds, ...nobody]) {
    const seen = all.filter((device) => groupSees(facts, group, device))
    const { items, totalCount } = await devices.find({ by: 'group', groupId: group }, {}, {})
    expect(items.map((one) => one.id)).toEqual(inOrder(facts, seen, 'name', 'asc'))
    expect(totalCount).toBe(seen.length)
    expect((await tenancy.deviceCounts(group)).total).toBe(seen.length)
  }
}

async function snapshot(app: AppStore): Promise<unknown[]> {
  const documents: unknown[] = []
  for (const name of ['users', 'groups', 'devices'] as const)
    for await (const one of app.collection(name).each()) documents.push(one)
  return documents
}

test('whatever happens, what is kept follows from the rule, and verify and every list agree with it', async () => {
  const neighbour = openWorld()
  const everyone: Step[] = [
    {
      put: 'groups',
      n: 0,
      fields: { parentId: undefined, deviceIds: deviceIds, deviceTags: [], deviceQueryJson: '{}' },
    },
    { put: 'devices', n: 3, fields: { name: 'd1', tags: [{ key: 'group', value: 'a' }], parent: undefined } },
    { put: 'users', n: 0, groups: [groupIds[0]!] },
  ]
  await apply(neighbour.app, everyone)
  const untouched = await snapshot(neighbour.app)
  await fc.assert(
    fc.asyncProperty(history, async (batches) => {
      const { app, resources } = openWorld()
      for (const steps of batches) {
        await apply(app, steps)
        await checkDerived(app, await readFacts(app))
      }
      const facts = await readFacts(app)
      await checkVerify(resources, facts)
      await checkLists(resources, facts)
    }),
    { numRuns: runsOf(250) },
  )
  expect(await snapshot(neighbour.app)).toEqual(untouched)
}, 120_000)

const addition = fc.oneof(
  fc.record({
    kind: fc.constant('member' as const),
    user: fc.constantFrom(...userIds),
    group: fc.constantFrom(...groupIds),
  }),
  fc.record({
    kind: fc.constant('device' as const),
    device: fc.constantFrom(...deviceIds),
    group: fc.constantFrom(...groupIds),
  }),
  fc.record({ kind: fc.constant('tag' as const), pair, group: fc.constantFrom(...groupIds) }),
)

test('adding never takes access away, and taking it back restores what was', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.array(addition, { minLength: 1, maxLength: 4 }), async (batches, additions) => {
      const { app } = openWorld()
      for (const steps of batches) await apply(app, steps)
      for (const one of additions) {
        const before = await readFacts(app)
        const group = before.groups.get(one.group)
        if (group === undefined || (one.kind === 'member' && !before.users.has(one.user))) continue
        const old = one.kind === 'member' ? before.users.get(one.user)!.experienceGroupIds : []
        const [add, undo]: WriteOperation[] =
          one.kind === 'member'
            ? [
                { update: 'users', id: one.user, change: { experienceGroupIds: [...old, one.group] } },
                { update: 'users', id: one.user, change: { experienceGroupIds: old } },
              ]
            : one.kind === 'device'
              ? [
                  {
                    update: 'groups',
                    id: one.group,
                    change: { deviceIds: [...new Set([...group.deviceIds, one.device])] },
                  },
                  { update: 'groups', id: one.group, change: { deviceIds: group.deviceIds } },
                ]
              : [
                  { update: 'groups', id: one.group, change: { deviceTags: [...group.deviceTags, one.pair] } },
                  { update: 'groups', id: one.group, change: { deviceTags: group.deviceTags } },
                ]
        const world = await seenPairs(app)
        await tenancyWrite(app, [add!])
        const grown = await seenPairs(app)
        for (const pair of world) expect(grown).toContain(pair)
        await tenancyWrite(app, [undo!])
        expect(await seenPairs(app)).toEqual(world)
        await checkDerived(app, before)
      }
    }),
    { numRuns: runsOf(100) },
  )
}, 120_000)

function expectRefused(reason: unknown): void {
  if (reason instanceof Refusal) return
  expect(reason).toBeInstanceOf(StoreError)
  // Two of them insert the same document, or update one that is gone.
  expect(['duplicate', 'missing']).toContain((reason as StoreError).code)
}

async function seenPairs(app: AppStore): Promise<string[]> {
  const { tenancy } = openResources({ app, now: Date.now, secret: () => 'secret' })
  const pairs: string[] = []
  for (const subject of userIds) {
    for (const device of deviceIds) {
      if (await tenancy.verify({ device, subject, kind: 'experienceUser' })) pairs.push(`${subject} ${device}`)
    }
  }
  return pairs
}

test('writers that cross lose nothing', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (batches) => {
      const { app, resources } = openWorld()
      for (const steps of batches.slice(0, 2)) await apply(app, steps)
      const facts = await readFacts(app)
      // Each on its own, as they come: some are refused or find their document gone, none may leave anything wrong.
      const singles = batches.slice(2).flat()
      // Handles that do not wait in one line, as those of three processes.
      const processes = range(3).map((n): AppStore => ({ ...app, scope: { ...app.scope, tenant: `process ${n}` } }))
      const results = await Promise.allSettled(
        singles.map((one, i) => tenancyWrite(processes[i % processes.length]!, toOperations([one], facts))),
      )
      for (const result of results) if (result.status === 'rejected') expectRefused(result.reason)
      const after = await readFacts(app)
      await checkDerived(app, after)
      await checkVerify(resources, after)
    }),
    { numRuns: runsOf(80) },
  )
}, 120_000)
