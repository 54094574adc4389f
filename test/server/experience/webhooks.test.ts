import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import type { Reply } from '../../../nodes/services/reply.ts'
import { newWebhookToken, webhookTokenHash } from '../../../server/experience/webhook-token.ts'
import type { WebhookEvent, WebhookLimits } from '../../../server/experience/webhooks.ts'
import type { Document } from '../../../server/store/documents/document.ts'
import type { WebhookDocument } from '../../../server/store/documents/experience.ts'
import { applicationId, openSite, type Site } from './site.ts'

type Planned = Partial<Reply> | 'silent' | undefined

/** What a test says of a webhook. */
type Settings = Partial<Omit<WebhookDocument, keyof Document | 'tokenHash'>>

const defaults: Omit<WebhookDocument, keyof Document | 'token' | 'tokenHash'> = {
  ...{ name: 'Hook', enabled: true, responseCode: 200, verificationType: 'none', verificationCode: '' },
  ...{ waitForReply: false, basicAuthUsername: '', basicAuthPassword: '', isWebsocket: false },
  ...{ castBuffersAs: 'array', annotateMultipart: false },
}

async function addWebhook(app: Site['app'], change: Settings = {}): Promise<WebhookDocument> {
  const token = change.token ?? newWebhookToken(app.scope.application)
  return app.collection('webhooks').insert({ ...defaults, ...change, token, tokenHash: webhookTokenHash(token) })
}

async function open(change: Settings = {}, limits: Partial<WebhookLimits> = {}) {
  const calls: WebhookEvent[] = []
  const flow: { run: (event: WebhookEvent) => Planned } = { run: () => 'silent' }
  let ended = 0
  const site = await openSite({
    webhookLimits: limits,
    async fireWebhook(event) {
      calls.push(event)
      const planned = flow.run(event)
      queueMicrotask(() => {
        event.onEnd()
        ended++
      })
      if (planned === undefined) return 0
      if (planned !== 'silent') queueMicrotask(() => void reply(site, event, planned))
      return 1
    },
  })
  const webhook = await addWebhook(site.app, change)
  return { ...site, calls, flow, webhook, url: `/webhooks/${webhook.token}`, ended: () => ended }
}

const failures: unknown[] = []
async function reply({ experience }: Site, { scope, data }: WebhookEvent, planned: Partial<Reply>) {
  const origin = {
    scope,
    flow: { id: 'f', name: 'Flow', version: 'develop' },
    globals: {},
    application: { id: 'a', name: 'A' },
  }
  const whole = { headers: [], cookies: [], body: { kind: 'custom', body: undefined } as const, ...planned }
  try {
    await experience.replies.service(origin).send(String(data.replyId), whole, { payload: {} })
  } catch (error) {
    failures.push(error)
  }
}

const base = { host: 'localhost' }

test('a call starts the flows with what the format promises, and is answered at once', async () => {
  const { ask, calls, url, webhook, scope } = await open({ responseCode: 202 })
  const headers = { 'content-type': 'application/json', cookie: 'a=1', authorization: 'Bearer x', 'X-Sender': 'me' }
  const answer = await ask(`${url}/orders/7?a=1&a=2`, { ...base, method: 'POST', headers, body: '{"n":1}' })
  expect(answer.status).toBe(202)
  expect(answer.json()).toEqual({ success: true })
  expect(calls).toMatchObject([{ scope, webhookId: webhook.id, time: expect.any(Number) }])
  expect(calls[0]?.data).toEqual({
    body: { n: 1 },
    headers: expect.objectContaining({
      authorization: 'Bearer x',
      'x-sender': 'me',
      host: expect.stringContaining('localhost'),
    }),
    ...{ method: 'post', path: '/orders/7', query: { a: ['1', '2'] } },
  })
  expect(calls[0]?.data.headers).not.toHaveProperty('cookie')
  await ask(url, base)
  expect(calls[1]?.data).toMatchObject({ body: null, method: 'get', path: '/', query: {} })
})

test('is reached at the host of its application too, where endpoints of other addresses go on', async () => {
  const { ask, calls, url, endpoint, events } = await open()
  await endpoint({ method: 'get', route: '/webhooks/{any*}' })
  expect((await ask(url, { host: 'shop.localhost' })).json()).toEqual({ success: true })
  expect(calls).toHaveLength(1)
  expect((await ask('/webhooks/of-the-author', { host: 'shop.localhost' })).status).toBe(200)
  expect(events).toHaveLength(1)
})

