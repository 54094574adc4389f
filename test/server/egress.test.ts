import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { FlowError } from '../../engine/errors.ts'
import type { HttpRequest } from '../../nodes/services/http.ts'
import { type EgressOptions, openEgress } from '../../server/egress.ts'
import { testCert, testKey } from '../helpers/certificate.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let base: string
let port: number
const seen: { method?: string; url?: string; headers: IncomingMessage['headers']; body: string }[] = []
const opened: { close(): Promise<void> }[] = []

const handlers: Record<string, Handler> = {
  '/json': (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json', 'X-One': '1' }).end('{"a":1}'),
  '/missing': (_, response) => response.writeHead(404).end('no'),
  '/gzip': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('packed')),
  '/br': (_, response) => response.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync('packed')),
  '/not-gzip': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('plain'),
  '/bomb': (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100_000))),
  '/large': (_, response) => response.end(Buffer.alloc(100_000)),
  '/silent': () => undefined,
  '/proto': (_, response) => {
    response.socket!.end('HTTP/1.1 200 OK\r\n__proto__: a\r\n__proto__: b\r\ncontent-length: 2\r\n\r\nok')
  },
  '/loop': (_, response) => response.writeHead(302, { location: '/loop' }).end(),
  '/to-file': (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  '/to': (request, response) =>
    response.writeHead(307, { location: decodeURIComponent(request.url!.split('?')[1]!) }).end(),
  '/drip': (_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'), 10)
    response.on('close', () => clearInterval(timer))
  },
  '/cut': (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('x')
    response.socket!.end()
  },
  '/many-headers': (_, response) => {
    response.socket!.write(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(10_000)}\r\n`)
  },
  '/to-json': (_, response) => response.writeHead(302, { location: '/json' }).end('moved'),
  '/keep': (_, response) => response.writeHead(307, { location: '/json' }).end(),
  '/other': (_, response) => response.writeHead(307, { location: `http://other.test:${port}/json` }).end(),
  '/to-private': (_, response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/json` }).end(),
  '/to-private-name': (_, response) => response.writeHead(302, { location: `http://inside.test:${port}/json` }).end(),
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ method: request.method!, url: request.url!, headers: request.headers, body })
    handlers[request.url!.split('?')[0]!]!(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  base = `http://public.test:${port}`
})

