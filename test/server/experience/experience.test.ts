import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { addApplication, endpointOf, openSite, reply, type Site } from './site.ts'

let site: Site
beforeEach(async () => {
  site = await openSite()
})

const json = { 'content-type': 'application/json' }

describe('the way of a request', () => {
  test('a flow gets the request whole and its reply is sent', async () => {
    const endpoint = await site.endpoint({ method: 'post', route: '/api/{id}', endpointTags: { role: 'editor' } })
    const { status, headers, body } = await site.ask('/api/7?a=1&a=2&b[c]=x', {
      method: 'POST',
      headers: { ...json, cookie: 'theme=dark; other=%20x', 'X-Test': 'Yes' },
      body: '{"name":"pump","list":[1,{"x":null}]}',
    })
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json' })
    expect(JSON.parse(body)).toEqual({
      path: '/api/7',
      method: 'post',
      params: { id: '7' },
      query: { a: ['1', '2'], b: { c: 'x' } },
      headers: expect.objectContaining({
        host: 'shop.localhost',
        'x-test': 'Yes',
        'x-forwarded-proto': 'http',
        'x-forwarded-for': '127.0.0.1',
      }),
      cookies: { theme: 'dark', other: ' x' },
      body: { name: 'pump', list: [1, { x: null }] },
      replyId: expect.stringMatching(new RegExp(`^${endpoint.id}\\..{20,}`)),
    })
    expect(site.events).toMatchObject([
      {
        scope: site.scope,
        version: 'develop',
        endpoint: { id: endpoint.id },
        experience: { version: 'develop', user: null, authInfo: null, endpoint: { endpointTags: { role: 'editor' } } },
        relay: { type: 'public', id: '0'.repeat(24) },
      },
    ])
  })

  test('what a flow writes into its payload reaches neither the page nor the next request', async () => {
    await site.view({
      id: 'b'.repeat(24),
      name: 'page',
      body: '{{request.query.q}} {{experience.endpoint.endpointTags.role}}',
    })
    await site.endpoint({ endpointTags: { role: 'editor' } })
    site.flow.run = ({ data, experience }) => {
      Object.assign(data.query as object, { q: 'changed' })
      Object.assign((experience.endpoint as { endpointTags: object }).endpointTags, { role: 'changed' })
      return { body: { kind: 'page', pageId: 'b'.repeat(24), data: {} } }
    }
    expect((await site.ask('/?q=asked')).body).toBe('asked editor')
    expect((await site.ask('/?q=asked')).body).toBe('asked editor')
  })

  test('the first reply wins, later ones and replies to unknown ids do nothing', async () => {
    await site.endpoint({})
    site.flow.run = async (event) => {
      const service = site.experience.replies.service({
        ...{ scope: event.scope, globals: {}, application: { id: '', name: '' } },
        flow: { id: '', name: '', version: '' },
      })
      const send = (replyId: string, body: string) =>
        service.send(replyId, { body: { kind: 'custom', body }, headers: [], cookies: [] }, { payload: {} })
      await send('unknown', 'no')
      await send(event.replyId, 'first')
      await send(event.replyId, 'second')
      return { body: { kind: 'custom', body: 'third' } }
    }
    expect((await site.ask('/')).body).toBe('first')
  })

  test('another application cannot answer, even with the right reply id', async () => {
    const foreign = { tenant: 'other', application: 'c'.repeat(24) }
    await site.endpoint({})
    site.flow.run = async (event) => {
      const service = site.experience.replies.service({
        ...{ scope: foreign, globals: {}, application: { id: '', name: '' } },
        flow: { id: '', name: '', version: '' },
      })
      const reply = { body: { kind: 'custom', body: 'stolen' }, headers: [], cookies: [] } as const
      await service.send(event.replyId, { ...reply, headers: [], cookies: [] }, { payload: {} })
      site.experience.replies.fail(foreign, event.replyId, { message: 'stolen' })
      return { body: { kind: 'custom', body: 'mine' } }
    }
    expect((await site.ask('/')).body).toBe('mine')
  })

  test('a change of the definitions is seen by the next request', async () => {
    expect((await site.ask('/new')).status).toBe(404)
    const endpoint = await site.endpoint({ route: '/new' })
    expect((await site.ask('/new')).status).toBe(200)
    await site.app.collection('endpoints').update(endpoint.id, { enabled: false })
    expect((await site.ask('/new')).status).toBe(404)
  })

  test('a disabled endpoint leaves its requests to the next best route', async () => {
    await site.endpoint({ route: '/x', enabled: false })
    await site.endpoint({ route: '/{any*}' })
    expect((await site.ask('/x')).json()).toMatchObject({ params: { any: 'x' } })
  })

  test.each([
    ['a=%zz; b', { a: '%zz' }],
    ['=x;;; ;a=1;a=2', { '': 'x', a: '1' }],
    ['__proto__=x; constructor=y', { constructor: 'y' }],
    [' x', {}],
  ])('the cookie header %j is read as %j', async (cookie, cookies) => {
    await site.endpoint({})
    const answer = await site.ask('/', { headers: { cookie } })
    expect(answer.status).toBe(200)
    expect((answer.json() as { cookies: object }).cookies).toEqual(cookies)
  })

  test('HEAD gets the headers of GET and no body', async () => {
    await site.endpoint({})
    const head = await site.ask('/', { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, body: '' })
    expect(Number(head.headers['content-length'])).toBeGreaterThan(10)
  })

  test('every answer has a request id of its own', async () => {
    await site.endpoint({})
    const answers = [await site.ask('/'), await site.ask('/nowhere'), await site.ask('/', { host: 'nobody.localhost' })]
    const ids = answers.map((one) => one.headers['x-request-id'])
    expect(new Set(ids).size).toBe(3)
    expect(ids).not.toContain(undefined)
  })
})

