import { beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../../nodes/services/listing.ts'
import { openAttempts } from '../../../server/resources/attempts.ts'
import { openTestWorld, type TestWorld } from './world.ts'

let world: TestWorld

beforeEach(async () => {
  world = await openTestWorld({ attempts: openAttempts() })
})

const ann = { email: 'Ann@Example.com', password: 'correct horse', firstName: 'Ann', userTags: { role: 'admin' } }
const login = async (email: string, password: string) =>
  (await world.users.authenticate({ mode: 'emailPassword', email, password, token: '' }))?.user

describe('a user', () => {
  test('is shown without secrets, with direct groups by name', async () => {
    const { groups, users } = world
    const top = await groups.create({ name: 'zoo' })
    const low = await groups.create({ name: 'Bar', parentId: top.id })
    const user = await users.create({ ...ann, experienceGroupIds: [top.id, low.id, top.id] })
    expect(user).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      experienceUserId: user.id,
      applicationId: 'a'.repeat(24),
      email: 'Ann@Example.com',
      firstName: 'Ann',
      avatarUrl: expect.stringContaining('data:image/svg'),
      userTags: { role: 'admin' },
      experienceGroups: [
        { id: low.id, name: 'Bar', parentId: top.id },
        { id: top.id, name: 'zoo', parentId: null },
      ],
      creationDate: expect.stringMatching(/^\d{4}-.*Z$/),
      lastUpdated: expect.stringMatching(/^\d{4}-.*Z$/),
      passwordLastUpdated: '2026-01-02T03:04:05.678Z',
      lastLogin: null,
    })
    expect(await users.get(user.id)).toEqual(user)
    expect(await users.get(' ann@EXAMPLE.com ')).toEqual(user)
    expect(JSON.stringify(user)).not.toMatch(/argon|horse|passwordHash/)
  })

  test.each([[''], [' '], ['0'.repeat(24)], ['nobody@example.com'], ['%'], ['{"$ne":null}']])(
    'is not found by %j',
    async (key) => {
      await world.users.create(ann)
      expect(await world.users.get(key)).toBeUndefined()
      expect(await world.users.remove(key)).toBe(false)
    },
  )

  test.each([
    ['no e-mail', { password: 'correct horse' }, 'email'],
    ['no address', { ...ann, email: 'ann' }, 'email'],
    ['no password', { email: 'x@y.z' }, 'password'],
    ['a short password', { ...ann, password: '1234567' }, 'password'],
    ['a long password', { ...ann, password: 'x'.repeat(2049) }, 'password'],
    ['an unknown field', { ...ann, admin: true }, 'Unknown field "admin"'],
    ['a read-only field', { ...ann, lastLogin: 1 }, 'Unknown field "lastLogin"'],
    ['a derived field', { ...ann, emailKey: 'x' }, 'Unknown field "emailKey"'],
    ['an empty tag', { ...ann, userTags: { a: '' } }, 'userTags.a'],
    ['a bad tag key', { ...ann, userTags: { 'a b': 'x' } }, 'userTags key'],
    ['a group that is none', { ...ann, experienceGroupIds: ['0'.repeat(24)] }, 'to name groups'],
    ['a group id of another form', { ...ann, experienceGroupIds: ['x'] }, 'experienceGroupIds[0]'],
  ])('with %s is refused', async (_name, body, place) => {
    const error = await world.users.create(body).catch((refusal) => refusal)
    expect(error).toBeInstanceOf(Refusal)
    expect(error).toMatchObject({ type: 'Validation', message: expect.stringContaining(place) })
    expect((await world.users.find({ by: 'query', query: undefined }, {})).totalCount).toBe(0)
  })

  test('has an e-mail address of its own, whatever its case', async () => {
    await world.users.create(ann)
    const second = await world.users.create({ ...ann, email: 'bob@example.com' })
    const again = { ...ann, email: 'ANN@example.com' }
    await expect(world.users.create(again)).rejects.toMatchObject({ type: 'AlreadyExists' })
    await expect(world.users.update(second.id, { email: 'aNN@example.com' })).rejects.toMatchObject({
      type: 'AlreadyExists',
    })
    expect((await world.users.get(second.id))?.email).toBe('bob@example.com')
    await world.other.users.create(ann)
  })

  test('is updated by what is given; tags merge or are replaced', async () => {
    const { id } = await world.users.create(ann)
    const merged = await world.users.update(
      id,
      { lastName: 'B' },
      { mergeTags: [{ key: 'role' }, { key: 'x', value: '1' }] },
    )
    expect(merged).toMatchObject({ firstName: 'Ann', lastName: 'B', userTags: { x: '1' } })
    expect(await world.users.update('ann@example.com', { userTags: { y: '2' } })).toMatchObject({
      userTags: { y: '2' },
    })
    await expect(world.users.update('0'.repeat(24), {})).rejects.toMatchObject({ type: 'NotFound' })
    await expect(world.users.update('', {})).rejects.toMatchObject({ type: 'NotFound' })
  })

  test('keeps all of two merges at the same time', async () => {
    const { id } = await world.users.create(ann)
    const keys = ['a', 'b', 'c', 'd', 'e']
    await Promise.all(keys.map((key) => world.users.update(id, {}, { mergeTags: [{ key, value: key }] })))
    expect(Object.keys((await world.users.get(id))?.userTags as object).sort()).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
      'role',
    ])
  })

  test('a tag named like a prototype harms nobody', async () => {
    const tags = JSON.parse('{"__proto__":"x","constructor":"y"}')
    const user = await world.users.create({ ...ann, userTags: tags })
    expect(Object.keys(user.userTags as object).sort()).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })
})