test('an unknown, forged or switched off token opens nothing, and all of them get one answer', async () => {
  const { ask, calls, webhook, url, app } = await open()
  const forged = [
    ...[
      `/webhooks/${applicationId}-${'x'.repeat(32)}`,
      `/webhooks/${'f'.repeat(24)}-${'x'.repeat(32)}`,
      '/webhooks/',
      '/webhooks/short',
    ],
    ...[
      url.slice(0, -1),
      `${url}x`,
      `/webhooks/${webhook.token.toUpperCase()}`,
      `/webhooks/${webhook.tokenHash}`,
      `/webhooks/${webhook.id}`,
      `${url}%2f`,
    ],
    ...['/webhooks/../../etc/passwd', `/webhooks/${applicationId}-__proto__aaaaaaaaaa`],
  ]
  const answers = await Promise.all(forged.map((path) => ask(path, base)))
  await app.collection('webhooks').update(webhook.id, { enabled: false })
  answers.push(await ask(url, base))
  const all = new Set(answers.map(({ status, body }) => `${status} ${body}`))
  expect([...all]).toEqual(['404 {"type":"NotFound","message":"There is no webhook at this address"}'])
  expect(calls).toEqual([])
})

test('the token of one application opens nothing at the host of another', async () => {
  const { ask, calls, url, store } = await open()
  const other = { tenant: 'other', application: 'b'.repeat(24) }
  await store
    .app(other)
    .collection('application')
    .insert({ id: other.application, name: 'Other', globals: [], secret: 's' })
  await store.hosts.put({ name: 'other', scope: other, version: 'develop' })
  const answer = await ask(url, { host: 'other.localhost' })
  expect(answer.status).toBe(404)
  expect(calls).toEqual([])
  const theirs = await addWebhook(store.app(other))
  expect((await ask(`/webhooks/${theirs.token}`, base)).status).toBe(200)
  expect(calls).toMatchObject([{ scope: other, webhookId: theirs.id }])
})

test('waits for the reply of a flow where it is told to', async () => {
  const { ask, calls, url, flow, webhook } = await open({ waitForReply: true })
  flow.run = () => ({ status: 201, body: { kind: 'custom', body: { n: 1 } }, headers: [['Content-Type', 'text/html']] })
  const answer = await ask(url, base)
  expect(answer).toMatchObject({ status: 201, body: '{"n":1}' })
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-content-type-options': 'nosniff' })
  expect(answer.headers['content-security-policy']).toContain('sandbox')
  expect(String(calls[0]?.data.replyId)).toMatch(new RegExp(`^${webhook.id}\\.[0-9a-f-]{36}$`))
})

test.each([
  ['text/csv', 'text/csv'],
  ['Text/XML; charset=utf-8', 'Text/XML; charset=utf-8'],
  ['image/svg+xml', 'application/json'],
  ['text/html', 'application/json'],
])('a reply of type %s goes out as %s', async (type, expected) => {
  const { ask, url, flow } = await open({ waitForReply: true })
  flow.run = () => ({ body: { kind: 'custom', body: '<b>1</b>' }, headers: [['content-type', type]] })
  expect((await ask(url, base)).headers['content-type']).toBe(expected)
})

test.each<[string, Partial<Reply>, string]>([
  ['a cookie', { cookies: [{ name: 'a', value: 'b' }] }, 'reply.header'],
  ['a cookie as a header', { headers: [['Set-Cookie', 'a=b']] }, 'reply.header'],
  ['another policy', { headers: [['content-security-policy', 'default-src *']] }, 'reply.header'],
  ['a page', { body: { kind: 'page', pageId: 'p', data: {} } }, 'reply.unsupported'],
  ['more than 256 KB', { body: { kind: 'custom', body: 'x'.repeat(256 * 1024 + 1) } }, 'reply.too-large'],
])('refuses a reply with %s', async (_, planned, code) => {
  const { ask, url, flow } = await open({ waitForReply: true }, { replyTimeoutMs: 60 })
  flow.run = () => planned
  failures.length = 0
  expect((await ask(url, base)).status).toBe(504)
  expect(failures).toMatchObject([{ code }])
})