describe('bodies', () => {
  beforeEach(async () => {
    await site.endpoint({ method: 'post', route: '/' })
  })
  const multipart = [
    '--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nHi\r\n',
    '--B\r\nContent-Disposition: form-data; name="tag[a]"\r\n\r\n1\r\n',
    '--B\r\nContent-Disposition: form-data; name="tag[a]"\r\n\r\n2\r\n',
    '--B\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--B--\r\n',
  ].join('')
  const bodies: [name: string, type: string | undefined, body: string | undefined, parsed: unknown][] = [
    ['no body', undefined, undefined, null],
    ['an empty body', 'application/json', '', null],
    ['JSON', 'application/json; charset=utf-8', '[1,"é"]', [1, 'é']],
    ['a JSON scalar', 'application/json', '"x"', 'x'],
    [
      'a form',
      'application/x-www-form-urlencoded',
      'a=1&b=x+y&b=%C3%A9&c[d][e]=2',
      { a: '1', b: ['x y', 'é'], c: { d: { e: '2' } } },
    ],
    [
      'a form that reaches for a prototype',
      'application/x-www-form-urlencoded',
      '__proto__[x]=1&constructor[prototype][x]=1&a=1',
      { a: '1' },
    ],
    ['text', 'text/plain', '{"a":1}', '{"a":1}'],
    ['text of an unnamed type', undefined, 'hello', 'hello'],
    ['Latin-1 text', 'text/plain; charset=iso-8859-1', 'x', 'x'],
    [
      'multipart',
      'multipart/form-data; boundary=B',
      multipart,
      { title: 'Hi', tag: { a: ['1', '2'] }, photo: { filename: 'p.png', contentType: 'image/png', data: 'UE5H' } },
    ],
  ]
  test.each(bodies)('%s', async (_, type, body, parsed) => {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
    const answer = await site.ask('/', { method: 'POST', headers, body })
    expect(answer.json()).toMatchObject({ body: parsed })
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })

  const form = 'application/x-www-form-urlencoded'
  const bad: [name: string, type: string, body: string, status: number, message: RegExp][] = [
    ['malformed JSON', 'application/json', '{"a":', 400, /JSON.*end/],
    ['JSON with a key __proto__', 'application/json', '{"a":{"__proto__":{"x":1}}}', 400, /__proto__/],
    ['JSON nested too deep', 'application/json', '['.repeat(5000) + ']'.repeat(5000), 400, /100 levels/],
    ['a form of too many keys', form, Array.from({ length: 1200 }, (_, i) => `k${i}=1`).join('&'), 400, /1000/],
    ['a form with a huge index', form, 'a[999999999]=1', 400, /1000/],
    ['multipart without a boundary', 'multipart/form-data', multipart, 400, /[Bb]oundary/],
    ['multipart that breaks off', 'multipart/form-data; boundary=B', multipart.slice(0, -20), 400, /multipart/],
    ['multipart with another boundary', 'multipart/form-data; boundary=X', multipart, 400, /multipart/],
    ['an unknown charset', 'text/plain; charset=klingon', 'x', 415, /klingon/],
    ['too large', 'text/plain', 'x'.repeat(5_000_001), 413, /5000000 bytes/],
    ['far too large', 'text/plain', 'x'.repeat(14_000_000), 413, /5000000 bytes/],
  ]
  test.each(bad)('%s is refused, no flow runs, and the server goes on', async (_, type, body, status, message) => {
    const asked = { method: 'POST', headers: { 'content-type': type }, body }
    // The server may close the connection on a sender that does not stop.
    const answer = await site.ask('/', asked).catch((error: NodeJS.ErrnoException) => error)
    if ('status' in answer) {
      expect(answer.status).toBe(status)
      expect(answer.json()).toEqual({ type: expect.any(String), message: expect.stringMatching(message) })
    } else {
      expect([answer.code, body.length > 11_000_000]).toEqual([expect.stringMatching(/ECONNRESET|EPIPE/), true])
    }
    expect(site.events).toEqual([])
    expect((await site.ask('/', { method: 'POST', headers: json, body: '1' })).json()).toMatchObject({ body: 1 })
  })

  test('a packed body is unpacked, and a bomb is refused', async () => {
    const ask = (body: Buffer) =>
      site.ask('/', { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body })
    expect((await ask(gzipSync('{"a":1}'))).json()).toMatchObject({ body: { a: 1 } })
    expect((await ask(gzipSync('x'.repeat(50_000_000)))).status).toBe(413)
    expect((await ask(Buffer.from('not gzip'))).status).toBe(400)
    const unknown = { method: 'POST', headers: { ...json, 'content-encoding': 'x-zip' }, body: '1' }
    expect((await site.ask('/', unknown)).status).toBe(415)
  })

  test('a client that leaves in the middle of its body stops nothing', async () => {
    await site.raw('POST / HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: 50\r\n\r\nab', { leave: true })
    expect((await site.ask('/', { method: 'POST', headers: json, body: '1' })).status).toBe(200)
    expect(site.events).toHaveLength(1)
    expect(site.logged).toEqual([])
  })

  test('a client that leaves while it waits is forgotten', async () => {
    const fired = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<'silent'>()
    site = await openSite({ limits: { waitingPerApplication: 1 } })
    await site.endpoint({ method: 'post', route: '/' })
    site.flow.run = () => {
      fired.resolve()
      return gate.promise
    }
    const gone = site.raw('POST / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n', { leave: true })
    await Promise.race([gone, fired.promise])
    site.flow.run = () => ({ body: { kind: 'custom', body: 'next' } })
    await expect.poll(async () => (await site.ask('/', { method: 'POST' })).body).toBe('next')
  })
})