describe('finding users', () => {
  beforeEach(async () => {
    for (const name of ['carl', 'Ann', 'bob']) {
      await world.users.create({
        email: `${name}@example.com`,
        password: '12345678',
        userTags: { role: name === 'bob' ? 'x' : 'y' },
      })
    }
    await world.other.users.create(ann)
  })

  test('by a page at a time, by e-mail without case', async () => {
    const page = (n: number) => world.users.find({ by: 'query', query: {} }, { page: n, perPage: 2 })
    const first = await page(0)
    expect(first).toMatchObject({
      count: 2,
      totalCount: 3,
      page: 0,
      perPage: 2,
      sortField: 'email',
      sortDirection: 'asc',
    })
    expect(first.items.map((user) => user.email)).toEqual(['Ann@example.com', 'bob@example.com'])
    expect((await page(1)).items.map((user) => user.email)).toEqual(['carl@example.com'])
    expect(await page(2)).toMatchObject({ items: [], count: 0, totalCount: 3 })
    expect(await page(9)).toMatchObject({ items: [], count: 0, totalCount: 3 })
  })

  test('counting only', async () => {
    const found = await world.users.find({ by: 'query', query: '{"userTags":{"role":"y"}}' }, { perPage: 0 })
    expect(found).toMatchObject({ items: [], count: 0, totalCount: 2, perPage: 0 })
  })

  test('by tags: all pairs, and nothing without a pair', async () => {
    const find = async (tags: { key?: string; value?: string }[]) =>
      (await world.users.find({ by: 'tags', tags }, {})).totalCount
    expect(await find([{ key: 'role', value: 'x' }])).toBe(1)
    expect(await find([{ key: 'role' }])).toBe(3)
    expect(await find([{ key: 'role' }, { value: 'x' }])).toBe(1)
    expect(await find([])).toBe(0)
    expect(await find([{ key: '', value: '' }])).toBe(0)
  })

  test('refuses a query or an order that is none', async () => {
    const wrong = world.users.find({ by: 'query', query: { colour: 'red' } }, {})
    await expect(wrong).rejects.toMatchObject({ type: 'Validation', message: expect.stringContaining('colour') })
    const order = world.users.find({ by: 'query', query: {} }, { sortField: 'passwordHash' })
    await expect(order).rejects.toMatchObject({ type: 'Validation' })
  })
})