afterEach(async () => {
  seen.length = 0
  await Promise.all(opened.splice(0).map((one) => one.close()))
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

// Every name is this machine. Only what the options allow may be reached.
const lookup = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
  callback(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as LookupFunction

function open(options: EgressOptions = { allowPrivate: ['public.test', 'other.test'] }) {
  const egress = openEgress({ lookup, ...options })
  opened.push(egress)
  return egress
}

function request(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    url,
    headers: {},
    timeoutMs: 10_000,
    followRedirects: true,
    verifyTls: true,
    signal: new AbortController().signal,
    ...more,
  }
}

async function codeOf(answer: Promise<unknown>): Promise<string> {
  const error = await answer.then(
    () => undefined,
    (failure: unknown) => failure,
  )
  expect(error).toBeInstanceOf(FlowError)
  return (error as FlowError).code
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('gives status, headers in lower case and the bytes of any answer', async () => {
  const answer = await open().send(request(`${base}/json?x=1`, { headers: { 'X-Two': '2' } }))
  expect({ ...answer, body: text(answer.body) }).toMatchObject({
    status: 200,
    headers: { 'x-one': '1' },
    body: '{"a":1}',
  })
  expect(seen[0]).toMatchObject({ method: 'GET', url: '/json?x=1', headers: { 'x-two': '2' } })
  expect((await open().send(request(`${base}/missing`))).status).toBe(404)
})

test('sends a body and the user name of a URL', async () => {
  await open().send(request(`http://ada:p%40ss@public.test:${port}/json`, { method: 'POST', body: 'hello' }))
  expect(seen[0]).toMatchObject({
    method: 'POST',
    body: 'hello',
    headers: { authorization: `Basic ${btoa('ada:p@ss')}` },
  })
})

test.each(['/gzip', '/br'])('unpacks the answer of %s', async (path) => {
  expect(text((await open().send(request(base + path))).body)).toBe('packed')
})

test('keeps a header named __proto__ an own name', async () => {
  const { headers, body } = await open().send(request(`${base}/proto`))
  expect(text(body)).toBe('ok')
  expect(Object.getPrototypeOf(headers)).toBe(Object.prototype)
  expect(({} as Record<string, unknown>).push).toBeUndefined()
})

test.each([
  ['nowhere', 'http.url'],
  ['/json', 'http.url'],
  ['file:///etc/passwd', 'http.url'],
  ['ftp://public.test/', 'http.url'],
  ['http://public.test:1/', 'http.failed'],
])('fails for %s with %s', async (url, code) => {
  expect(await codeOf(open().send(request(url)))).toBe(code)
})

test.each([
  ['/not-gzip', 'http.failed'],
  ['/bomb', 'http.too-large'],
  ['/large', 'http.too-large'],
  ['/loop', 'http.redirects'],
  ['/to-file', 'http.redirects'],
])('fails for the answer of %s with %s', async (path, code) => {
  const egress = open({ allowPrivate: ['public.test'], mostBytes: 50_000 })
  expect(await codeOf(egress.send(request(base + path)))).toBe(code)
})

test('follows at most ten redirects', async () => {
  await codeOf(open().send(request(`${base}/loop`)))
  expect(seen).toHaveLength(11)
})

test('refuses a header that would start a second request', async () => {
  expect(await codeOf(open().send(request(`${base}/json`, { headers: { a: 'b\r\nc: d' } })))).toBe('http.request')
  expect(await codeOf(open().send(request(`${base}/json`, { headers: { 'a b': 'c' } })))).toBe('http.request')
  expect(await codeOf(open().send(request(`${base}/json`, { method: 'GET /x' })))).toBe('http.request')
  expect(seen).toEqual([])
})

test('refuses certificates that are none', async () => {
  expect(await codeOf(open().send(request(`${base}/json`, { caCert: '-----BEGIN CERTIFICATE-----\nnope' })))).toBe(
    'http.request',
  )
  expect(await codeOf(open().send(request(`${base}/json`, { clientCert: { cert: 'x', key: 'y' } })))).toBe(
    'http.request',
  )
})

test('stops at the timeout, and with the reason of the signal', async () => {
  expect(await codeOf(open().send(request(`${base}/silent`, { timeoutMs: 20 })))).toBe('http.timeout')
  const controller = new AbortController()
  const answer = open().send(request(`${base}/silent`, { signal: controller.signal }))
  const reason = new Error('the run is over')
  controller.abort(reason)
  await expect(answer).rejects.toBe(reason)
})

test('gives the redirect itself when it is not to be followed', async () => {
  const answer = await open().send(request(`${base}/to-json`, { followRedirects: false }))
  expect(answer).toMatchObject({ status: 302, headers: { location: '/json' } })
  expect(seen).toHaveLength(1)
})

test('turns a POST into a GET where browsers do, and repeats it where they do', async () => {
  const post = { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/plain' } }
  await open().send(request(`${base}/to-json`, post))
  expect(seen[1]).toMatchObject({ method: 'GET', body: '' })
  expect(seen[1]!.headers['content-type']).toBeUndefined()
  await open().send(request(`${base}/keep`, post))
  expect(seen[3]).toMatchObject({ method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } })
})

test('sends credentials along on one origin, and never to another', async () => {
  const headers = { Authorization: 'Bearer s', Cookie: 'c=1', 'X-Api-Key': 'k', 'X-Kind': 'pump' }
  await open().send(request(`${base}/keep`, { headers }))
  expect(seen[1]!.headers).toMatchObject({ authorization: 'Bearer s', cookie: 'c=1', 'x-api-key': 'k' })
  await open().send(request(`${base}/other`, { headers }))
  expect(seen[3]!.headers).toMatchObject({ 'x-kind': 'pump' })
  for (const name of ['authorization', 'cookie', 'x-api-key']) expect(seen[3]!.headers[name]).toBeUndefined()
})

test.each(['/to-private', '/to-private-name'])('checks where %s leads before it connects', async (path) => {
  expect(await codeOf(open({ allowPrivate: ['public.test'] }).send(request(base + path)))).toBe('http.refused')
  expect(seen).toHaveLength(1)
})

test.each([
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://127.1/',
  'http://0/',
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://169.254.169.254/latest/meta-data',
  'http://168.63.129.16/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://[::1]/',
  'http://[::]/',
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/',
  'http://[fec0::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:8.8.8.8]/',
  'http://[::127.0.0.1]/',
  'http://[::ffff:0:127.0.0.1]/',
  'http://[64:ff9b::127.0.0.1]/',
  'http://[64:ff9b:1::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001::7f00:1]/',
  'http://[ff02::1]/',
  'http://[4000::1]/',
])('refuses %s', async (url) => {
  expect(await codeOf(open({ allowPrivate: false }).send(request(url)))).toBe('http.refused')
})

test.each([
  ['127.0.0.1', 4],
  ['10.1.2.3', 4],
  ['169.254.169.254', 4],
  ['0.0.0.0', 4],
  ['::1', 6],
  ['::ffff:127.0.0.1', 6],
  ['::127.0.0.1', 6],
  ['64:ff9b::7f00:1', 6],
  ['2002:7f00:1::', 6],
  ['fe80::1', 6],
  ['fe80::1%lo', 6],
  ['fd00:ec2::254', 6],
])('refuses a name that leads to %s', async (address, family) => {
  const answers = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
    callback(null, [{ address, family }])) as unknown as LookupFunction
  const egress = open({ allowPrivate: false, lookup: answers })
  expect(await codeOf(egress.send(request(`http://rebinding.test:${port}/json`)))).toBe('http.refused')
  expect(seen).toEqual([])
})

test.each([
  '127.0.0.1',
  '2130706433',
  '0x7f.1',
  '169.254.169.254',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  'inside.test',
])('refuses a redirect to %s, with or without a scheme', async (host) => {
  const egress = open({ allowPrivate: ['public.test'] })
  for (const start of ['http:', '']) {
    const target = encodeURIComponent(`${start}//${host}:${port}/json`)
    expect(await codeOf(egress.send(request(`${base}/to?${target}`)))).toBe('http.refused')
  }
  expect(seen.map(({ url }) => url!.split('?')[0])).toEqual(['/to', '/to'])
})

test('of the addresses of a name only those that are open are connected to', async () => {
  const answers = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
    callback(null, [
      { address: '::1', family: 6 },
      { address: '10.1.2.3', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])) as unknown as LookupFunction
  const egress = open({ allowPrivate: ['127.0.0.1'], lookup: answers })
  const { status } = await egress.send(request(`http://mixed.test:${port}/json`))
  expect(status).toBe(200)
})

test('a name is looked up again for every connection, and refused once it leads inside', async () => {
  const places = ['127.0.0.1', '10.1.2.3']
  const answers = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
    callback(null, [{ address: places.shift() ?? '10.1.2.3', family: 4 }])) as unknown as LookupFunction
  const egress = open({ allowPrivate: ['127.0.0.1'], lookup: answers })
  const close = { headers: { connection: 'close' } }
  expect((await egress.send(request(`http://rebinding.test:${port}/json`, close))).status).toBe(200)
  await expect.poll(() => codeOf(egress.send(request(`http://rebinding.test:${port}/silent`)))).toBe('http.refused')
  expect(seen.filter(({ url }) => url === '/silent')).toEqual([])
})

test('a proxy that the environment names is not gone through', async () => {
  vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:1')
  vi.stubEnv('http_proxy', 'http://127.0.0.1:1')
  vi.stubEnv('NODE_USE_ENV_PROXY', '1')
  try {
    expect((await open().send(request(`${base}/json`))).status).toBe(200)
  } finally {
    vi.unstubAllEnvs()
  }
})

test('the timeout covers the body, too', async () => {
  const started = performance.now()
  expect(await codeOf(open().send(request(`${base}/drip`, { timeoutMs: 150 })))).toBe('http.timeout')
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('an answer that is cut off, or has too many headers, is none', async () => {
  expect(await codeOf(open().send(request(`${base}/cut`)))).toBe('http.failed')
  expect(await codeOf(open().send(request(`${base}/many-headers`)))).toBe('http.failed')
})

test('a host header does not turn an address into another', async () => {
  const egress = open({ allowPrivate: false })
  const answer = egress.send(request(`http://127.0.0.1:${port}/json`, { headers: { host: 'example.com' } }))
  expect(await codeOf(answer)).toBe('http.refused')
})

test.each([
  [true, 'http://127.0.0.1'],
  [['*'], 'http://127.0.0.1'],
  [['127.0.0.1'], 'http://127.0.0.1'],
  [['127.0.0.0/8'], 'http://anything.test'],
  [['Public.test'], 'http://public.test'],
])('with %j allowed reaches %s', async (allowPrivate, origin) => {
  expect((await open({ allowPrivate }).send(request(`${origin}:${port}/json`))).status).toBe(200)
})

test('an exception opens nothing else', async () => {
  const egress = open({ allowPrivate: ['10.0.0.0/8', 'public.test'] })
  expect(await codeOf(egress.send(request(`http://127.0.0.1:${port}/json`)))).toBe('http.refused')
  expect(await codeOf(egress.send(request(`http://not.public.test:${port}/json`)))).toBe('http.refused')
  expect(() => openEgress({ allowPrivate: ['not an address'] })).toThrow('Expected an address')
})

test.each([
  ['before its first request', 0],
  ['after one', 1],
])('sends nothing once it was closed, %s', async (_when, requests) => {
  const egress = open({ allowPrivate: ['public.test'] })
  const asked = () => egress.send(request(`http://public.test:${port}/json`))
  for (let n = 0; n < requests; n += 1) expect((await asked()).status).toBe(200)
  await egress.close()
  expect(await codeOf(asked())).toBe('http.failed')
})

test('takes a certificate only from an authority that it knows, unless told otherwise', async () => {
  const options = { key: testKey, cert: testCert, requestCert: true, rejectUnauthorized: false }
  const secure = createTlsServer(options, (asked, response) => {
    const [path, target] = asked.url!.split('?')
    if (path === '/to') response.writeHead(307, { location: decodeURIComponent(target!) }).end()
    else if (path === '/who') {
      response.end((asked.socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody')
    } else response.end('sealed')
  })
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
  const url = `https://secure.test:${(secure.address() as AddressInfo).port}/`
  const egress = open({ allowPrivate: ['secure.test', 'other.test'] })
  try {
    expect(await codeOf(egress.send(request(url)))).toBe('http.failed')
    expect(text((await egress.send(request(url, { verifyTls: false }))).body)).toBe('sealed')
    expect(text((await egress.send(request(url, { caCert: testCert }))).body)).toBe('sealed')
    const otherName = url.replace('secure.test', 'other.test')
    expect(await codeOf(egress.send(request(otherName, { caCert: testCert })))).toBe('http.failed')
    // The own certificate is for one origin: where it redirects to never sees it.
    const clientCert = { cert: testCert, key: testKey }
    const shown = await egress.send(request(`${url}who`, { caCert: testCert, clientCert }))
    expect(text(shown.body)).toBe('secure.test')
    const away = encodeURIComponent(url.replace('secure.test', 'other.test'))
    const moved = await egress.send(request(`${url}to?${away}who`, { verifyTls: false, clientCert }))
    expect(text(moved.body)).toBe('nobody')
    // What one request was allowed does not count for the next.
    expect(await codeOf(egress.send(request(url)))).toBe('http.failed')
  } finally {
    secure.closeAllConnections()
    secure.close()
  }
})
