import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { mailgun } from '../../../nodes/output/mailgun.ts'
import { sendgrid } from '../../../nodes/output/sendgrid.ts'
import { slack } from '../../../nodes/output/slack.ts'
import { twilio } from '../../../nodes/output/twilio.ts'
import { openProvider, type ProviderAnswer, type ProviderStandIn } from '../../helpers/provider.ts'
import { runNode } from '../../helpers/run-node.ts'

let provider: ProviderStandIn
let answer: (url: string) => ProviderAnswer = () => ({})
beforeAll(async () => {
  provider = await openProvider(({ origin, url }) => answer(origin + url))
})
afterEach(() => {
  provider.take()
  answer = () => ({})
})
afterAll(() => provider.close())

const key = 'SG.very-secret-key'
const mail = {
  fromTemplate: 'Reports <reports@mail.example.com>',
  replyToTemplate: 'help@example.com',
  subjectTemplate: 'Line one\r\nBcc: x@example.com',
  bodyTemplate: '<b>{{name}}</b>',
  toAddresses: ['{{list}}', 'b@example.com, "Bo" <c@example.com>', ''],
  ccAddresses: ['B@example.com', 'd@example.com'],
  bccAddresses: ['e@example.com'],
  resultPath: 'out',
}
const payload = { list: ['a@example.com'], name: 'Ada', key }

async function runSendgrid(config: object = {}) {
  const settings = { sendgridApiKey: '{{key}}', ...mail, ...config }
  const run = await runNode(sendgrid, { config: settings, payload, use: { http: provider.http } })
  return { run, requests: provider.take() }
}

test('SendGrid gets the mail as its API wants it', async () => {
  answer = () => ({ status: 202 })
  const { run, requests } = await runSendgrid()
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined })
  expect(run.payload.out).toEqual({ success: true })
  expect(requests).toHaveLength(1)
  expect(requests[0]).toMatchObject({
    ...{ method: 'POST', origin: 'https://api.sendgrid.com', url: '/v3/mail/send' },
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  })
  expect(JSON.parse(String(requests[0]!.body))).toEqual({
    personalizations: [
      {
        to: [{ email: 'a@example.com' }, { email: 'b@example.com' }, { email: 'c@example.com', name: 'Bo' }],
        cc: [{ email: 'd@example.com' }],
        bcc: [{ email: 'e@example.com' }],
      },
    ],
    from: { email: 'reports@mail.example.com', name: 'Reports' },
    reply_to: { email: 'help@example.com' },
    subject: 'Line one Bcc: x@example.com',
    content: [{ type: 'text/html', value: '<b>Ada</b>' }],
  })
})

test('attachments are fetched, or made of text, and sent along', async () => {
  answer = (url) =>
    url === 'https://files.example.com/a.png' ? { headers: { 'content-type': 'image/png' }, body: 'png' } : {}
  const attachments = [
    { filenameTemplate: 'a.png', urlTemplate: 'https://files.example.com/a.png' },
    { filenameTemplate: '', contentTemplate: 'aGk=', encoding: 'base64' },
  ]
  const { requests } = await runSendgrid({ attachments })
  expect(requests[0]).toMatchObject({ method: 'GET', url: '/a.png' })
  expect(requests[0]!.headers.authorization).toBeUndefined()
  expect(JSON.parse(String(requests[1]!.body)).attachments).toEqual([
    { content: btoa('png'), filename: 'a.png', type: 'image/png', disposition: 'attachment' },
    { content: btoa('hi'), filename: 'attachment-2', type: 'application/octet-stream', disposition: 'attachment' },
  ])
})

test('a mail goes nowhere when an attachment cannot be had', async () => {
  answer = () => ({ status: 404, body: 'gone' })
  const { run, requests } = await runSendgrid({ attachments: [{ urlTemplate: 'https://files.example.com/a' }] })
  expect(run.payload.out).toEqual({
    error: { type: 'NotFound', message: 'The URL of an attachment answered 404: gone' },
  })
  expect(requests).toHaveLength(1)
})

test('attachments are together at most 20 MB', async () => {
  answer = () => ({ body: Buffer.alloc(5 << 20) })
  const attachments = Array.from({ length: 5 }, () => ({ urlTemplate: 'https://files.example.com/a' }))
  const { run, requests } = await runSendgrid({ attachments })
  expect(run.payload.out).toMatchObject({ error: { type: 'Validation' } })
  expect(requests.every(({ method }) => method === 'GET')).toBe(true)
})