describe('requests that lead nowhere', () => {
  test.each(['nobody.localhost', 'localhost', 'shop', 'evil.example', '1.2.3.4', 'shop.localhost.evil.example'])(
    'the host %s gets a JSON 404',
    async (host) => {
      await site.endpoint({})
      const answer = await site.ask('/', { host })
      expect([answer.status, answer.json()]).toEqual([404, { type: 'NotFound', message: expect.any(String) }])
      expect(site.events).toEqual([])
    },
  )

  test('a host that points at no version gets 404', async () => {
    await site.endpoint({})
    await site.store.hosts.put({ name: 'shop', scope: site.scope })
    expect((await site.ask('/')).status).toBe(404)
    await site.store.hosts.put({ name: 'shop', scope: site.scope, version: 'gone' })
    expect((await site.ask('/')).status).toBe(404)
    await site.store.hosts.put({ name: 'shop', scope: site.scope, version: 'develop' })
    expect((await site.ask('/')).status).toBe(200)
  })

  test('an unknown route and a wrong method get the documented 404; only "any endpoint" triggers hear of it', async () => {
    await site.endpoint({ method: 'post', route: '/x' })
    for (const asked of [await site.ask('/y'), await site.ask('/x'), await site.ask('/x', { method: 'PUT' })]) {
      expect([asked.status, asked.body]).toEqual([404, '{"error":"No endpoint found for route"}'])
    }
    expect(site.events).toHaveLength(3)
    for (const event of site.events) {
      expect(event.endpoint).toBeUndefined()
      expect(event.experience).not.toHaveProperty('endpoint')
    }
  })

  test.each(['/%', '/%E0%A4%A', '/a/%zz/b'])('a path that cannot be decoded gets 400: %s', async (path) => {
    await site.endpoint({ route: '/{any*}' })
    const answer = await site.ask(path)
    expect([answer.status, answer.json()]).toEqual([400, { type: 'Validation', message: expect.stringContaining('%') }])
    expect(site.events).toEqual([])
  })

  test.each([
    'GET / HTTP/1.1\r\nhost: shop.localhost\r\nhost: evil\r\nconnection: close\r\n\r\n',
    'GET / HTTP/1.1\r\nconnection: close\r\n\r\n',
    'GET http://shop.localhost/ok?x=1 HTTP/1.1\r\nhost: nobody.localhost\r\nconnection: close\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: shop.localhost\r\nx\x00y: z\r\nconnection: close\r\n\r\n',
    'GARBAGE\r\n\r\n',
  ])('a hostile request gets a client error and the server goes on: %j', async (bytes) => {
    await site.endpoint({ route: '/{any*}' })
    expect(await site.raw(bytes)).toMatch(/^HTTP\/1\.1 4\d\d/)
    expect(site.events).toEqual([])
    expect((await site.ask('/ok')).status).toBe(200)
  })

  test('a whole URL in the request line is read as its path', async () => {
    await site.endpoint({ route: '/ok' })
    const answer = await site.raw('GET http://x/ok?x=1 HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n\r\n')
    expect(answer).toContain('"path":"/ok"')
  })

  test('without a flow the answer is 504 at once, and it is logged', async () => {
    await site.endpoint({})
    site.flow.run = () => undefined
    const answer = await site.ask('/')
    expect([answer.status, answer.json()]).toEqual([504, { type: 'Timeout', message: expect.stringContaining('flow') }])
    expect(site.logged).toMatchObject([{ msg: 'no flow listens to the endpoint' }])
  })

  test('without a reply the answer is 504 after the time allowed; a late reply does nothing', async () => {
    site = await openSite({ limits: { replyTimeoutMs: 50 } })
    await site.endpoint({})
    site.flow.run = () => 'silent'
    const answer = await site.ask('/')
    expect([answer.status, answer.json()]).toEqual([
      504,
      { type: 'Timeout', message: 'Expected a reply within 0.05 seconds, but no flow sent one' },
    ])
    expect(site.logged).toMatchObject([{ msg: 'no flow replied in time' }])
    await reply(site.experience, site.events[0]!, { body: { kind: 'custom', body: 'late' } })
  })

  test('more waiting requests than allowed get 503 and those that wait are still answered', async () => {
    site = await openSite({ limits: { waitingPerApplication: 2 } })
    await site.endpoint({})
    const gate = Promise.withResolvers<{ body: { kind: 'custom'; body: string } }>()
    const both = Promise.withResolvers<void>()
    site.flow.run = () => {
      if (site.events.length === 2) both.resolve()
      return gate.promise
    }
    const waiting = [site.ask('/'), site.ask('/')]
    await both.promise
    expect(await site.ask('/')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    gate.resolve({ body: { kind: 'custom', body: 'ok' } })
    expect((await Promise.all(waiting)).map((one) => one.body)).toEqual(['ok', 'ok'])
    expect((await site.ask('/')).body).toBe('ok')
  })

  test('a failure of our own is logged whole and shown as nothing', async () => {
    site = await openSite({ fire: () => Promise.reject(new Error('database password is hunter2')) })
    await site.endpoint({})
    const answer = await site.ask('/')
    expect(answer.status).toBe(500)
    expect(answer.json()).toMatchObject({ type: 'InternalError', requestId: answer.headers['x-request-id'] })
    expect(answer.body).not.toContain('hunter2')
    expect(site.logged).toMatchObject([{ err: { message: 'database password is hunter2' } }])
  })

  test('a run that failed with nobody to hear it ends the request with 500', async () => {
    await site.endpoint({})
    site.flow.run = (event) => {
      site.experience.replies.fail(event.scope, event.replyId, { message: 'The value to loop over is not an array' })
      return 'silent'
    }
    const answer = await site.ask('/')
    expect([answer.status, answer.json()]).toEqual([
      500,
      { type: 'InternalError', message: 'The value to loop over is not an array' },
    ])
  })

  test('closing answers what still waits', async () => {
    await site.endpoint({})
    const fired = Promise.withResolvers<void>()
    site.flow.run = () => {
      fired.resolve()
      return 'silent'
    }
    const waiting = site.ask('/')
    await fired.promise
    await site.experience.close()
    expect(await waiting).toMatchObject({ status: 503 })
  })
})

describe('rate limit', () => {
  test('a host over its rate gets 429 with the time to wait; another host is served', async () => {
    site = await openSite({ limits: { requestsPerSecond: 1, burst: 3 } })
    await site.endpoint({})
    const other = await addApplication(site.store, { tenant: 'beta', application: 'b'.repeat(24) }, 'beta')
    await other.collection('endpoints').insert(endpointOf({}))
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await site.ask('/')).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    const refused = await site.ask('/')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(refused.json()).toMatchObject({ type: 'RateLimit' })
    expect((await site.ask('/', { host: 'beta.localhost' })).status).toBe(200)
    expect(site.events).toHaveLength(4)
  })
})

