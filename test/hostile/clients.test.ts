import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { clientOf } from '../helpers/client.ts'
import { expectClean, openWorld, reply, type World } from './world.ts'

const HOST = 'Host: hostile.localhost\r\n'
const END = 'Connection: close\r\n\r\n'

let world: World
beforeAll(async () => {
  world = await openWorld({ requestTimeoutMs: 1_000 })
  await world.hostile.serve('/echo', [reply('{{jsonEncode data}}')], { method: 'post' })
  await world.hostile.serve('/echo', [reply('{{jsonEncode data}}')])
})
afterAll(() => world.close())
afterEach(() => expect(world.logged()).toEqual([]))

/** Sends bytes while the other application is asked. */
async function send(bytes: string): Promise<{ status: number; head: string; text: string }> {
  const { result } = await world.meanwhile(() => world.raw(bytes))
  const [head = '', ...rest] = result.split('\r\n\r\n')
  const text = rest.join('\r\n\r\n')
  expectClean({ text, headers: { head } as never }, world)
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head, text }
}

describe('where a request is meant to go', () => {
  test.each([
    ['an unknown host', 'nobody.localhost'],
    ['markup', 'hostile.localhost<script>'],
    ['a user before it', 'x@hostile.localhost'],
    ['a path behind it', 'hostile.localhost/../'],
    ['a port that is none', 'hostile.localhost:99999999'],
    ['letters beyond ASCII', 'h\xf6stile.localhost'],
    ['a blank inside', 'hostile .localhost'],
    ['a name below that of another application', 'x.innocent.localhost'],
    ['a name that looks like an address of this machine', '127.evil.example'],
    ['the id of no application', `${'c'.repeat(24)}.localhost`],
  ])('host with %s: 404', async (_, host) => {
    const { status, text } = await send(`GET /hello HTTP/1.1\r\nHost: ${host}\r\n${END}`)
    expect([status, JSON.parse(text)]).toMatchObject([404, { type: 'NotFound', message: expect.any(String) }])
    expect(text).not.toContain('<')
  })

  test('two Host headers: 404, whichever is meant', async () => {
    for (const [one, two] of [
      ['hostile', 'innocent'],
      ['innocent', 'hostile'],
    ]) {
      const hosts = `Host: ${one}.localhost\r\nHost: ${two}.localhost\r\n`
      expect(await send(`GET /hello HTTP/1.1\r\n${hosts}${END}`)).toMatchObject({ status: 404 })
    }
  })

  test('no Host header: 400', async () => {
    expect(await send(`GET /hello HTTP/1.1\r\n${END}`)).toMatchObject({ status: 400 })
  })

  test('a whole URL as target opens what the Host header names', async () => {
    const target = 'http://innocent.localhost/echo?a=1'
    const { status, text } = await send(`GET ${target} HTTP/1.1\r\n${HOST}${END}`)
    expect([status, JSON.parse(text)]).toMatchObject([200, { path: '/echo', query: { a: '1' } }])
    expect(JSON.parse(text).headers.host).toBe('hostile.localhost')
  })

  test.each(['file:///etc/passwd', '*', 'javascript:alert(1)'])('the target %s: 400', async (target) => {
    expect(await send(`OPTIONS ${target} HTTP/1.1\r\n${HOST}${END}`)).toMatchObject({ status: 400 })
  })

  test.each(['/nothing', '/../../etc/passwd', '/echo%00', '/ECHO', '/echo;x', `/${'a/'.repeat(3_000)}`])(
    'the unknown route %s: 404',
    async (path) => {
      const { status, text } = await send(`GET ${path} HTTP/1.1\r\n${HOST}${END}`)
      expect([status, text]).toEqual([404, '{"error":"No endpoint found for route"}'])
    },
  )

  test.each(['/echo%zz', '/echo%ff%fe', '/%', `/_files/${'b'.repeat(24)}/%zz`])(
    'the broken encoding %s: 400',
    async (path) => {
      const { status, text } = await send(`GET ${path} HTTP/1.1\r\n${HOST}${END}`)
      expect([status, JSON.parse(text)]).toMatchObject([400, { type: 'Validation' }])
    },
  )

  test.each(['DELETE', 'TRACE', 'OPTIONS', 'PROPFIND'])('the method %s: 404, and nothing is echoed', async (method) => {
    const { status, text } = await send(`${method} /echo HTTP/1.1\r\n${HOST}Cookie: a=hush\r\n${END}`)
    expect([status, text]).toEqual([404, '{"error":"No endpoint found for route"}'])
  })

  test('HEAD is GET without a body', async () => {
    const { status, head, text } = await send(`HEAD /echo HTTP/1.1\r\n${HOST}${END}`)
    expect([status, text, /content-length: [1-9]/.test(head)]).toEqual([200, '', true])
  })

  test('CONNECT makes no tunnel', async () => {
    expect((await send(`CONNECT innocent.localhost:80 HTTP/1.1\r\n${HOST}${END}`)).head).toBe('')
  })

  test('an upgrade to a websocket is a request like any other', async () => {
    const upgrade = 'Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n'
    const { status, head } = await send(`GET /echo HTTP/1.1\r\n${HOST}${upgrade}`)
    expect([status, /\nupgrade:/i.test(head)]).toEqual([200, false])
  })
})

