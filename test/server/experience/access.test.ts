import { beforeEach, describe, expect, test } from 'vitest'
import { addApplication, aliceId, deviceId, endpointOf, openSite, type Site, tokenOf } from './site.ts'

let site: Site
beforeEach(async () => {
  site = await openSite()
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const valid = tokenOf('acme')

describe('who may see an endpoint', () => {
  const table: [access: string, document: object, path: string, anonymous: number, user: number][] = [
    ['public', { access: 'public' }, '/', 200, 200],
    ['authenticated', { access: 'authenticated' }, '/', 401, 200],
    ['group of the user', { access: 'group', experienceGroupIds: ['x', 'staff'] }, '/', 401, 200],
    ['another group', { access: 'group', experienceGroupIds: ['x'] }, '/', 401, 403],
    ['no group', { access: 'group', experienceGroupIds: [] }, '/', 401, 403],
    [
      'own device',
      { access: 'device', route: '/{d}', deviceIdTemplate: '{{request.params.d}}' },
      `/${deviceId}`,
      401,
      200,
    ],
    [
      'foreign device',
      { access: 'device', route: '/{d}', deviceIdTemplate: '{{request.params.d}}' },
      '/foreign',
      401,
      403,
    ],
    ['gone device', { access: 'device', route: '/{d}', deviceIdTemplate: '{{request.params.d}}' }, '/d-gone', 401, 403],
    ['blank device', { access: 'device', deviceIdTemplate: '{{request.query.d}}' }, '/', 401, 403],
    ['no device template', { access: 'device' }, '/', 401, 403],
  ]
  test.each(table)('%s', async (_, document, path, anonymous, user) => {
    const endpoint = await site.endpoint(document)
    expect((await site.ask(path)).status).toBe(anonymous)
    expect((await site.ask(path, { headers: bearer(valid) })).status).toBe(user)
    const specific = site.events.filter((event) => event.endpoint?.id === endpoint.id)
    expect(specific).toHaveLength([anonymous, user].filter((status) => status === 200).length)
  })

  test('without a token: 401 with a type; without the right: 403', async () => {
    await site.endpoint({ access: 'group' })
    const [out, denied] = [await site.ask('/'), await site.ask('/', { headers: bearer(valid) })]
    expect([out.json(), denied.json()]).toMatchObject([{ type: 'Unauthorized' }, { type: 'Forbidden' }])
    expect(site.events.map((event) => [event.endpoint, event.relay.type])).toEqual([
      [undefined, 'public'],
      [undefined, 'experienceUser'],
    ])
  })

  test('device access puts the device on the payload', async () => {
    await site.endpoint({ access: 'device', deviceIdTemplate: deviceId })
    await site.ask('/', { headers: bearer(valid) })
    expect(site.events[0]!.experience.device).toEqual({ id: deviceId, name: 'Pump', tags: { serial: '7' } })
  })

  test('a device template that fails lets nobody in', async () => {
    await site.endpoint({ access: 'device', deviceIdTemplate: '{{#if}}' })
    expect((await site.ask('/', { headers: bearer(valid) })).status).toBe(500)
    expect(site.events).toEqual([])
  })
})

describe('tokens', () => {
  test('a valid token counts on public endpoints too', async () => {
    await site.endpoint({})
    await site.ask('/', { headers: bearer(valid) })
    expect(site.events).toMatchObject([
      {
        experience: { user: { id: aliceId }, authInfo: { issuedAt: 1, extraData: { kiosk: true } } },
        relay: { type: 'experienceUser', id: aliceId },
      },
    ])
  })

  const bad: [name: string, token: string][] = [
    ['expired', tokenOf('acme', 1)],
    ['forged', `${valid.slice(0, -2)}xx`],
    ['of another tenant', tokenOf('beta')],
    ['garbage', 'garbage'],
    ['endless', 'x'.repeat(10_000)],
    ['empty', ''],
  ]
  test.each(bad)('a token that is %s is no token', async (_, token) => {
    await site.endpoint({ access: 'authenticated' })
    await site.endpoint({ route: '/open' })
    for (const headers of [bearer(token), { cookie: `authorization=${token}` }]) {
      expect((await site.ask('/', { headers })).status).toBe(401)
      expect((await site.ask('/open', { headers })).status).toBe(200)
    }
    expect((await site.ask(`/?authorization=${token}`)).status).toBe(401)
    expect(site.events.every((event) => event.experience.user === null)).toBe(true)
  })

  test('a token of one tenant opens nothing at the host of another', async () => {
    const beta = await addApplication(site.store, { tenant: 'beta', application: 'b'.repeat(24) }, 'beta')
    await beta.collection('endpoints').insert(endpointOf({ access: 'authenticated' }))
    expect((await site.ask('/', { host: 'beta.localhost', headers: bearer(valid) })).status).toBe(401)
    expect((await site.ask('/', { host: 'beta.localhost', headers: bearer(tokenOf('beta')) })).status).toBe(200)
  })

  const other = tokenOf('acme', 9_999_999_999_999)
  const places: [name: string, path: string, headers: Record<string, string>, seen: object][] = [
    ['header', '/', bearer(valid), { headers: { authorization: 'Bearer *****REDACTED*****' } }],
    ['query', `/?authorization=${valid}`, {}, { query: { authorization: '*****REDACTED*****' } }],
    [
      'cookie',
      '/',
      { cookie: `a=1; authorization=${valid}; b=2` },
      {
        cookies: { a: '1', authorization: '*****REDACTED*****', b: '2' },
        headers: { cookie: 'a=1; authorization=*****REDACTED*****; b=2' },
      },
    ],
    [
      'cookie, percent-encoded',
      '/',
      { cookie: `authorization=${valid.replace('.', '%2E')}` },
      { cookies: { authorization: '*****REDACTED*****' }, headers: { cookie: 'authorization=*****REDACTED*****' } },
    ],
    [
      'header before query before cookie',
      `/?authorization=${other}`,
      { ...bearer(valid), cookie: 'authorization=foreign' },
      {
        headers: { authorization: 'Bearer *****REDACTED*****', cookie: 'authorization=foreign' },
        query: { authorization: other },
        cookies: { authorization: 'foreign' },
      },
    ],
    [
      'the cookie beside a foreign header',
      '/',
      {
        authorization: 'Bearer foreign',
        cookie: `authorization=${valid}`,
        referer: `http://x/?authorization=${valid}`,
      },
      {
        headers: { authorization: 'Bearer foreign', referer: 'http://x/?authorization=*****REDACTED*****' },
        cookies: { authorization: '*****REDACTED*****' },
      },
    ],
  ]
  test.each(places)('the token in the %s counts and is redacted', async (_, path, headers, seen) => {
    await site.endpoint({ access: 'authenticated' })
    const answer = await site.ask(path, { headers })
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject(seen)
    expect(answer.body).not.toContain(valid)
  })

  test.each(['Basic dXNlcjpwYXNz', 'Bearer', 'bearer  x y', valid])(
    'the header "%s" is no bearer token',
    async (value) => {
      await site.endpoint({ access: 'authenticated' })
      expect((await site.ask('/', { headers: { authorization: value } })).status).toBe(401)
    },
  )
})
