import { expect, test } from 'vitest'
import { FlowError } from '../../../engine/errors.ts'
import { http } from '../../../nodes/network/http.ts'
import type { HttpRequest, HttpResponse } from '../../../nodes/services/http.ts'
import { runNode } from '../../helpers/run-node.ts'

type Answer = Partial<Omit<HttpResponse, 'body'>> & { body?: string | Uint8Array }

const payload = { host: 'example.com', a: { b: 1 }, list: [1, 2], five: 5, secret: 's3', empty: '' }
const url = 'https://{{host}}/x?a=1&b=2'

async function sent(config: object, answer: Answer | Error = {}, before = {}) {
  const requests: HttpRequest[] = []
  let now = 1000
  const run = await runNode(http, {
    config: { uriTemplate: url, responsePath: 'r', ...config },
    payload: { ...payload, ...before },
    use: {
      clock: { now: () => (now += 20) },
      http: {
        async send(request) {
          requests.push(request)
          if (answer instanceof Error) throw answer
          return { status: 200, headers: {}, ...answer, body: Buffer.from(answer.body ?? '') }
        },
      },
    },
  })
  return { run, requests, request: requests[0]!, text: Buffer.from(requests[0]?.body ?? '').toString() }
}

test('asks for a page and puts the answer on the payload', async () => {
  const { run, request } = await sent({}, { status: 404, headers: { 'x-a': ['1', '2'] }, body: '{"no":1}' })
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(request).toMatchObject({
    method: 'GET',
    url: 'https://example.com/x?a=1&b=2',
    timeoutMs: 30_000,
    followRedirects: true,
    verifyTls: true,
  })
  expect(request.body).toBeUndefined()
  expect(run.payload.r).toEqual({
    statusCode: 404,
    headers: { 'x-a': ['1', '2'] },
    body: { no: 1 },
    requestDuration: 20,
    request: { method: 'GET', uri: 'https://example.com/x?a=1&b=2', headers: { 'user-agent': 'headgate' } },
  })
})

test.each<[object, Answer, unknown]>([
  [{}, { body: '[1]', headers: { 'content-type': 'text/plain' } }, [1]],
  [{}, { body: 'plain' }, 'plain'],
  [{}, { body: '{"cut":' }, '{"cut":'],
  [{}, { body: '' }, ''],
  [{}, { body: Buffer.from('\ufeffä') }, 'ä'],
  [{ encodingTemplate: 'base64' }, { body: '1234' }, 'MTIzNA=='],
  [{ encodingTemplate: '{{none}}' }, { body: '5' }, 5],
  [{ encodingTemplate: 'hex' }, { body: Buffer.from([255]) }, 'ff'],
  [{ encodingTemplate: 'latin1' }, { body: Buffer.from([228]) }, 'ä'],
])('with %j the body %j becomes %j', async (config, answer, expected) => {
  expect((await sent(config, answer)).run.payload.r).toMatchObject({ body: expected })
})

test.each<[object, string, string | undefined]>([
  [{ bodyTemplate: 'a={{five}}' }, 'a=5', undefined],
  [{ bodyTemplate: '{{a}}' }, '{"b":1}', undefined],
  [{ bodyType: 'string', bodyTemplate: '' }, '', undefined],
  [{ bodyType: 'string', bodyTemplate: 'aGk=', requestEncodingTemplate: 'base64' }, 'hi', undefined],
  [{ bodyType: 'none', bodyTemplate: 'x' }, '', undefined],
  [{ bodyType: 'jsonTemplate', bodyTemplate: '{"n": {{five}} }' }, '{"n":5}', 'application/json'],
  [{ bodyType: 'jsonTemplate', bodyTemplate: '{{list}}' }, '[1,2]', 'application/json'],
  [
    { bodyType: 'urlencoded', bodyFields: [{ keyTemplate: 'a b', valueTemplate: '{{host}}&' }] },
    'a+b=example.com%26',
    'application/x-www-form-urlencoded',
  ],
])('%j sends "%s" as %s', async (config, body, type) => {
  const { run, request, text } = await sent({ method: 'POST', ...config })
  expect(run).toMatchObject({ problems: [], error: undefined })
  expect(text).toBe(body)
  expect(request.headers['content-type']).toBe(type)
})

test('sends a form of parts', async () => {
  const bodyFields = [{ keyTemplate: 'a', valueTemplate: '{{five}}' }]
  const { request, text } = await sent({ method: 'PUT', bodyType: 'multipart', bodyFields })
  const form = await new Response(text, { headers: { 'content-type': request.headers['content-type']! } }).formData()
  expect([...form]).toEqual([['a', '5']])
})