test.each([
  [400, '{"errors":[{"message":"no subject"},{"message":"no body"}]}', 'Validation', 'no subject; no body'],
  [401, `{"message":"${key} is wrong"}`, 'Validation', '***** is wrong'],
  [404, '<Error><Message>gone</Message></Error>', 'NotFound', 'gone'],
  [429, 'slow down', 'RateLimit', 'slow down'],
  [503, '', 'Unavailable', undefined],
  [302, '', 'Validation', undefined],
])('an answer with status %i and %s is put at the result path as %s', async (status, body, type, said) => {
  answer = () => ({ status, body, headers: { location: 'https://elsewhere.example.com/' } })
  const { run, requests } = await runSendgrid()
  const message = `SendGrid answered ${status}${said === undefined ? '' : `: ${said}`}`
  expect(run.payload.out).toEqual({ error: { type, message } })
  expect(requests).toHaveLength(1)
})

test('no recipient is an error in the result, no key and a stored credential end the run', async () => {
  const nobody = await runSendgrid({ toAddresses: ['{{nobody}}'] })
  expect(nobody.run.payload.out).toMatchObject({ error: { type: 'Validation' } })
  expect((await runSendgrid({ sendgridApiKey: '' })).run.error?.code).toBe('config.empty')
  expect((await runSendgrid({ credentialNameTemplate: 'mine' })).run.error?.code).toBe('credential.missing')
  expect(provider.take()).toEqual([])
})

test('Mailgun gets the mail as a form of parts, at the domain of the sender', async () => {
  answer = () => ({ body: '{"id":"<1@mail.example.com>","message":"Queued. Thank you."}' })
  const attachments = [{ filenameTemplate: 'a.txt', contentTemplate: 'hi' }]
  const settings = { mailgunApiKey: '{{key}}', mailgunRegion: 'eu', ...mail, attachments }
  const run = await runNode(mailgun, { config: settings, payload, use: { http: provider.http } })
  expect(run.problems).toEqual([])
  expect(run.payload.out).toEqual({ success: true, id: '<1@mail.example.com>' })
  const [seen] = provider.take()
  expect(seen).toMatchObject({
    method: 'POST',
    origin: 'https://api.eu.mailgun.net',
    url: '/v3/mail.example.com/messages',
  })
  expect(seen!.headers.authorization).toBe(`Basic ${btoa(`api:${key}`)}`)
  const headers = { 'content-type': seen!.headers['content-type']! }
  const form = await new Response(new Uint8Array(seen!.body), { headers }).formData()
  const texts = [...form].filter(([, one]) => typeof one === 'string')
  expect(texts).toEqual([
    ['from', 'Reports <reports@mail.example.com>'],
    ['to', 'a@example.com'],
    ['to', 'b@example.com'],
    ['to', '"Bo" <c@example.com>'],
    ['cc', 'd@example.com'],
    ['bcc', 'e@example.com'],
    ['h:Reply-To', 'help@example.com'],
    ['subject', 'Line one Bcc: x@example.com'],
    ['html', '<b>Ada</b>'],
  ])
  const file = form.get('attachment') as File
  expect([file.name, await file.text()]).toEqual(['a.txt', 'hi'])
})

test('Mailgun in the United States is asked unless told otherwise, and a refusal is in the result', async () => {
  answer = () => ({ status: 401, body: 'Forbidden' })
  const run = await runNode(mailgun, { config: { mailgunApiKey: 'k', ...mail }, payload, use: { http: provider.http } })
  expect(provider.take()[0]!.origin).toBe('https://api.mailgun.net')
  expect(run.payload.out).toEqual({ error: { type: 'Validation', message: 'Mailgun answered 401: Forbidden' } })
})

const sms = {
  accountSid: 'AC1',
  authToken: 't0ken',
  fromNumber: '+1555',
  bodyTemplate: 'Hi {{name}}',
  resultsPath: 'out',
}

async function runTwilio(config: object, meta = {}) {
  const settings = { ...sms, ...config }
  const run = await runNode(twilio, { config: settings, meta, payload, use: { http: provider.http } })
  return { run, requests: provider.take() }
}