describe('what cannot be told apart is not taken apart', () => {
  test.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'hello1'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
    ['chunks that are not last', 'Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'],
    ['an encoding that looks like chunks', 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'],
    ['a chunk of no size', 'Transfer-Encoding: chunked\r\n', 'zz\r\nhello\r\n0\r\n\r\n'],
    ['a length below nothing', 'Content-Length: -5\r\n', ''],
    ['a length in words', 'Content-Length: five\r\n', 'hello'],
    ['a blank before the colon', 'X-A : b\r\n', ''],
    ['a folded header', 'X-A: b\r\n c\r\n', ''],
    ['a header without a name', ': b\r\n', ''],
  ])('%s: 400, and the connection is over', async (_, headers, body) => {
    const next = `GET /echo?smuggled HTTP/1.1\r\n${HOST}${END}`
    const { status, text } = await send(`POST /echo HTTP/1.1\r\n${HOST}${headers}\r\n${body}${next}`)
    expect([status, text]).toEqual([400, ''])
  })

  test('lines that end without a carriage return: 400', async () => {
    expect(await send(`GET /echo HTTP/1.1\n${HOST}Connection: close\n\n`)).toMatchObject({ status: 400 })
  })

  test('what is not HTTP: 400', async () => {
    expect(await send(`\x16\x03\x01\x02\x00\x01\x00${'x'.repeat(300)}`)).toMatchObject({ status: 400 })
  })

  test('pipelined requests are answered in order, each by its own host', async () => {
    const first = `GET /echo?1 HTTP/1.1\r\n${HOST}\r\n`
    const second = 'GET /echo HTTP/1.1\r\nHost: innocent.localhost\r\n\r\n'
    const third = `GET /hello?name=3 HTTP/1.1\r\nHost: innocent.localhost\r\n${END}`
    const answers = (await world.raw(first + second + third)).split('HTTP/1.1 ').slice(1)
    expect(answers.map((one) => one.slice(0, 3))).toEqual(['200', '404', '200'])
    expect(answers[2]).toMatch(/Hello 3$/)
  })
})

describe('headers', () => {
  test.each([
    ['one of 100 KB', `X-A: ${'a'.repeat(100_000)}\r\n`],
    ['3,000 of them', Array.from({ length: 3_000 }, (_, i) => `x-${i}: ${'1'.repeat(10)}\r\n`).join('')],
  ])('%s: 431', async (_, headers) => {
    expect(await send(`GET /echo HTTP/1.1\r\n${HOST}${headers}${END}`)).toMatchObject({ status: 431 })
  })

  test('names that objects have from elsewhere are names like any other, or none', async () => {
    const names = '__proto__: 1\r\nconstructor: 2\r\nhasOwnProperty: 3\r\n'
    const cookie = 'Cookie: =; ;;a;b=%zz; __proto__=1; constructor=2; c="x"; =d\r\n'
    const path = '/echo?a=%ff&__proto__=1&__proto__[x]=2&constructor[prototype][x]=1&a[__proto__]=3'
    const { status, text } = await send(`GET ${path} HTTP/1.1\r\n${HOST}${names}${cookie}${END}`)
    const { headers, cookies, query } = JSON.parse(text)
    expect([status, headers.constructor, cookies.constructor, cookies.b]).toEqual([200, '2', '2', '%zz'])
    expect(query).not.toHaveProperty('x')
    expect(text).not.toContain('__proto__"')
    expect({}).not.toHaveProperty('x')
  })

  test('what a client says of itself is not believed', async () => {
    const headers = 'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: innocent.localhost\r\n'
    const { text } = await send(`GET /echo HTTP/1.1\r\n${HOST}${headers}${END}`)
    expect(JSON.parse(text).headers).toMatchObject({ host: 'hostile.localhost', 'x-forwarded-proto': 'http' })
    expect(text).not.toMatch(/1\.2\.3\.4|innocent/)
  })
})