const thousand = Array.from({ length: 1_000 }, () => ({ keyTemplate: 'a', valueTemplate: '{{large}}' }))
test.each<[string, object]>([
  ['Form fields', { bodyType: 'urlencoded', bodyFields: thousand }],
  ['Form fields', { bodyType: 'multipart', bodyFields: thousand }],
  ['Headers', { headerInfo: [{ key: 'x', valueTemplate: '{{large}}' }] }],
])('refuses %s that are large all together, before they are made', async (what, config) => {
  const settings = { method: 'POST', uriTemplate: 'https://{{host}}/', ...config }
  const payload = { host: 'example.com', large: '<'.repeat(5_000_000) }
  const send = () => expect.unreachable()
  const { error } = await runNode(http, { config: settings, payload, use: { http: { send }, clock: { now: () => 0 } } })
  expect(error).toMatchObject({ code: 'http.request', message: expect.stringContaining(what) })
})

test('sends on what a URL gives', async () => {
  const config = { method: 'POST', bodyType: 'url', bodyTemplate: 'https://{{host}}/file' }
  const { requests } = await sent(config, { body: 'bytes', headers: { 'content-type': 'image/png' } })
  expect(requests).toMatchObject([
    { method: 'GET', url: 'https://example.com/file' },
    { method: 'POST', headers: { 'content-type': 'image/png' } },
  ])
  expect(Buffer.from(requests[1]!.body!).toString()).toBe('bytes')
})

test.each(['GET', 'HEAD'])('%s takes no body, whatever the settings say', async (method) => {
  const { request, run } = await sent({ method, bodyType: 'jsonTemplate', bodyTemplate: '{{host}}' })
  expect(run.error).toBeUndefined()
  expect(request.body).toBeUndefined()
  expect(request.headers['content-type']).toBeUndefined()
})

test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s takes a body', async (method) => {
  const { request, text } = await sent({ method, bodyType: 'jsonTemplate', bodyTemplate: '{"a": {{five}} }' })
  expect(request.method).toBe(method)
  expect(text).toBe('{"a":5}')
})

test.each(['jsonTemplate', 'urlencoded'])(
  'a content type that the author gives stands before that of %s',
  async (bodyType) => {
    const headerInfo = [{ key: 'Content-Type', valueTemplate: 'application/vnd.x' }]
    const bodyFields = [{ keyTemplate: 'a', valueTemplate: 'b' }]
    const { request } = await sent({ method: 'POST', headerInfo, bodyType, bodyTemplate: '{}', bodyFields })
    expect(Object.entries(request.headers).filter(([name]) => /content-type/i.test(name))).toEqual([
      ['Content-Type', 'application/vnd.x'],
    ])
  },
)

test('a file with no more than an address asks as the format says', async () => {
  const { run, request } = await sent({ responsePath: undefined })
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(request).toMatchObject({ method: 'GET', timeoutMs: 30_000, followRedirects: true, verifyTls: true })
  expect(request).not.toHaveProperty('body')
  expect((await sent({ method: 'POST', bodyTemplate: 'text' })).text).toBe('text')
  expect((await sent({}, refused)).run.error).toBe(refused)
})

test('sends headers as they are written, but not those of the connection', async () => {
  const headerInfo = [
    { key: 'X-Id', valueTemplate: '{{five}}' },
    { key: 'content-type', valueTemplate: 'text/csv' },
    { key: 'Content-Length', valueTemplate: '999' },
    { key: 'Transfer-Encoding', valueTemplate: 'chunked' },
    { key: '', valueTemplate: 'x' },
    { key: '__proto__', valueTemplate: 'x' },
  ]
  const { request } = await sent({ method: 'POST', headerInfo, bodyType: 'jsonTemplate', bodyTemplate: '{}' })
  expect(Object.entries(request.headers)).toEqual([
    ['user-agent', 'headgate'],
    ['X-Id', '5'],
    ['content-type', 'text/csv'],
    ['__proto__', 'x'],
  ])
})

test('signs in by name and password, and keeps them off the payload', async () => {
  const authCredentials = { usernameTemplate: 'ada', passwordTemplate: '{{secret}}' }
  const { run, request } = await sent({ authType: 'basic', authCredentials })
  expect(request.headers.Authorization).toBe(`Basic ${btoa('ada:s3')}`)
  expect(run.payload.r).toMatchObject({ request: { headers: { Authorization: '*****REDACTED*****' } } })
  expect(JSON.stringify(run.payload.r)).not.toContain(btoa('ada:s3'))
})

test('keeps a password in the URL off the payload', async () => {
  const { run } = await sent({ uriTemplate: 'https://ada:pass@{{host}}/' })
  expect(run.payload.r).toMatchObject({ request: { uri: 'https://ada@example.com/' } })
})