describe('logging in', () => {
  beforeEach(async () => {
    await world.users.create(ann)
  })

  test('with the right password, setting the time of the last login', async () => {
    expect(await login('ann@example.com', 'correct horse')).toMatchObject({ lastLogin: '2026-01-02T03:04:05.678Z' })
  })

  test.each([
    ['a wrong password', 'ann@example.com', 'wrong horse'],
    ['an empty password', 'ann@example.com', ''],
    ['a huge password', 'ann@example.com', 'x'.repeat(100_000)],
    ['an unknown address', 'bob@example.com', 'correct horse'],
    ['no address', '', 'correct horse'],
  ])('fails with %s, writing nothing', async (_name, email, password) => {
    expect(await login(email, password)).toBeUndefined()
    expect((await world.users.get('ann@example.com'))?.lastLogin).toBeNull()
  })

  test('fails with the id in place of the address', async () => {
    expect(await login((await world.users.get('ann@example.com'))!.id, 'correct horse')).toBeUndefined()
  })

  test('fails in another application', async () => {
    const { users } = world.other
    expect(
      await users.authenticate({ mode: 'emailPassword', email: ann.email, password: ann.password, token: '' }),
    ).toBeUndefined()
  })

  test('fails after ten failures, known or not, also when they come all at once', async () => {
    await Promise.all(Array.from({ length: 12 }, () => login(' ANN@example.com', 'guess guess')))
    expect(await login('ann@example.com', 'correct horse')).toBeUndefined()
    await world.users.create({ ...ann, email: 'bob@example.com' })
    expect(await login('bob@example.com', 'correct horse')).toBeDefined()
  })

  test('does not wait until all guesses at another application are checked', async () => {
    const { users } = world.other
    await users.create(ann)
    const done: string[] = []
    const guesses = Array.from({ length: 40 }, (_, i) =>
      login(`${i}@example.com`, 'guess guess').then(() => done.push('guess')),
    )
    const password = { mode: 'emailPassword', email: ann.email, password: ann.password, token: '' } as const
    await Promise.all([users.authenticate(password).then((user) => done.push(user ? 'login' : 'nobody')), ...guesses])
    expect(done.indexOf('login')).toBeGreaterThanOrEqual(0)
    expect(done.indexOf('login')).toBeLessThan(10)
  })

  test('a success forgets earlier failures', async () => {
    for (let i = 0; i < 9; i++) await login('ann@example.com', 'guess guess')
    expect(await login('ann@example.com', 'correct horse')).toBeDefined()
    for (let i = 0; i < 9; i++) await login('ann@example.com', 'guess guess')
    expect(await login('ann@example.com', 'correct horse')).toBeDefined()
  })

  test('a new password takes the place of the old one and leaves tokens alone', async () => {
    const token = (await world.users.issueToken({ idOrEmail: 'ann@example.com' }))!
    await world.users.update('ann@example.com', { password: 'battery staple' })
    expect(await login('ann@example.com', 'correct horse')).toBeUndefined()
    expect(await login('ann@example.com', 'battery staple')).toBeDefined()
    expect(await world.sessions.resolve(token)).toBeDefined()
  })

  test('modes with a token', async () => {
    const token = (await world.users.issueToken({ idOrEmail: 'ann@example.com' }))!
    await world.users.create({ ...ann, email: 'bob@example.com' })
    const ask = async (
      mode: 'token' | 'tokenEmail' | 'tokenEmailPassword',
      given: { token?: string; email?: string; password?: string },
    ) => (await world.users.authenticate({ mode, token: '', email: '', password: '', ...given }))?.user.email
    expect(await ask('token', { token })).toBe(ann.email)
    expect(await ask('token', { token: `${token}x` })).toBeUndefined()
    expect(await ask('tokenEmail', { token, email: 'ANN@example.com' })).toBe(ann.email)
    expect(await ask('tokenEmail', { token, email: 'bob@example.com' })).toBeUndefined()
    expect(await ask('tokenEmail', { token })).toBeUndefined()
    expect(await ask('tokenEmailPassword', { token })).toBe(ann.email)
    expect(await ask('tokenEmailPassword', { token, email: 'bob@example.com', password: ann.password })).toBeUndefined()
    expect(await ask('tokenEmailPassword', { token, password: 'wrong horse' })).toBeUndefined()
    expect(await ask('tokenEmailPassword', { email: 'bob@example.com', password: ann.password })).toBe(
      'bob@example.com',
    )
    expect(await ask('tokenEmailPassword', {})).toBeUndefined()
  })
})