describe('bodies', () => {
  const json = { 'content-type': 'application/json' }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const multipart = { 'content-type': 'multipart/form-data; boundary=x' }
  const part = (name: string) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nh\r\n`
  const manyKeys = Array.from({ length: 240_000 }, (_, n) => [`k${n}`, 1])
  const deep = (open: string, close: string) => `${open.repeat(500_000)}1${close.repeat(500_000)}`
  const cases: [name: string, status: number, headers: Record<string, string>, body: string | Uint8Array][] = [
    ['6 MB', 413, json, 'x'.repeat(6_000_000)],
    ['60 MB', 413, json, 'x'.repeat(60_000_000)],
    ['a bomb in gzip', 413, { ...json, 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(50_000_000))],
    ['a bomb in Brotli', 413, { ...json, 'content-encoding': 'br' }, brotliCompressSync(Buffer.alloc(50_000_000))],
    ['gzip that is none', 400, { ...json, 'content-encoding': 'gzip' }, 'abc'],
    ['an unknown packing', 415, { ...json, 'content-encoding': 'constructor' }, 'abc'],
    ['an unknown charset', 415, { 'content-type': 'application/json; charset=nope' }, '{}'],
    ['JSON that breaks off', 400, json, '{"a":'],
    ['lists in lists', 400, json, deep('[', ']')],
    ['objects in objects', 400, json, deep('{"a":', '}')],
    ['more values than anyone reads', 400, json, `[${'1,'.repeat(600_000)}1]`],
    ['more different keys than anyone reads', 400, json, JSON.stringify(Object.fromEntries(manyKeys))],
    ['a prototype', 400, json, '{"a":[{"\\u005f_proto__":{"polluted":1}}]}'],
    ['multipart without a boundary', 400, { 'content-type': 'multipart/form-data' }, 'x'],
    ['multipart that breaks off', 400, multipart, part('a').slice(0, -4)],
    ['multipart that is none', 400, multipart, 'nothing at all'],
    ['5,000 parts', 400, multipart, `${part('a').repeat(5_000)}--x--\r\n`],
    ['100,000 fields', 400, form, 'a=1&'.repeat(100_000)],
  ]
  test.each(cases)('%s: %i', async (_, status, headers, body) => {
    const ask = () => world.hostile.client.send({ method: 'POST', path: '/echo', headers, body })
    const { result } = await world.meanwhile(ask)
    expect([result.status, JSON.parse(result.text)]).toMatchObject([status, { message: expect.any(String) }])
    expect(result.text.length).toBeLessThan(500)
    expectClean(result, world)
  })

  test('chunks without an end in sight: 413, and the connection is over', async () => {
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const head = `POST /echo HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`
    const { status, head: answered } = await send(head + chunk.repeat(250))
    expect([status, /connection: close/i.test(answered)]).toEqual([413, true])
  })

  test('names that reach a prototype are dropped from forms', async () => {
    const body = '__proto__[polluted]=1&a[__proto__][polluted]=1&a[constructor][prototype][polluted]=1&b=2'
    for (const [headers, text] of [
      [form, body],
      [
        multipart,
        `${body
          .split('&')
          .map((one) => part(one.split('=')[0]!))
          .join('')}--x--\r\n`,
      ],
    ] as const) {
      const answer = await world.hostile.client.send({ method: 'POST', path: '/echo', headers, body: text })
      expect([answer.status, Object.keys(JSON.parse(answer.text).body)]).toMatchObject([
        200,
        expect.arrayContaining(['b']),
      ])
      expect(answer.text).not.toMatch(/__proto__(?!%|\[|\\)/)
    }
    expect({}).not.toHaveProperty('polluted')
  })

  test('a body that never ends is not waited for', async () => {
    const head = `POST /echo HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\n`
    expect(await send(`${head}only this`)).toMatchObject({ status: 408 })
  })

  test('headers that never end are not waited for', async () => {
    expect(await send(`GET /echo HTTP/1.1\r\n${HOST}X-A: `)).toMatchObject({ status: 408 })
  })

  test('many that dawdle at once keep nobody else from an answer', async () => {
    const head = `POST /echo HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\nx`
    const { result, innocentAnswers } = await world.meanwhile(() =>
      Promise.all(Array.from({ length: 300 }, () => world.raw(head))),
    )
    expect(new Set(result.map((one) => one.slice(9, 12)))).toEqual(new Set(['408']))
    expect(innocentAnswers).toBeGreaterThan(10)
  })
})

test('the admin host answers by its own names alone', async () => {
  const names = ['localhost', '127.0.0.1']
  for (const name of names) expect((await clientOf(world.running.port, name).get('/healthz')).status).toBe(200)
  for (const name of ['127.evil.example', 'localhost.evil.example', 'hostile.localhost']) {
    expect((await clientOf(world.running.port, name).get('/healthz')).status).toBe(404)
  }
})
