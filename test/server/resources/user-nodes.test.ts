import { beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { openRunning, type Running } from './running.ts'

let run: Running
let ann: string
let top: string
let low: string
const AUTH = 'ExperienceUserAuthNode'
const TOKEN = 'ExperienceUserTokenNode'
const unknownId = '0'.repeat(24)
const password = 'correct horse'
const refusal = (type: string, part = '') => ({ error: { type, message: expect.stringContaining(part) } })
const emails = (found: unknown) => (found as { email: string }[]).map(({ email }) => email)

beforeEach(async () => {
  run = await openRunning()
  top = (await run.groups.create({ name: 'top' })).id
  low = (await run.groups.create({ name: 'low', parentId: top })).id
  ann = (
    await run.users.create({
      email: 'Ann@Example.com',
      password,
      firstName: 'Ann',
      userTags: { role: 'admin', pin: '1234' },
      experienceGroupIds: [top],
    })
  ).id
})

async function signIn(authMode: string, config: Payload, payload: Payload = {}) {
  const paths = { userResultPath: 'user', tokenResultPath: 'token' }
  const outcome = await run.visit(AUTH, { ...paths, ...config }, payload, { authMode })
  if (outcome.error) throw outcome.error.cause
  return { output: outcome.output, ...(outcome.payload as { user?: Payload; token?: string }) }
}
const sessionOf = async (token: unknown) => await run.sessions.resolve(String(token))

describe('Authenticate', () => {
  const byPassword = { emailTemplate: ' {{email}} ', passwordTemplate: '{{password}}' }

  test('by e-mail and password gives the user and a token that has no end', async () => {
    const { output, user, token } = await signIn('emailPassword', byPassword, { email: 'ann@example.com', password })
    expect(output).toBe(1)
    expect(user).toMatchObject({
      id: ann,
      experienceUserId: ann,
      email: 'Ann@Example.com',
      experienceGroups: [{ id: top, name: 'top', parentId: null }],
      lastLogin: new Date(run.clock.now).toISOString(),
    })
    expect(JSON.stringify(user)).not.toMatch(/hash|scrypt|argon/i)
    expect(await sessionOf(token)).toMatchObject({ user: { id: ann }, authInfo: { expiresAt: null, extraData: null } })
  })

  test.each([
    ['a wrong password', 'ann@example.com', 'wrong horse'],
    ['no password', 'ann@example.com', undefined],
    ['an unknown address', 'bob@example.com', password],
    ['no address', undefined, password],
  ])('with %s takes the first output and writes nothing', async (_, email, typed) => {
    const payload = { ...(email ? { email } : {}), ...(typed ? { password: typed } : {}) }
    const { output, user, token } = await signIn(
      'emailPassword',
      { ...byPassword, invalidateExistingTokens: true },
      payload,
    )
    expect([output, user, token]).toEqual([0, undefined, undefined])
    expect(await run.users.get(ann)).not.toHaveProperty('tokenCutoff')
  })

  test('makes no token without a path for it', async () => {
    const payload = { email: 'ann@example.com', password }
    expect(await signIn('emailPassword', { ...byPassword, tokenResultPath: '' }, payload)).not.toHaveProperty('token')
  })

  test.each([
    ['1500', 1500],
    ['{{ttl}}', 300_000],
    ['0', null],
    ['-5', null],
    ['soon', null],
    ['{{email}}', null],
    ['', null],
  ])('a lifetime of %j', async (ttlTemplate, lasts) => {
    const payload = { email: 'ann@example.com', password, ttl: 300_000 }
    const { token } = await signIn('emailPassword', { ...byPassword, ttlTemplate }, payload)
    const expiresAt = lasts === null ? null : new Date(run.clock.now + lasts)
    expect((await sessionOf(token))?.authInfo.expiresAt).toEqual(expiresAt)
    run.clock.now += (lasts ?? 1e12) + 1
    expect((await sessionOf(token)) === undefined).toBe(lasts !== null)
  })

  test('puts extra data into the token, and ends earlier tokens when asked', async () => {
    const old = await run.users.issueToken({ idOrEmail: ann })
    const extra = { ...byPassword, extraDataJsonTemplate: '{"by":"{{email}}"}', invalidateExistingTokens: true }
    const { token } = await signIn('emailPassword', extra, { email: 'ann@example.com', password })
    expect((await sessionOf(token))?.authInfo.extraData).toEqual({ by: 'ann@example.com' })
    expect(await sessionOf(old)).toBeUndefined()
  })

  test.each<[string, (token: string) => Payload, boolean]>([
    ['token', (token) => ({ tokenTemplate: token }), true],
    ['token', (token) => ({ tokenTemplate: `${token}x` }), false],
    ['token', () => ({ tokenTemplate: '{{nothing}}' }), false],
    ['tokenEmail', (token) => ({ tokenTemplate: token, emailTemplate: 'ANN@example.com' }), true],
    ['tokenEmail', (token) => ({ tokenTemplate: token, emailTemplate: 'bob@example.com' }), false],
    ['tokenEmail', (token) => ({ tokenTemplate: token, emailTemplate: '' }), false],
    ['tokenEmailPassword', (token) => ({ tokenTemplate: token }), true],
    ['tokenEmailPassword', (token) => ({ tokenTemplate: token, passwordTemplate: 'wrong horse' }), false],
    ['tokenEmailPassword', (token) => ({ tokenTemplate: token, emailTemplate: 'bob@example.com' }), false],
  ])('by %s gives the same token back', async (mode, config, good) => {
    const given = (await run.users.issueToken({ idOrEmail: ann }))!
    const { output, user, token } = await signIn(mode, config(given))
    expect([output, user?.id, token]).toEqual(good ? [1, ann, given] : [0, undefined, undefined])
  })

  test('by token makes another one when earlier ones are ended', async () => {
    const given = (await run.users.issueToken({ idOrEmail: ann }))!
    const { token } = await signIn('token', { tokenTemplate: given, invalidateExistingTokens: true })
    expect(token).not.toBe(given)
    expect(await sessionOf(given)).toBeUndefined()
    expect((await sessionOf(token))?.user.id).toBe(ann)
  })

  test('by password where the token has ended gives a good token', async () => {
    const ended = (await run.users.issueToken({ idOrEmail: ann, ttlMs: 1000 }))!
    run.clock.now += 2000
    const config = { tokenTemplate: ended, emailTemplate: 'ann@example.com', passwordTemplate: password }
    const { output, token } = await signIn('tokenEmailPassword', config)
    expect(output).toBe(1)
    expect((await sessionOf(token))?.user.id).toBe(ann)
  })

  test('extra data that no token holds fails the run with a reason', async () => {
    const config = { ...byPassword, extraDataJsonTemplate: '{"a":"{{big}}"}', tokenResultPath: 't' }
    const payload = { email: 'ann@example.com', password, big: 'x'.repeat(9000) }
    expect((await run.visit(AUTH, config, payload)).code).toBe('config.type')
    expect((await run.visit(TOKEN, { ...config, emailOrIdTemplate: ann, resultPath: 't' }, payload)).code).toBe(
      'config.type',
    )
  })
})

describe('Generate Token', () => {
  test('gives a token for an id or an address, null for nobody, and does not count as a login', async () => {
    for (const emailOrIdTemplate of [ann, ' ANN@example.com ']) {
      expect((await sessionOf(await run.result(TOKEN, { emailOrIdTemplate })))?.user.id).toBe(ann)
    }
    expect(await run.users.get(ann)).toMatchObject({ lastLogin: null })
    expect(await run.result(TOKEN, { emailOrIdTemplate: 'nobody@x.y' })).toBeNull()
    expect(await run.result(TOKEN, { emailOrIdTemplate: unknownId })).toBeNull()
  })

  test('counts as a login, has a lifetime, ends earlier tokens', async () => {
    const old = await run.users.issueToken({ idOrEmail: ann })
    const config = {
      emailOrIdTemplate: ann,
      treatAsLogin: true,
      invalidateExistingTokens: true,
      ttlTemplate: '{{ttl}}',
    }
    const token = await run.result(TOKEN, { ...config, extraDataJsonTemplate: '{"a":1}' }, { ttl: 'never' })
    expect(await sessionOf(token)).toMatchObject({ authInfo: { expiresAt: null, extraData: { a: 1 } } })
    expect(await sessionOf(old)).toBeUndefined()
    expect((await run.users.get(ann))?.lastLogin).toBe(new Date(run.clock.now).toISOString())
  })
})

describe('User: Create', () => {
  const CREATE = 'CreateExperienceUserNode'
  const fields = { emailTemplate: '{{email}}', passwordTemplate: '{{password}}' }
  const who = { email: 'bob@example.com', password: 'battery & staple' }

  test('makes a user from fields; blank groups and tags are dropped', async () => {
    const user = await run.result(
      CREATE,
      {
        ...fields,
        firstNameTemplate: 'Bob',
        lastNameTemplate: '{{nothing}}',
        groupIdTemplates: ['{{working.group}}', '{{nothing}}', '{{working.more}}'],
        userTags: [
          { keyTemplate: 'role', valueTemplate: 'viewer' },
          { keyTemplate: 'none', valueTemplate: '{{nothing}}' },
          { keyTemplate: 'alone' },
        ],
      },
      { ...who, working: { group: top, more: [low] } },
    )
    expect(user).toMatchObject({
      email: 'bob@example.com',
      firstName: 'Bob',
      applicationId: 'a'.repeat(24),
      lastLogin: null,
      experienceGroups: [{ id: low, name: 'low', parentId: top }, { id: top }],
    })
    expect((user as Payload).userTags).toEqual({ role: 'viewer' })
    const signedIn = await signIn('emailPassword', { emailTemplate: who.email, passwordTemplate: who.password })
    expect(signedIn.output).toBe(1)
  })

  test.each([
    ['jsonTemplate', { userJsonTemplate: '{{{jsonEncode body}}}' }],
    ['payloadPath', { userPayloadPath: 'body' }],
  ])('makes a user by %s', async (dataMethod, config) => {
    const body = { ...who, userTags: { a: 'b' }, experienceGroupIds: [top], tokenCutoff: '2026-01-01T00:00:00Z' }
    expect(await run.result(CREATE, { dataMethod, ...config }, { body })).toMatchObject({
      userTags: { a: 'b' },
      experienceGroups: [{ id: top }],
      tokenCutoff: '2026-01-01T00:00:00.000Z',
    })
  })

  test.each<[string, Payload, string]>([
    ['an address that is taken', { ...fields, emailTemplate: 'ANN@example.com' }, 'AlreadyExists'],
    ['a short password', { ...fields, passwordTemplate: '1234567' }, 'Validation'],
    ['no password', { ...fields, passwordTemplate: '' }, 'Validation'],
    ['no address', { ...fields, emailTemplate: '{{nothing}}' }, 'Validation'],
    ['an unknown group', { ...fields, groupIdTemplates: [unknownId] }, 'Validation'],
    ['no body', { dataMethod: 'payloadPath', userPayloadPath: 'nothing' }, 'Validation'],
    ['a read-only key', { dataMethod: 'jsonTemplate', userJsonTemplate: '{"id":"x"}' }, 'Validation'],
  ])('refuses %s', async (_, config, type) => {
    expect(await run.result(CREATE, config, who)).toEqual(refusal(type))
    expect(await run.visit(CREATE, { ...config, resultPath: '' }, who)).toMatchObject({ status: 'done', payload: who })
    expect(await run.app.collection('users').count()).toBe(1)
  })
})

describe('User: Get', () => {
  const GET = 'GetExperienceUserNode'
  beforeEach(async () => {
    const more = { password, experienceGroupIds: [low] }
    await run.users.create({ ...more, email: 'bob@example.com', userTags: { role: 'viewer', pin: '1234' } })
    await run.users.create({ ...more, email: 'cid@example.com', firstName: 'Cid' })
  })

  test.each<[string, Payload, string | null]>([
    ['an id', { emailOrIdTemplate: '{{ann}}' }, 'Ann@Example.com'],
    [
      'an address',
      { findMethod: 'emailOrId', emailOrIdTemplate: 'ann@EXAMPLE.com', findMultiple: true },
      'Ann@Example.com',
    ],
    ['a blank', { emailOrIdTemplate: '{{nothing}}' }, null],
    ['an unknown id', { emailOrIdTemplate: unknownId }, null],
    ['an unknown address', { emailOrIdTemplate: 'x@y.z' }, null],
  ])('finds by %s', async (_, config, email) => {
    const found = (await run.result(GET, config, { ann })) as { email: string } | null
    expect(found === null ? null : found.email).toBe(email)
  })

  test.each<[Payload, string[]]>([
    [
      { findMethod: 'userTags', userTags: [{ keyTemplate: 'pin', valueTemplate: '{{pin}}' }] },
      ['Ann@Example.com', 'bob@example.com'],
    ],
    [
      {
        findMethod: 'userTags',
        userTags: [
          { keyTemplate: 'pin', valueTemplate: '1234' },
          { keyTemplate: 'role', valueTemplate: 'viewer' },
        ],
      },
      ['bob@example.com'],
    ],
    [{ findMethod: 'userTags', tags: [{ keyTemplate: '', valueTemplate: 'admin' }] }, ['Ann@Example.com']],
    [{ findMethod: 'userTags', userTags: [{ keyTemplate: 'pin', valueTemplate: 'x' }] }, []],
    [{ findMethod: 'userTags', userTags: [{ keyTemplate: '', valueTemplate: '{{nothing}}' }] }, []],
    [{ findMethod: 'query', queryTemplate: '{"experienceGroupId":"{{low}}"}' }, ['bob@example.com', 'cid@example.com']],
    [{ findMethod: 'query', queryTemplate: '{"email":{"$startsWith":"ANN","$ci":true}}' }, ['Ann@Example.com']],
    [
      { findMethod: 'query', queryTemplate: '{"userTags":{"$eq":{"$tagKey":"role"}}}', sortDirection: 'desc' },
      ['bob@example.com', 'Ann@Example.com'],
    ],
    [{ findMethod: 'query', queryTemplate: '' }, ['Ann@Example.com', 'bob@example.com', 'cid@example.com']],
    [
      { findMethod: 'query', queryTemplate: '{"lastLogin":null}', sortField: 'creationDate' },
      ['Ann@Example.com', 'bob@example.com', 'cid@example.com'],
    ],
  ])('finds by %j', async (config, expected) => {
    const payload = { pin: 1234, low }
    expect(emails(await run.result(GET, { findMultiple: true, ...config }, payload))).toEqual(expected)
    const one = (await run.result(GET, config, payload)) as { email: string } | null
    expect(one === null ? undefined : one.email).toBe(expected[0])
    const counted = { findMultiple: true, findMetadata: true, resultsPerPage: '0', ...config }
    expect(await run.result(GET, counted, payload)).toMatchObject({ items: [], count: 0, totalCount: expected.length })
  })

  test('refuses what cannot be asked', async () => {
    expect(await run.result(GET, { findMethod: 'query', queryTemplate: '{"password":"x"}' })).toEqual(
      refusal('Validation'),
    )
    const sorted = { findMethod: 'query', sortField: 'passwordHash', findMultiple: true }
    expect(await run.result(GET, sorted)).toEqual(refusal('Validation', 'sortField'))
  })
})

describe('User: Update', () => {
  const UPDATE = 'UpdateExperienceUserNode'
  const update = (config: Payload, payload: Payload = {}) =>
    run.result(UPDATE, { emailOrIdTemplate: '{{ann}}', ...config }, { ann, top, low, ...payload })

  test('changes what is given; tags merge', async () => {
    expect(
      await update({
        emailTemplate: '',
        firstNameTemplate: 'Anna',
        lastNameTemplate: '{{nothing}}',
        passwordTemplate: '',
        groupIdTemplates: '',
        userTags: [
          { keyTemplate: 'role', valueTemplate: 'owner' },
          { keyTemplate: 'pin' },
          { keyTemplate: 'new', valueTemplate: 'n' },
        ],
      }),
    ).toMatchObject({ email: 'Ann@Example.com', firstName: 'Anna', experienceGroups: [{ id: top }] })
    expect((await run.users.get(ann))?.userTags).toEqual({ role: 'owner', new: 'n' })
    expect(
      (await signIn('emailPassword', { emailTemplate: 'ann@example.com', passwordTemplate: password })).output,
    ).toBe(1)
  })

  test.each<[unknown, () => string[]]>([
    [undefined, () => [top]],
    ['', () => [top]],
    [[], () => []],
    [['{{low}}'], () => [low]],
    [['{{low}}', '{{top}}', '{{nothing}}'], () => [low, top]],
  ])('groups %j', async (groupIdTemplates, expected) => {
    const user = (await update(groupIdTemplates === undefined ? {} : { groupIdTemplates })) as {
      experienceGroups: { id: string }[]
    }
    expect(user.experienceGroups.map(({ id }) => id)).toEqual(expected())
  })

  test('a new password leaves tokens alone, unless they are ended', async () => {
    const token = await run.users.issueToken({ idOrEmail: ann })
    await update({ passwordTemplate: 'battery staple' })
    expect(await sessionOf(token)).toBeDefined()
    await update({ invalidateExistingTokens: true })
    expect(await sessionOf(token)).toBeUndefined()
    expect(
      (await signIn('emailPassword', { emailTemplate: 'ann@example.com', passwordTemplate: password })).output,
    ).toBe(0)
  })

  test('a body replaces the tags as a whole', async () => {
    const config = { dataMethod: 'payloadPath', userPayloadPath: 'body' }
    expect(((await update(config, { body: { userTags: { a: 'b' } } })) as Payload).userTags).toEqual({ a: 'b' })
    expect(await update(config, { body: { userTags: { a: '' } } })).toEqual(refusal('Validation', 'userTags'))
  })

  test.each<[string, Payload, string]>([
    ['nobody', { emailOrIdTemplate: 'nobody@x.y', firstNameTemplate: 'x' }, 'NotFound'],
    ['an address that is taken', { emailTemplate: 'BOB@example.com' }, 'AlreadyExists'],
    ['a short password', { passwordTemplate: 'short' }, 'Validation'],
    ['an unknown group', { groupIdTemplates: [unknownId] }, 'Validation'],
    ['a read-only key', { dataMethod: 'jsonTemplate', userJsonTemplate: '{"lastLogin":null}' }, 'Validation'],
    ['no body', { dataMethod: 'payloadPath', userPayloadPath: 'nothing' }, 'Validation'],
  ])('refuses %s', async (_, config, type) => {
    await run.users.create({ email: 'bob@example.com', password })
    const before = await run.users.get(ann)
    expect(await update(config)).toEqual(refusal(type))
    expect(await run.users.get(ann)).toEqual(before)
  })
})

test('User: Delete says whether there was one, and ends his tokens', async () => {
  const DELETE = 'DeleteExperienceUserNode'
  const token = await run.users.issueToken({ idOrEmail: ann })
  expect(await run.result(DELETE, { emailOrIdTemplate: '{{nothing}}' })).toBe(false)
  expect(await run.result(DELETE, { emailOrIdTemplate: 'nobody@x.y' })).toBe(false)
  expect(await run.result(DELETE, { emailOrIdTemplate: 'ANN@example.com' })).toBe(true)
  expect(await run.result(DELETE, { emailOrIdTemplate: ann })).toBe(false)
  expect(await sessionOf(token)).toBeUndefined()
  expect(await run.groups.get(top)).toMatchObject({ experienceUserIds: [] })
})