test('answers 504 when no flow replies in time, at once when none listens, and 500 when its run fails unheard', async () => {
  const { ask, url, flow, experience, calls } = await open({ waitForReply: true }, { replyTimeoutMs: 60 })
  expect((await ask(url, base)).json()).toMatchObject({ type: 'Timeout', message: expect.stringContaining('0.06') })
  flow.run = () => undefined
  expect((await ask(url, base)).json()).toMatchObject({ message: expect.stringContaining('this webhook') })
  flow.run = (event) => {
    queueMicrotask(() => experience.replies.fail(event.scope, String(event.data.replyId), { message: 'No luck' }))
    return 'silent'
  }
  expect(await ask(url, base)).toMatchObject({ status: 500, body: expect.stringContaining('No luck') })
  expect(calls).toHaveLength(3)
  expect(experience.replies.waiting()).toBe(0)
})

test('asks for a user name and password', async () => {
  const { ask, url, calls } = await open({ basicAuthUsername: 'ann', basicAuthPassword: 'se:cret' })
  const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
  for (const headers of [
    {},
    basic('ann:secret'),
    basic('ann:'),
    basic(''),
    { authorization: 'Basic' },
    { authorization: 'Bearer x' },
  ]) {
    const answer = await ask(url, { ...base, headers: headers as Record<string, string> })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('Basic')
    expect(answer.body).not.toContain('secret')
  }
  expect(calls).toEqual([])
  expect((await ask(url, { ...base, headers: basic('ann:se:cret') })).status).toBe(200)
})

test('a webhook without a code of its own answers no question', async () => {
  const facebook = await open({ verificationType: 'facebook' })
  expect((await facebook.ask(`${facebook.url}?hub.mode=subscribe&hub.verify_token=`, base)).status).toBe(403)
  const fitbit = await open({ verificationType: 'fitbit' })
  expect((await fitbit.ask(`${fitbit.url}?verify=`, base)).status).toBe(404)
  const twilio = await open({ verificationType: 'twilio' })
  const signature = createHmac('sha1', '').update(`http://localhost${twilio.url}`).digest('base64')
  expect((await twilio.ask(twilio.url, { ...base, headers: { 'x-twilio-signature': signature } })).status).toBe(403)
  expect([...facebook.calls, ...fitbit.calls, ...twilio.calls]).toEqual([])
})

test('answers the question of Facebook, and hears only its calls', async () => {
  const { ask, url, calls } = await open({ verificationType: 'facebook', verificationCode: 'v-1' })
  const question = (token: string) =>
    ask(`${url}?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=12%3Cb%3E`, base)
  const right = await question('v-1')
  expect(right).toMatchObject({ status: 200, body: '12<b>' })
  expect(right.headers['content-type']).toContain('text/plain')
  expect((await question('wrong')).status).toBe(403)
  expect(calls).toEqual([])
  await ask(url, { ...base, method: 'POST' })
  expect(calls).toHaveLength(1)
})

test('answers the question of Fitbit: 204 to the right code, 404 to the wrong one', async () => {
  const { ask, url, calls } = await open({ verificationType: 'fitbit', verificationCode: 'abc' })
  expect((await ask(`${url}?verify=abc`, base)).status).toBe(204)
  expect((await ask(`${url}?verify=no`, base)).status).toBe(404)
  expect(calls).toEqual([])
})

test('hears only what Twilio has signed', async () => {
  const { ask, url, calls } = await open({ verificationType: 'twilio', verificationCode: 'auth-token' })
  const body = 'To=%2B15550000&Body=Hi&From=%2B15551111'
  const sign = (host: string, fields: string, path = url) =>
    createHmac('sha1', 'auth-token').update(`http://${host}${path}${fields}`).digest('base64')
  const send = (signature: string, text = body, type = 'application/x-www-form-urlencoded') =>
    ask(url, {
      ...base,
      method: 'POST',
      headers: { 'content-type': type, 'x-twilio-signature': signature },
      body: text,
    })
  const signed = sign('localhost', 'BodyHiFrom+15551111To+15550000')
  expect((await send(signed)).status).toBe(200)
  expect(calls).toMatchObject([{ data: { body: { Body: 'Hi' } } }])
  for (const wrong of [
    send(''),
    send('x'.repeat(28)),
    send(signed, `${body}&More=1`),
    send(sign('localhost', ''), 'text', 'text/plain'),
  ]) {
    expect((await wrong).status).toBe(403)
  }
  expect(calls).toHaveLength(1)
})

test('says of calls of Alexa that they are not supported', async () => {
  const { ask, url, calls } = await open({ verificationType: 'alexa' })
  expect(await ask(url, base)).toMatchObject({ status: 501, body: expect.stringContaining('not supported') })
  expect(calls).toEqual([])
})

