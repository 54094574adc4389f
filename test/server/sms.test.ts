import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sms } from '../../nodes/output/sms.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { readConfig } from '../../server/config.ts'
import { openTexter } from '../../server/sms.ts'
import { noting } from '../helpers/fakes.ts'
import { openProvider, type ProviderAnswer, type ProviderStandIn } from '../helpers/provider.ts'
import { runNode } from '../helpers/run-node.ts'
import { openTestStore, temporaryFolder } from '../helpers/store.ts'

let provider: ProviderStandIn
let answer: ProviderAnswer = { status: 201 }
beforeAll(async () => {
  provider = await openProvider(() => answer)
})
afterAll(() => provider.close())

const { signal } = new AbortController()
const message = { to: '+1 (555) 123-4567', text: 'Pump 7', signal }

async function open(smsUrl?: string) {
  const app = (await openTestStore()).app({ tenant: 't', application: 'a'.repeat(24) })
  const outbox = join(await temporaryFolder(), 'outbox')
  const clock = { now: Date.UTC(2026, 0, 1) }
  const texter = openTexter({ smsUrl, outbox, http: provider.http, now: () => clock.now })
  return { app, outbox, clock, texter, send: texter.forFlow(app, 'f1').send }
}

test('without an account each message becomes a file', async () => {
  const { send, outbox } = await open()
  await send(message)
  const [name] = await readdir(outbox)
  expect(await readFile(join(outbox, name!), 'utf8')).toBe('To: +15551234567\n\nPump 7\n')
})

test('with an account at Twilio it is sent there', async () => {
  const { smsUrl } = readConfig({
    ...{ DATA_DIR: await temporaryFolder(), SMS_URL: 'twilio://AC1:t%40ken@api/?from=+15550009999' },
  })
  const { send } = await open(smsUrl)
  await send(message)
  const [seen] = provider.take()
  expect(seen).toMatchObject({ origin: 'https://api.twilio.com', url: '/2010-04-01/Accounts/AC1/Messages.json' })
  expect(seen!.headers.authorization).toBe(`Basic ${btoa('AC1:t@ken')}`)
  const form = { To: '+15551234567', From: '+15550009999', Body: 'Pump 7' }
  expect(Object.fromEntries(new URLSearchParams(String(seen!.body)))).toEqual(form)
  answer = { status: 400, body: '{"message":"t@ken is wrong"}' }
  const refusal = { type: 'Validation', message: 'Twilio answered 400: ***** is wrong' }
  await expect(send(message)).rejects.toMatchObject(refusal)
})

test.each(['5551234567', '+0123456', '+1', 'ada', '+1555123456789012'])('%s is no number', async (to) => {
  const { send, outbox } = await open()
  await expect(send({ ...message, to })).rejects.toMatchObject({ type: 'Validation' })
  await expect(readdir(outbox)).rejects.toThrow('ENOENT')
})

test.each(['', 'x'.repeat(1601)])('a text must be there, and be short', async (text) => {
  await expect((await open()).send({ ...message, text })).rejects.toMatchObject({ type: 'Validation' })
})

test('a flow sends at most ten in ten minutes; others are not held up', async () => {
  const { send, texter, app, clock } = await open()
  for (let i = 0; i < 10; i++) await send(message)
  await expect(send(message)).rejects.toMatchObject({ type: 'RateLimit' })
  await texter.forFlow(app, 'f2').send(message)
  clock.now += 600_000
  await send(message)
})

test.each(['twilio://AC1@api/?from=+1', 'twilio://AC1:hush@api/', 'smtp://x:hush@y'])(
  'SMS_URL %s is refused',
  async (url) => {
    const dataDir = await temporaryFolder()
    const read = () => readConfig({ DATA_DIR: dataDir, SMS_URL: url })
    expect(read).toThrow(
      expect.objectContaining({ name: 'ConfigError', message: expect.stringMatching(/^SMS_URL: expected/) }),
    )
    expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hush') }))
  },
)

test('the node sends what its templates give, and puts a refusal at the result path', async () => {
  const config = { phoneNumberTemplate: '{{to}}', bodyTemplate: 'Hi {{name}}', resultPath: 'out' }
  const payload = { to: '+1555', name: 'Ada' }
  const send = noting<[object], void>(undefined as undefined)
  const run = await runNode(sms, { config, payload, use: { sms: { send: send.method } } })
  expect(run).toMatchObject({ output: 'next', problems: [], payload: { out: { success: true } } })
  expect(send.calls[0]![0]).toMatchObject({ to: '+1555', text: 'Hi Ada' })
  const refused = noting<[object], void>(new Refusal('RateLimit', 'too many'))
  const failed = await runNode(sms, { config, payload, use: { sms: { send: refused.method } } })
  expect(failed.payload.out).toEqual({ error: { type: 'RateLimit', message: 'too many' } })
  expect((await runNode(sms, { config, use: { sms: { send: send.method } } })).error?.code).toBe('config.empty')
})