describe('tokens', () => {
  let id: string
  beforeEach(async () => {
    id = (await world.users.create(ann)).id
  })

  test('carry when they were made, when they end, and extra data', async () => {
    const token = await world.users.issueToken({ idOrEmail: id, ttlMs: 1500, extraData: { a: [1] } })
    const session = await world.sessions.resolve(token!)
    expect(session).toMatchObject({
      user: { id },
      authInfo: {
        issuedAt: new Date(world.clock.now),
        expiresAt: new Date(world.clock.now + 1500),
        extraData: { a: [1] },
      },
    })
    world.clock.now += 1499
    expect(await world.sessions.resolve(token!)).toBeDefined()
    world.clock.now += 1
    expect(await world.sessions.resolve(token!)).toBeUndefined()
  })

  test('without a life span stay valid', async () => {
    const token = await world.users.issueToken({ idOrEmail: id })
    world.clock.now += 10 * 365 * 86_400_000
    expect((await world.sessions.resolve(token!))?.authInfo).toMatchObject({ expiresAt: null, extraData: null })
  })

  test('of nobody are none', async () => {
    expect(await world.users.issueToken({ idOrEmail: 'nobody@example.com' })).toBeUndefined()
    expect(await world.users.issueToken({ idOrEmail: '' })).toBeUndefined()
  })

  test('end at once when newer ones take their place, in the same millisecond too', async () => {
    const first = (await world.users.issueToken({ idOrEmail: id }))!
    const second = (await world.users.issueToken({ idOrEmail: id, invalidateExisting: true }))!
    const third = (await world.users.issueToken({ idOrEmail: id, invalidateExisting: true }))!
    expect(await world.sessions.resolve(first)).toBeUndefined()
    expect(await world.sessions.resolve(second)).toBeUndefined()
    expect(await world.sessions.resolve(third)).toBeDefined()
    await world.users.update(id, {}, { invalidateTokens: true })
    expect(await world.sessions.resolve(third)).toBeUndefined()
    const last = (await world.users.issueToken({ idOrEmail: id, treatAsLogin: true }))!
    expect((await world.sessions.resolve(last))?.user.lastLogin).toBe('2026-01-02T03:04:05.678Z')
  })

  test('end with a date that is set, and with the user', async () => {
    const token = (await world.users.issueToken({ idOrEmail: id }))!
    await world.users.update(id, { tokenCutoff: '2026-01-01T00:00:00Z' })
    expect(await world.sessions.resolve(token)).toBeDefined()
    await world.users.update(id, { tokenCutoff: world.clock.now + 86_400_000 })
    expect(await world.sessions.resolve(token)).toBeUndefined()
    await world.users.update(id, { tokenCutoff: 0 })
    await world.users.remove(id)
    expect(await world.sessions.resolve(token)).toBeUndefined()
  })

  test.each([
    ['nothing', () => ''],
    ['garbage', () => 'a.b.c'],
    ['huge', (token: string) => token.repeat(200)],
    ['a changed signature', (token: string) => `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`],
    [
      'no signature',
      (token: string) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`,
    ],
  ])('that are %s are refused', async (_name, forge) => {
    const token = (await world.users.issueToken({ idOrEmail: id }))!
    expect(await world.sessions.resolve(forge(token))).toBeUndefined()
  })

  test('of another application are refused, even with the same secret', async () => {
    const shared = await openTestWorld({ secret: () => 'one secret for both, 32 bytes....' })
    const user = await shared.users.create(ann)
    const token = (await shared.users.issueToken({ idOrEmail: user.id }))!
    expect(await shared.sessions.resolve(token)).toBeDefined()
    expect(await shared.other.sessions.resolve(token)).toBeUndefined()
    expect(await world.sessions.resolve(token)).toBeUndefined()
  })
})
