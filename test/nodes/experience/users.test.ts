import { expect, test } from 'vitest'
import { userAuthenticate } from '../../../nodes/experience/user-authenticate.ts'
import { userCreate } from '../../../nodes/experience/user-create.ts'
import { userDelete } from '../../../nodes/experience/user-delete.ts'
import { userGet } from '../../../nodes/experience/user-get.ts'
import { userToken } from '../../../nodes/experience/user-token.ts'
import { userUpdate } from '../../../nodes/experience/user-update.ts'
import { type Listing, Refusal } from '../../../nodes/services/listing.ts'
import type { UserView } from '../../../nodes/services/people.ts'
import { listingOf, noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const ann: UserView = { id: 'u1', email: 'user1@example.com' }

async function authenticate(
  config: Record<string, unknown>,
  options: { mode?: string; user?: UserView; byToken?: boolean } = {},
) {
  const { user, byToken = false } = options
  const check = noting<unknown[], { user: UserView; byToken: boolean } | undefined>(user && { user, byToken })
  const issue = noting<unknown[], string | undefined>('new-token')
  const outcome = await runNode(userAuthenticate, {
    config: {
      emailTemplate: ' {{email}} ',
      passwordTemplate: '{{password}}',
      userResultPath: 'user',
      tokenResultPath: 'token',
      ...config,
    },
    meta: options.mode ? { authMode: options.mode } : {},
    payload: { email: 'user1@example.com', password: ' p&w ' },
    use: { users: { authenticate: check.method, issueToken: issue.method } },
  })
  return { ...outcome, checked: check.calls, issued: issue.calls }
}

test('signs in with e-mail and password, as they were typed', async () => {
  const { output, payload, checked, issued } = await authenticate({ ttlTemplate: '1000' }, { user: ann })
  expect(checked).toEqual([[{ mode: 'emailPassword', email: 'user1@example.com', password: ' p&w ', token: '' }]])
  expect(issued).toMatchObject([[{ idOrEmail: 'u1', ttlMs: 1000, invalidateExisting: false }]])
  expect(output).toBe('authenticated')
  expect(payload).toMatchObject({ user: ann, token: 'new-token' })
})

test('a failed sign-in writes nothing and issues no token', async () => {
  const { output, payload, issued } = await authenticate({ invalidateExistingTokens: true })
  expect(output).toBe('failed')
  expect(issued).toEqual([])
  expect(payload).toEqual({ email: 'user1@example.com', password: ' p&w ' })
})

test('no token is made when nobody asks for one', async () => {
  expect((await authenticate({ tokenResultPath: '' }, { user: ann })).issued).toEqual([])
})

test.each(['0', '-5', ''])('a lifetime of "%s" is none', async (ttlTemplate) => {
  expect((await authenticate({ ttlTemplate }, { user: ann })).issued[0]?.[0]).not.toHaveProperty('ttlMs')
})

test('a token that is still good is given back, unless earlier ones are ended', async () => {
  const kept = await authenticate({ tokenTemplate: 'old' }, { mode: 'token', user: ann, byToken: true })
  expect(kept).toMatchObject({ issued: [], payload: { token: 'old' } })
  const renewed = await authenticate(
    { tokenTemplate: 'old', invalidateExistingTokens: true },
    { mode: 'token', user: ann, byToken: true },
  )
  expect(renewed.payload.token).toBe('new-token')
})

test('a token that is no longer good is not given back to who signs in with a password', async () => {
  const { payload } = await authenticate({ tokenTemplate: 'old' }, { mode: 'tokenEmailPassword', user: ann })
  expect(payload.token).toBe('new-token')
})

test('issues a token, or null for nobody', async () => {
  for (const [answer, token] of [
    ['t', 't'],
    [undefined, null],
  ] as const) {
    const issue = noting<unknown[], string | undefined>(answer)
    const config = {
      emailOrIdTemplate: 'u1',
      treatAsLogin: true,
      extraDataJsonTemplate: '{"a":1}',
      resultPath: 'token',
    }
    const { payload } = await runNode(userToken, { config, use: { users: { issueToken: issue.method } } })
    expect(issue.calls).toMatchObject([[{ idOrEmail: 'u1', treatAsLogin: true, extraData: { a: 1 } }]])
    expect(payload.token).toBe(token)
  }
})

test('creates a user; blank groups and tags are dropped', async () => {
  const create = noting<unknown[], UserView>(ann)
  const { payload } = await runNode(userCreate, {
    config: {
      emailTemplate: 'user1@example.com',
      passwordTemplate: 'correct horse',
      groupIdTemplates: ['{{groups}}', '{{none}}'],
      userTags: [
        { keyTemplate: 'role', valueTemplate: 'viewer' },
        { keyTemplate: 'x', valueTemplate: '' },
      ],
      resultPath: 'user',
    },
    payload: { groups: ['g1', 'g2'] },
    use: { users: { create: create.method } },
  })
  const body = {
    email: 'user1@example.com',
    password: 'correct horse',
    userTags: { role: 'viewer' },
    experienceGroupIds: ['g1', 'g2'],
  }
  expect(create.calls).toEqual([[body]])
  expect(payload.user).toEqual(ann)
})

test('a refused creation is put at the result path', async () => {
  const create = noting<unknown[], UserView>(new Refusal('AlreadyExists', 'Taken'))
  const { payload } = await runNode(userCreate, {
    config: { resultPath: 'user' },
    use: { users: { create: create.method } },
  })
  expect(payload.user).toEqual({ error: { type: 'AlreadyExists', message: 'Taken' } })
})

test.each([
  ['absent', {}, {}],
  ['blank text', { groupIdTemplates: '' }, {}],
  ['an empty list', { groupIdTemplates: [] }, { experienceGroupIds: [] }],
  ['a list', { groupIdTemplates: ['g1'] }, { experienceGroupIds: ['g1'] }],
])('updates groups that are %s', async (_, config, patch) => {
  const update = noting<unknown[], UserView>(ann)
  await runNode(userUpdate, {
    config: { emailOrIdTemplate: 'u1', ...config },
    use: { users: { update: update.method } },
  })
  expect(update.calls).toEqual([['u1', patch, { mergeTags: [], invalidateTokens: false }]])
})

test('finds one user by id or e-mail, or null', async () => {
  const get = noting<unknown[], UserView | undefined>(undefined)
  const { payload } = await runNode(userGet, {
    config: { emailOrIdTemplate: ' {{none}} ', findMultiple: true, resultPath: 'user' },
    use: { users: { get: get.method } },
  })
  expect(get.calls).toEqual([['']])
  expect(payload.user).toBeNull()
})

test('finds users by all their tags, under either key', async () => {
  const find = noting<unknown[], Listing<UserView>>(listingOf([ann]))
  const config = {
    findMethod: 'userTags',
    tags: [{ keyTemplate: 'role' }],
    userTags: [{ keyTemplate: 'a', valueTemplate: 'b' }],
    findMultiple: true,
    resultPath: 'out',
  }
  const { payload } = await runNode(userGet, { config, use: { users: { find: find.method } } })
  expect(find.calls[0]?.[0]).toEqual({ by: 'tags', tags: [{ key: 'a', value: 'b' }, { key: 'role' }] })
  expect(payload.out).toEqual([ann])
})

test('says whether a user was deleted', async () => {
  const remove = noting<unknown[], boolean>(false)
  const config = { emailOrIdTemplate: 'u9', resultPath: 'out' }
  const { payload } = await runNode(userDelete, { config, use: { users: { remove: remove.method } } })
  expect(remove.calls).toEqual([['u9']])
  expect(payload.out).toBe(false)
})