test('Twilio gets a message for each number, and its answers keep their order', async () => {
  let asked = 0
  answer = () => (++asked === 2 ? { status: 400, body: '{"code":21211,"message":"not a number"}' } : { status: 201 })
  const config = { toNumbers: ['+1', ' ', '+2', '+3'], mediaUrl: 'https://a.example.com/x.png', maxPrice: '0.1' }
  const { run, requests } = await runTwilio(config)
  expect(run.problems).toEqual([])
  expect(run.payload.out).toEqual([
    { success: true },
    { error: true, message: 'Twilio answered 400: not a number' },
    { success: true },
  ])
  expect(requests).toHaveLength(3)
  expect(requests[0]).toMatchObject({
    ...{ method: 'POST', origin: 'https://api.twilio.com', url: '/2010-04-01/Accounts/AC1/Messages.json' },
    headers: { authorization: `Basic ${btoa('AC1:t0ken')}`, 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect([...new URLSearchParams(String(requests[0]!.body))]).toEqual([
    ['To', '+1'],
    ['From', '+1555'],
    ['Body', 'Hi Ada'],
    ['MediaUrl', 'https://a.example.com/x.png'],
    ['MaxPrice', '0.1'],
  ])
})

test.each([
  [{ username: 'SK1' }, {}, 'SK1:t0ken'],
  [{ username: 'SK1' }, { authMethod: 'token' }, 'AC1:t0ken'],
  [{ username: 'SK1' }, { authMethod: 'apiKey' }, 'SK1:t0ken'],
])('Twilio with %j and %j knows who asks', async (config, meta, pair) => {
  const { requests } = await runTwilio({ toNumbers: ['+1'], ...config }, meta)
  expect(requests[0]!.headers.authorization).toBe(`Basic ${btoa(pair)}`)
})

test('text that is not well formed is no fault of ours', async () => {
  const { requests } = await runTwilio({ toNumbers: ['+1'], accountSid: 'a\ud800' })
  expect(requests[0]!.url).toBe('/2010-04-01/Accounts/a%EF%BF%BD/Messages.json')
  const config = { mailgunApiKey: 'k', ...mail, fromTemplate: 'a@b\ud800.example' }
  await runNode(mailgun, { config, payload, use: { http: provider.http } })
  expect(provider.take()[0]!.url).toBe('/v3/b%EF%BF%BD.example/messages')
})

test('a messaging service takes the place of a number, and an account cannot leave its part of the path', async () => {
  const config = { toNumbers: ['+1'], fromNumber: '', messagingServiceSid: 'MG1', accountSid: '../x?' }
  const { requests } = await runTwilio(config)
  expect(String(requests[0]!.body)).toBe('To=%2B1&MessagingServiceSid=MG1&Body=Hi+Ada')
  expect(requests[0]!.url).toBe('/2010-04-01/Accounts/..%2Fx%3F/Messages.json')
})

test.each([
  [{ authToken: '' }, {}, 'config.empty'],
  [{ fromNumber: '' }, {}, 'config.empty'],
  [{}, { authMethod: 'apiKey' }, 'config.empty'],
  [{ credentialNameTemplate: 'x' }, {}, 'credential.missing'],
  [{ toNumbers: Array.from({ length: 101 }, () => '+1') }, {}, 'config.type'],
])('Twilio with %j and %j ends the run with %s', async (config, meta, code) => {
  const { run, requests } = await runTwilio({ toNumbers: ['+1'], ...config }, meta)
  expect(run.error?.code).toBe(code)
  expect(requests).toEqual([])
})

const hook = 'https://hooks.slack.com/services/T1/B1/s3cret'

async function runSlack(config: object) {
  const settings = { urlPathTemplate: hook, resultPath: 'out', ...config }
  const run = await runNode(slack, { config: settings, payload: { a: 1 }, use: { http: provider.http } })
  return { run, requests: provider.take() }
}

test.each([
  [
    { textTemplate: 'Hi {{a}}', channelTemplate: '#ops' },
    { text: 'Hi 1', channel: '#ops' },
  ],
  [{ urlPathTemplate: '/services/T1/B1/s3cret' }, { text: '{"a":1}' }],
  [{ urlPathTemplate: 'T1/B1/s3cret', textTemplate: '{{none}}' }, { text: '{"a":1}' }],
])('Slack with %j gets %j', async (config, message) => {
  const { run, requests } = await runSlack(config)
  expect(run.payload.out).toEqual({ success: true, sent: 1 })
  const wanted = { method: 'POST', origin: 'https://hooks.slack.com', url: '/services/T1/B1/s3cret' }
  expect(requests[0]).toMatchObject({ ...wanted, headers: { 'content-type': 'application/json' } })
  expect(JSON.parse(String(requests[0]!.body))).toEqual(message)
})

test('what Slack refuses is in the result; without one it ends the run. The address of the webhook is told in neither', async () => {
  answer = () => ({ status: 403, body: 'no_service at /services/T1/B1/s3cret' })
  const { run } = await runSlack({})
  const message = 'Slack answered 403: no_service at *****'
  expect(run.payload.out).toEqual({ success: false, sent: 0, error: { message } })
  const { run: without } = await runSlack({ resultPath: '' })
  expect(without.error).toMatchObject({ code: 'service.failed', message })
})

test('an address of Slack inside the network is refused', async () => {
  const { openEgress } = await import('../../../server/egress.ts')
  const egress = openEgress()
  const config = { urlPathTemplate: 'http://127.0.0.1:1/x', resultPath: 'out' }
  const run = await runNode(slack, { config, use: { http: egress } })
  await egress.close()
  expect(run.payload.out).toMatchObject({ success: false, error: { message: expect.stringContaining('refused') } })
})
