import { SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openTokens } from '../../server/resources/tokens.ts'
import { expectClean, type Guest, openWorld, reply, type World } from './world.ts'

const annId = '1'.repeat(24)

let world: World
beforeAll(async () => {
  world = await openWorld()
  // Mallory gives her user the id that Ann has, as far as she can guess it.
  await addUser(world.innocent, 'ann@acme.example')
  await addUser(world.hostile, 'mallory@mallory.example')
  await world.innocent.serve('/mine', [reply('{{experience.user.email}} {{jsonEncode data}}')], {
    access: 'authenticated',
  })
})
afterAll(() => world.close())
afterEach(() => expect(world.logged()).toEqual([]))

const addUser = (guest: Guest, email: string) =>
  guest.app.collection('users').insert({ id: annId, email, emailKey: email, userTags: {}, experienceGroupIds: [] })

function sign(by: Guest, more: { application?: string; userId?: string; expiresAt?: number } = {}): Promise<string> {
  const { application = by.scope.application, userId = annId, expiresAt } = more
  return openTokens({ application, secret: () => by.secret, now: Date.now }).sign({
    userId,
    issuedAt: Date.now(),
    expiresAt,
  })
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = () => ({ sub: annId, app: world.innocent.scope.application, iatMs: Date.now() })

const places: [string, (token: string) => { headers?: Record<string, string>; query?: string }][] = [
  ['in the header', (token) => ({ headers: { authorization: `Bearer ${token}` } })],
  ['in the cookie', (token) => ({ headers: { cookie: `authorization=${token}` } })],
  ['in the query', (token) => ({ query: `?authorization=${encodeURIComponent(token)}` })],
]

describe.each(places)('a token %s', (_, place) => {
  async function ask(token: string) {
    const { headers, query = '' } = place(token)
    return await world.innocent.client.send({ path: `/mine${query}`, headers })
  }

  test('that is right lets in, and no flow sees it', async () => {
    const token = await sign(world.innocent)
    const answer = await ask(token)
    expect([answer.status, answer.text]).toMatchObject([200, expect.stringMatching(/^ann@acme\.example /)])
    expect(answer.text).not.toContain(token)
    expect(answer.text).toContain('REDACTED')
  })

  test.each<[string, () => Promise<string> | string]>([
    ['of another application', () => sign(world.hostile)],
    [
      'that another application signed in this name',
      () => sign(world.hostile, { application: world.innocent.scope.application }),
    ],
    [
      'with the name of another application',
      () => sign(world.innocent, { application: world.hostile.scope.application }),
    ],
    ['that has expired', () => sign(world.innocent, { expiresAt: Date.now() - 1_000 })],
    ['of a user who does not exist', () => sign(world.innocent, { userId: '2'.repeat(24) })],
    ['of a user whose id is none', () => sign(world.innocent, { userId: '__proto__' })],
    ['of no algorithm', () => `${part({ alg: 'none', typ: 'JWT' })}.${part(claims())}.`],
    [
      'of another algorithm',
      () =>
        new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS512' })
          .sign(new TextEncoder().encode(world.innocent.secret)),
    ],
    [
      'that brings its own key',
      () =>
        `${part({ alg: 'HS256', jwk: { kty: 'oct', k: 'eA' }, kid: '../../etc/passwd' })}.${part(claims())}.${'x'.repeat(43)}`,
    ],
    [
      'whose claims were changed',
      async () => {
        const [head, , signature] = (await sign(world.innocent)).split('.')
        return `${head}.${part({ ...claims(), sub: '2'.repeat(24) })}.${signature}`
      },
    ],
    ['that is cut short', async () => (await sign(world.innocent)).slice(0, -1)],
    ['that is no token', () => 'undefined'],
    ['of 12 KB', () => `e30.${'x'.repeat(12_000)}.x`],
  ])('%s does not', async (_, make) => {
    const token = await make()
    const answer = await ask(token)
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([401, { type: 'Unauthorized' }])
    expect(answer.text).not.toContain(token)
    expectClean(answer, world)
  })
})

test('a token that is a list or an object lets nobody in', async () => {
  const token = await sign(world.innocent)
  for (const query of [
    `authorization[]=${token}`,
    `authorization[a]=${token}`,
    `authorization=${token}&authorization=x`,
  ]) {
    expect(await world.innocent.client.get(`/mine?${query}`)).toMatchObject({ status: 401 })
  }
})