test('asks of a call by HTTP that it becomes a connection where the webhook takes these alone', async () => {
  const { ask, url, calls } = await open({ isWebsocket: true })
  expect(await ask(url, base)).toMatchObject({ status: 426, headers: { upgrade: 'websocket' } })
  expect(calls).toEqual([])
})

test('refuses too large a body, also once unpacked, and one that is not what it says', async () => {
  const { ask, url, calls } = await open()
  const send = (body: string | Buffer, headers: Record<string, string> = {}) =>
    ask(url, { ...base, method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
  expect((await send(JSON.stringify('x'.repeat(256 * 1024)))).status).toBe(413)
  expect((await send(gzipSync(JSON.stringify('x'.repeat(300_000))), { 'content-encoding': 'gzip' })).status).toBe(413)
  expect((await send('{"a":')).status).toBe(400)
  expect((await send('{"__proto__": 1}')).status).toBe(400)
  expect((await send('--x', { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(400)
  expect(calls).toEqual([])
  expect((await send(JSON.stringify('x'.repeat(256 * 1024 - 2)))).status).toBe(200)
  expect((await send('plain', { 'content-type': 'text/plain' })).status).toBe(200)
  expect(calls[1]?.data.body).toBe('plain')
})

const parts = [
  '--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nHi\r\n',
  '--B\r\nContent-Disposition: form-data; name="f[a]"; filename="a.bin"\r\nContent-Type: image/png\r\n\r\né\r\n--B--\r\n',
].join('')

test.each([
  ['array', [0xc3, 0xa9]],
  ['binary', '\u00c3\u00a9'],
  ['utf8', 'é'],
  ['base64', 'w6k='],
  ['hex', 'c3a9'],
] as const)('the files of a form come as the webhook casts them: %s', async (castBuffersAs, data) => {
  const { ask, url, calls } = await open({ castBuffersAs })
  await ask(url, {
    ...base,
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=B' },
    body: parts,
  })
  const file = { filename: 'a.bin', contentType: 'image/png', data }
  expect(calls).toMatchObject([{ data: { body: { title: 'Hi', f: { a: file } } } }])
})

test('fields of a form come with their type where the webhook annotates them', async () => {
  const { ask, url, calls } = await open({ annotateMultipart: true, castBuffersAs: 'utf8' })
  await ask(url, {
    ...base,
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=B' },
    body: parts,
  })
  const file = { filename: 'a.bin', contentType: 'image/png', data: 'é' }
  expect(calls[0]?.data.body).toEqual({ title: { contentType: 'text/plain', data: 'Hi' }, f: { a: file } })
})

test('takes a hundred calls of one webhook in ten seconds, and others of another', async () => {
  const { ask, url, calls, app } = await open()
  const other = await addWebhook(app, { name: 'Other' })
  const statuses: number[] = []
  for (let call = 0; call < 101; call++) statuses.push((await ask(url, base)).status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(100)
  expect(statuses.at(-1)).toBe(429)
  const refused = await ask(url, base)
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  expect((await ask(`/webhooks/${other.token}`, base)).status).toBe(200)
  expect(calls).toHaveLength(101)
})

test('a client that leaves is not waited for, and gives back its place', async () => {
  const { raw, url, flow, experience } = await open({ waitForReply: true })
  const { promise: called, resolve } = Promise.withResolvers<void>()
  flow.run = () => {
    expect(experience.replies.waiting()).toBe(1)
    resolve()
    return 'silent'
  }
  await raw(`GET ${url} HTTP/1.1\r\nhost: localhost\r\n\r\n`, { leave: called })
  await expect.poll(() => experience.replies.waiting()).toBe(0)
})

test('a client that sends half a body starts nothing', async () => {
  const { raw, url, calls } = await open()
  const head = `POST ${url} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n`
  await raw(`${head}{"a":`, { leave: true })
  expect(calls).toEqual([])
})

test('the data of a call is of the flow alone', async () => {
  const { ask, url, calls, flow } = await open({ waitForReply: true })
  flow.run = ({ data }) => ({ body: { kind: 'custom', body: data as Payload } })
  const answers = await Promise.all(['1', '2'].map((n) => ask(`${url}/${n}`, base)))
  expect(new Set(answers.map((answer) => (answer.json() as Payload).replyId)).size).toBe(2)
  expect(calls[0]?.data).not.toBe(calls[1]?.data)
})