describe('proxies', () => {
  const forwarded = {
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '9.9.9.9, 203.0.113.7',
    'x-forwarded-host': 'shop.localhost',
  }
  test('what an unknown client says about itself is replaced', async () => {
    await site.endpoint({})
    const answer = await site.ask('/', { headers: forwarded })
    expect(answer.json()).toMatchObject({
      headers: { 'x-forwarded-proto': 'http', 'x-forwarded-for': '127.0.0.1', host: 'shop.localhost' },
    })
    expect(answer.headers).not.toHaveProperty('strict-transport-security')
    expect((await site.ask('/', { host: 'nobody.localhost', headers: forwarded })).status).toBe(404)
  })

  test.each([
    ['https://localhost', 'shop.localhost'],
    ['https://localhost:8443', 'shop.localhost:8443'],
  ])('with the public address %s a host is %s, whatever port a client asks for', async (publicUrl, host) => {
    site = await openSite({ publicUrl })
    await site.endpoint({})
    for (const asked of ['shop.localhost:6666', 'shop.localhost']) {
      expect((await site.ask('/', { host: asked })).json()).toMatchObject({ headers: { host } })
    }
  })

  test('a trusted proxy is believed', async () => {
    site = await openSite({ trustedProxies: ['127.0.0.0/8'] })
    await site.endpoint({})
    const answer = await site.ask('/', { host: 'inner.example', headers: forwarded })
    expect(answer.json()).toMatchObject({
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7', host: 'shop.localhost' },
    })
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000')
  })
})