test.each<[object, Partial<HttpRequest>]>([
  [{ timeoutTemplate: '2.5' }, { timeoutMs: 2_500 }],
  [{ timeoutTemplate: '{{five}}' }, { timeoutMs: 5_000 }],
  [{ timeoutTemplate: '90' }, { timeoutMs: 30_000 }],
  [{ timeoutTemplate: '0' }, { timeoutMs: 30_000 }],
  [{ timeoutTemplate: '' }, { timeoutMs: 30_000 }],
  [{ disableRedirects: true }, { followRedirects: false }],
  [{ disableSSLVerification: true }, { verifyTls: false }],
  [{ caCertTemplate: '{{secret}}' }, { caCert: 's3' }],
  [
    { authType: 'clientCert', authCredentials: { keyTemplate: 'k', certTemplate: '{{secret}}' } },
    { clientCert: { cert: 's3', key: 'k' } },
  ],
])('%j asks for %j', async (config, expected) => {
  expect((await sent(config)).request).toMatchObject(expected)
})

const refused = new FlowError('http.failed', 'The request got no answer: ECONNREFUSED', {
  cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
})

test('throws when there is no answer', async () => {
  expect((await sent({}, refused)).run.error).toBe(refused)
})

test('puts the failure at its path instead, and nothing of an older value stays', async () => {
  const config = { errorBehavior: 'payloadPath', errorPath: 'r' }
  const { run } = await sent(config, refused, { r: { statusCode: 200, body: 'old' } })
  expect(run).toMatchObject({ output: 'next', error: undefined })
  expect(run.payload.r).toEqual({
    error: { message: 'The request got no answer: ECONNREFUSED', code: 'ECONNREFUSED' },
    request: { method: 'GET', uri: 'https://example.com/x?a=1&b=2', headers: { 'user-agent': 'headgate' } },
  })
  expect((await sent(config, { body: '1' }, { r: { error: 'old' } })).run.payload.r).not.toHaveProperty('error')
})

test('may take the place of a whole branch of the payload, by the answer or by the failure', async () => {
  const config = { responsePath: 'working', errorBehavior: 'payloadPath', errorPath: 'working' }
  const before = { working: { kept: 1, error: 'old', statusCode: 1 } }
  const answered = (await sent(config, { body: '{}' }, before)).run.payload
  expect(Object.keys(answered.working as object).sort()).toEqual([
    ...['body', 'headers', 'request', 'requestDuration', 'statusCode'],
  ])
  expect(Object.keys((await sent(config, refused, before)).run.payload.working as object)).toEqual(['error', 'request'])
})

test('without paths neither answer nor failure is written anywhere', async () => {
  const config = { responsePath: '', errorPath: '', errorBehavior: 'payloadPath' }
  for (const answer of [{ body: '{}' }, refused]) {
    const { run } = await sent(config, answer)
    expect(run).toMatchObject({ output: 'next', error: undefined, payload })
    expect(Object.keys(run.payload)).toEqual(Object.keys(payload))
  }
})

test.each([400, 401, 404, 500, 503])('an answer of %d is no failure', async (status) => {
  const { run } = await sent({ errorBehavior: 'throw' }, { status, body: 'no' })
  expect(run).toMatchObject({ output: 'next', error: undefined, payload: { r: { statusCode: status, body: 'no' } } })
})

test('leaves the error path alone when there is an answer', async () => {
  const { run } = await sent({ errorBehavior: 'payloadPath', errorPath: 'e' }, {}, { e: 'before' })
  expect(run.payload.e).toBe('before')
})

test('gives the code of the failure where the system has none', async () => {
  const tooLarge = new FlowError('http.too-large', 'Too large')
  const { run } = await sent({ errorBehavior: 'payloadPath', errorPath: 'e' }, tooLarge)
  expect(run.payload.e).toMatchObject({ error: { code: 'http.too-large' } })
})

test.each<[object, string]>([
  [{ uriTemplate: '{{none}}' }, 'config.empty'],
  [{ uriTemplate: '' }, 'config.missing'],
  [{ method: 'POST', bodyType: 'jsonTemplate', bodyTemplate: '{{host}}' }, 'template.not-json'],
  [{ authType: 'credential', credentialNameTemplate: ' ' }, 'http.credential'],
  [{ authType: 'credential', credentialNameTemplate: 'x' }, 'credential.missing'],
  [{ method: 'BREW' }, 'config.choice'],
])('%j always throws %s, and sends nothing', async (config, code) => {
  const { run, requests } = await sent({ ...config, errorBehavior: 'payloadPath', errorPath: 'e' })
  expect(run.error).toMatchObject({ code })
  expect(requests).toEqual([])
})

test('an encoding that is none is a failure like one of the network', async () => {
  const { run, requests } = await sent({ encodingTemplate: 'klingon', errorBehavior: 'payloadPath', errorPath: 'e' })
  expect(run.payload.e).toMatchObject({ error: { code: 'http.request' } })
  expect(requests).toEqual([])
})
