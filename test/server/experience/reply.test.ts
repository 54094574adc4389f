import { beforeEach, describe, expect, test } from 'vitest'
import type { Reply } from '../../../nodes/services/reply.ts'
import { encodeLocation } from '../../../server/experience/reply.ts'
import { openSite, type Planned, type Site, tokenOf } from './site.ts'

let site: Site
beforeEach(async () => {
  site = await openSite()
})

const pageId = 'b'.repeat(24)
const custom = (body: unknown): Reply['body'] => ({ kind: 'custom', body })

async function replyWith(planned: Partial<Reply>) {
  await site.endpoint({})
  site.flow.run = () => planned
  return site.ask('/')
}

describe('custom replies', () => {
  const bodies: [name: string, body: unknown, sent: string, type: string | undefined][] = [
    ['a string', '{"a":1}', '{"a":1}', 'text/html; charset=utf-8'],
    ['an object', { a: [1, 'é'] }, '{"a":[1,"é"]}', 'application/json'],
    ['a list', [], '[]', 'application/json'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"', 'application/json'],
    ['a number', 7, '7', 'text/html; charset=utf-8'],
    ['false', false, 'false', 'text/html; charset=utf-8'],
    ['nothing', undefined, '', undefined],
    ['null', null, '', undefined],
  ]
  test.each(bodies)('%s', async (_, body, sent, type) => {
    const answer = await replyWith({ body: custom(body) })
    expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([200, sent, type])
  })

  test.each([
    [201, 201],
    [404, 404],
    [599, 599],
    [undefined, 200],
    [0, 200],
    [99, 200],
    [600, 200],
    [Number.NaN, 200],
    [200.5, 200],
    [101, 200],
  ])('status %s is sent as %s', async (status, sent) => {
    expect((await replyWith({ status, body: custom('x') })).status).toBe(sent)
  })

  test('204 has no body', async () => {
    const answer = await replyWith({ status: 204, body: custom('x') })
    expect([answer.status, answer.body]).toEqual([204, ''])
  })

  test('what JSON cannot hold fails the run', async () => {
    const loop: Record<string, unknown> = {}
    loop.self = loop
    const answer = await replyWith({ body: custom(loop) })
    expect([answer.status, answer.json()]).toMatchObject([500, { message: expect.stringContaining('JSON') }])
  })
})

describe('headers', () => {
  test('defaults', async () => {
    const { headers } = await replyWith({ body: custom('x') })
    expect(headers).toMatchObject({
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-xss-protection': '1; mode=block',
      'access-control-allow-origin': '*',
    })
    expect(headers).not.toHaveProperty('strict-transport-security')
    expect(headers).not.toHaveProperty('content-security-policy')
    expect(headers).not.toHaveProperty('x-frame-options')
  })

  test('those of the version win over defaults, those of the reply over both; of one name the last wins', async () => {
    await site.settings({ responseHeaders: { 'Cache-Control': 'max-age=1', 'X-Frame-Options': 'DENY', Pragma: 'p' } })
    const { headers } = await replyWith({
      body: custom('a,b'),
      headers: [
        ['Content-Type', 'text/csv'],
        ['x-frame-options', 'SAMEORIGIN'],
        ['X-A', '1'],
        ['x-a', '2'],
        ['', 'dropped'],
      ],
    })
    expect(headers).toMatchObject({
      'cache-control': 'max-age=1',
      pragma: 'p',
      'x-frame-options': 'SAMEORIGIN',
      'content-type': 'text/csv',
      'x-a': '2',
    })
  })

  const bad: [name: string, value: string][] = [
    ['X-A', 'x\r\nSet-Cookie: evil=1'],
    ['X-A', 'x\ny'],
    ['X-A', 'x\0y'],
    ['X-A', 'snow ☃'],
    ['X-A\r\nSet-Cookie', 'evil=1'],
    ['X A', '1'],
    ['Transfer-Encoding', 'chunked'],
    ['content-length', '1'],
    ['Connection', 'upgrade'],
  ]
  test.each(bad)('%j: %j fails the run and nothing of it is sent', async (name, value) => {
    const answer = await replyWith({ body: custom('x'), headers: [[name, value]] })
    expect([answer.status, answer.json()]).toMatchObject([
      500,
      { message: expect.stringContaining('Expected a header') },
    ])
    expect(answer.headers).not.toHaveProperty('set-cookie')
    expect((await site.ask('/nowhere')).status).toBe(404)
  })
})

describe('cookies', () => {
  const table: [name: string, reply: Partial<Reply>, sent: string[]][] = [
    ['set', { cookies: [{ name: 'a', value: '1' }] }, ['a=1; Path=/; SameSite=Lax']],
    [
      'the session cookie',
      { cookies: [{ name: 'authorization', value: 'x.y', maxAgeMs: 1_800_999 }], sameSite: 'strict' },
      ['authorization=x.y; Max-Age=1800; Path=/; HttpOnly; SameSite=Strict'],
    ],
    [
      'remove',
      { cookies: [{ name: 'authorization' }, { name: 'b', path: '/x' }] },
      [
        'authorization=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
        'b=; Max-Age=0; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Lax',
      ],
    ],
    [
      'none is secure',
      { cookies: [{ name: 'a', value: '1' }], sameSite: 'none' },
      ['a=1; Path=/; Secure; SameSite=None'],
    ],
    [
      'a value with anything',
      { cookies: [{ name: 'a', value: 'é;\r\nx="' }] },
      ['a=%C3%A9%3B%0D%0Ax%3D%22; Path=/; SameSite=Lax'],
    ],
    ['an empty value is a value', { cookies: [{ name: 'a', value: '' }] }, ['a=; Path=/; SameSite=Lax']],
    [
      'a negative age',
      { cookies: [{ name: 'a', value: '1', maxAgeMs: -5 }] },
      ['a=1; Max-Age=0; Path=/; SameSite=Lax'],
    ],
  ]
  test.each(table)('%s', async (_, planned, sent) => {
    expect((await replyWith({ body: custom('x'), ...planned })).headers['set-cookie']).toEqual(sent)
  })

  test('over TLS cookies are secure', async () => {
    site = await openSite({ publicUrl: 'https://shop.example' })
    const { headers } = await replyWith({ body: custom('x'), cookies: [{ name: 'a', value: '1' }] })
    expect(headers['set-cookie']).toEqual(['a=1; Path=/; Secure; SameSite=Lax'])
    expect(headers['strict-transport-security']).toBe('max-age=31536000')
  })

  test.each([
    { name: 'a b', value: '1' },
    { name: '', value: '1' },
    { name: 'a', value: '1', path: '/;Domain=evil' },
    { name: 'a\r\nx', value: '1' },
  ])('%j fails the run', async (cookie) => {
    const answer = await replyWith({ body: custom('x'), cookies: [cookie] })
    expect([answer.status, answer.headers['set-cookie']]).toEqual([500, undefined])
  })
})

describe('redirects', () => {
  const targets: [written: string, sent: string][] = [
    ['/login', '/login'],
    ['?success=true', '?success=true'],
    ['/x?error=Missing or invalid fields.', '/x?error=Missing%20or%20invalid%20fields.'],
    ['/x?a=%20b&c=é', '/x?a=%20b&c=%C3%A9'],
    ['/100%', '/100%25'],
    ['https://a.example/b#c', 'https://a.example/b#c'],
    ['  /trim ', '/trim'],
    ['/a\r\nSet-Cookie: evil=1', '/a%0D%0ASet-Cookie:%20evil=1'],
    ['/\\evil.example', '/%5Cevil.example'],
    ['/\ud800', '/%EF%BF%BD'],
    ['/a?b="<x>"', '/a?b=%22%3Cx%3E%22'],
    ['/a|b{c}', '/a%7Cb%7Bc%7D'],
  ]
  test.each(targets)('%j goes to %j', (written, sent) => {
    expect(encodeLocation(written)).toBe(sent)
  })

  test.each([
    [undefined, 302],
    [301, 301],
    [303, 303],
    [200, 302],
    [404, 302],
  ])('status %s is sent as %s', async (status, sent) => {
    const answer = await replyWith({ status, body: { kind: 'redirect', location: '/x y' } })
    expect([answer.status, answer.headers.location, answer.body]).toEqual([sent, '/x%20y', ''])
  })

  test('a redirect to nothing fails the run', async () => {
    expect((await replyWith({ body: { kind: 'redirect', location: ' ' } })).status).toBe(500)
  })
})

describe('pages', () => {
  test("are rendered with the request, the flow and the run's globals", async () => {
    await site.view({
      ...{ id: pageId, name: 'home' },
      body: '{{pageData.title}}|{{request.query.q}}|{{globals.brand}}|{{flow.name}}|{{experience.user.email}}|{{experience.version}}|{{request.path}}',
    })
    await site.endpoint({ route: '/home' })
    site.flow.run = () => ({ status: 201, body: { kind: 'page', pageId, data: { title: '<T>' } } })
    const answer = await site.ask('/home?q=1', { headers: { authorization: `Bearer ${tokenOf('acme')}` } })
    expect(answer.body).toBe('&lt;T&gt;|1|Run|Answer|alice@acme.example|develop|/home')
    expect([answer.status, answer.headers['content-type']]).toEqual([201, expect.stringContaining('text/html')])
  })

  test.each([
    ['application/json', '{"names":["Ada"],"deep":{"n":1}}'],
    ['application/x-www-form-urlencoded', 'names[0]=Ada&deep[n]=1'],
  ])('show the request as it came, whatever the flow has made of its own (%s)', async (type, sent) => {
    await site.view({
      id: pageId,
      name: 'home',
      body: '{{request.body.names.[0]}}{{request.body.deep.n}}{{request.path}}',
    })
    await site.endpoint({ method: 'post' })
    site.flow.run = ({ data }) => {
      const body = data.body as { names: string[]; deep: { n: number } }
      expect(body).toMatchObject({ names: ['Ada'], deep: { n: expect.anything() } })
      body.names[0] = 'Bob'
      body.deep.n = 2
      data.path = '/elsewhere'
      return { body: { kind: 'page', pageId, data: {} } }
    }
    expect((await site.ask('/', { method: 'POST', headers: { 'content-type': type }, body: sent })).body).toBe('Ada1/')
  })

  test('have the content type of their view, unless the reply names another', async () => {
    await site.view({ id: pageId, name: 'style', body: 'a{}', headers: { 'content-type': 'text/css' } })
    const body = { kind: 'page', pageId, data: {} } as const
    expect((await replyWith({ body })).headers['content-type']).toBe('text/css')
    site.flow.run = () => ({ body, headers: [['content-type', 'text/plain']] })
    expect((await site.ask('/')).headers['content-type']).toBe('text/plain')
  })

  test('with a content type that would split the reply fail', async () => {
    await site.view({ id: pageId, name: 'x', body: 'x', headers: { 'content-type': 'text/css\r\nset-cookie: a=1' } })
    const answer = await replyWith({ body: { kind: 'page', pageId, data: {} } })
    expect([answer.status, answer.headers['set-cookie']]).toEqual([500, undefined])
    await site.endpoint({ route: '/s', staticReply: { type: 'page', value: pageId } })
    expect((await site.ask('/s')).headers['content-type']).toBe('application/json; charset=utf-8')
  })

  test('that are missing fail the run while the request goes on waiting', async () => {
    await site.endpoint({})
    site.flow.run = async (event) => {
      const service = site.experience.replies.service({
        ...{ scope: event.scope, globals: {}, application: { id: '', name: '' } },
        flow: { id: '', name: '', version: '' },
      })
      const missing: Reply = { body: { kind: 'page', pageId: 'nowhere', data: {} }, headers: [], cookies: [] }
      expect(() => service.send(event.replyId, missing, { payload: {} })).toThrow(
        expect.objectContaining({ code: 'view.missing' }),
      )
      return { status: 500, body: custom('handled') }
    }
    expect(await site.ask('/')).toMatchObject({ status: 500, body: 'handled' })
  })

  test('may be taken from another version', async () => {
    await site.app.collection('experienceVersions').insert({ version: 'v2', endpointDefaultCors: true, globals: [] })
    await site.view({ id: pageId, name: 'home', version: 'v2', body: 'of v2' })
    await site.endpoint({})
    site.flow.run = async (event): Promise<Planned> => {
      const service = site.experience.replies.service({
        ...{ scope: event.scope, globals: {}, application: { id: '', name: '' } },
        flow: { id: '', name: '', version: '' },
      })
      const page: Reply = { body: { kind: 'page', pageId, data: {} }, headers: [], cookies: [] }
      const send = async (experienceVersion: string) =>
        service.send(event.replyId, page, { payload: {}, experienceVersion })
      await expect(send('develop')).rejects.toMatchObject({ code: 'view.missing' })
      await expect(send('gone')).rejects.toMatchObject({ code: 'view.missing' })
      await send('v2')
      return 'silent'
    }
    expect((await site.ask('/')).body).toBe('of v2')
  })
})

test('an experience flow shows the pages of the version that was asked, whatever its nodes name', async () => {
  await site.app.collection('experienceVersions').insert({ version: 'v2', endpointDefaultCors: true, globals: [] })
  await site.view({ id: pageId, name: 'home', body: 'of develop' })
  await site.endpoint({})
  site.flow.run = async (event): Promise<Planned> => {
    const service = site.experience.replies.service({
      ...{ scope: event.scope, globals: {}, application: { id: '', name: '' } },
      ...{ flow: { id: '', name: '', version: '' }, ofExperience: true },
    })
    const page: Reply = { body: { kind: 'page', pageId, data: {} }, headers: [], cookies: [] }
    await service.send(event.replyId, page, { payload: {}, experienceVersion: 'v2' })
    return 'silent'
  }
  expect((await site.ask('/')).body).toBe('of develop')
})

describe('replies without a flow', () => {
  const login = '/login?redirect={{encodeURIComponent request.path}}'

  test('a static page is sent at once; flows run and their replies are ignored', async () => {
    await site.view({ id: pageId, name: 'login', body: 'Log in {{globals.brand}}{{flow.name}}' })
    await site.endpoint({ route: '/login', staticReply: { type: 'page', value: pageId } })
    site.flow.run = () => ({ body: custom('ignored') })
    expect(await site.ask('/login')).toMatchObject({ status: 200, body: 'Log in Application' })
    expect(site.events).toHaveLength(1)
  })

  test('a page without a flow has data that is empty, and no flow', async () => {
    await site.view({ id: pageId, name: 'bare', body: '{{jsonEncode pageData}}[{{jsonEncode flow}}]' })
    await site.endpoint({ route: '/a', staticReply: { type: 'page', value: pageId } })
    await site.endpoint({
      ...{ route: '/b', access: 'authenticated' },
      unauthorizedReply: { type: 'page', value: pageId, statusCode: 200 },
    })
    await site.settings({ notFoundReply: { type: 'page', value: pageId, statusCode: 410 } })
    expect(await site.ask('/a')).toMatchObject({ status: 200, body: '{}[]' })
    expect(await site.ask('/b')).toMatchObject({ status: 200, body: '{}[]' })
    expect(await site.ask('/c')).toMatchObject({ status: 410, body: '{}[]' })
  })

  test('a static redirect', async () => {
    await site.endpoint({
      route: '/old',
      staticReply: { type: 'redirect', value: '/new?{{request.query.a}}', statusCode: 301 },
    })
    expect(await site.ask('/old?a=x y'.replace(' ', '%20'))).toMatchObject({
      status: 301,
      headers: { location: '/new?x%20y' },
    })
  })

  test('an unauthorized reply of the endpoint, of the version, or the default', async () => {
    await site.view({ id: pageId, name: 'denied', body: 'Denied' })
    await site.endpoint({ route: '/a', access: 'authenticated', unauthorizedReply: { type: 'redirect', value: login } })
    await site.endpoint({ route: '/b', access: 'group' })
    expect(await site.ask('/a')).toMatchObject({ status: 302, headers: { location: '/login?redirect=%2Fa' } })
    expect((await site.ask('/b')).json()).toMatchObject({ type: 'Unauthorized' })
    await site.settings({ unauthorizedReply: { type: 'page', value: pageId } })
    expect(await site.ask('/a')).toMatchObject({ status: 302 })
    expect(await site.ask('/b')).toMatchObject({ status: 401, body: 'Denied' })
    const headers = { authorization: `Bearer ${tokenOf('acme')}` }
    expect(await site.ask('/b', { headers })).toMatchObject({ status: 403, body: 'Denied' })
    await site.settings({ unauthorizedReply: { type: 'page', value: pageId, statusCode: 418 } })
    expect(await site.ask('/b')).toMatchObject({ status: 418 })
  })

  test('a not-found reply of the version', async () => {
    await site.view({ id: pageId, name: 'lost', body: 'Lost {{request.path}}' })
    await site.settings({ notFoundReply: { type: 'page', value: pageId } })
    expect(await site.ask('/x')).toMatchObject({ status: 404, body: 'Lost /x' })
  })

  test('a static reply that cannot be made is a 500 with its reason', async () => {
    await site.endpoint({ route: '/a', staticReply: { type: 'page', value: 'gone' } })
    await site.endpoint({ route: '/b', staticReply: { type: 'redirect', value: '{{#if}}' } })
    for (const path of ['/a', '/b']) {
      const answer = await site.ask(path)
      expect([answer.status, answer.json()]).toMatchObject([
        500,
        { type: expect.any(String), message: expect.any(String) },
      ])
    }
  })
})

describe('CORS', () => {
  const headers = {
    origin: 'https://app.example',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization, x-a',
  }
  test('a preflight is answered without a flow', async () => {
    await site.endpoint({ route: '/x', method: 'put' })
    const answer = await site.ask('/x', { method: 'OPTIONS', headers })
    expect(answer).toMatchObject({ status: 204, body: '' })
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': expect.stringContaining('PUT'),
      'access-control-allow-headers': 'authorization, x-a',
      'access-control-max-age': '86400',
    })
    expect(site.events).toEqual([])
  })

  test('only listed origins are let in, and caches are told', async () => {
    await site.settings({ allowedCorsOrigins: ['https://app.example'] })
    await site.endpoint({})
    expect((await site.ask('/', { headers })).headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-expose-headers': '*',
      vary: 'Origin',
    })
    for (const origin of ['https://evil.example', 'https://app.example.evil', 'null']) {
      const answer = await site.ask('/', { headers: { origin } })
      expect([answer.headers['access-control-allow-origin'], answer.headers.vary]).toEqual([undefined, 'Origin'])
    }
  })

  test('an endpoint of its own for OPTIONS comes first', async () => {
    await site.endpoint({ route: '/x', method: 'options' })
    site.flow.run = () => ({ body: custom('own') })
    expect((await site.ask('/x', { method: 'OPTIONS', headers })).body).toBe('own')
  })

  test('switched off, nothing is added and OPTIONS is a request like others', async () => {
    await site.settings({ endpointDefaultCors: false })
    await site.endpoint({})
    expect((await site.ask('/', { headers })).headers).not.toHaveProperty('access-control-allow-origin')
    expect((await site.ask('/', { method: 'OPTIONS', headers })).status).toBe(404)
  })

  test('errors can be read from elsewhere too', async () => {
    expect((await site.ask('/nowhere', { headers })).headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': '*',
    })
  })
})

describe('headers and cookies of a reply', () => {
  test.each([
    ['a header', { headers: [['x-a', 'x'.repeat(20_000)]] }],
    ['many cookies', { cookies: Array.from({ length: 10 }, (_, i) => ({ name: `c${i}`, value: 'x'.repeat(3_000) })) }],
    ['a redirect', { body: { kind: 'redirect', location: `/${'x'.repeat(20_000)}` } }],
  ] as [string, Partial<Reply>][])('%s that clients would break off at fails the run', async (_, planned) => {
    const answer = await replyWith({ body: custom('x'), ...planned })
    expect([answer.status, answer.json()]).toMatchObject([
      500,
      { message: expect.stringContaining('bytes of headers') },
    ])
  })
})
