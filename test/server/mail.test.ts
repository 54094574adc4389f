import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { NewJob } from '../../server/jobs/port.ts'
import { type MailerOptions, openMailer } from '../../server/mail.ts'
import type { JobDocument } from '../../server/store/documents/jobs.ts'
import type { AppStore } from '../../server/store/port.ts'
import { openSmtp } from '../helpers/smtp.ts'
import { openTestStore, temporaryFolder } from '../helpers/store.ts'

const from = 'Headgate <noreply@example.com>'
const mail = { to: ['a@example.com'], subject: 'Hi', html: '<p>Hi</p>' }

/** A mailer in front of a queue that nobody works on. */
async function openQueued(options: Partial<MailerOptions> = {}) {
  const app = (await openTestStore()).app({ tenant: 't', application: 'a'.repeat(24) })
  const added: NewJob[] = []
  const add = async (job: NewJob) => {
    added.push(job)
    return {} as JobDocument
  }
  const clock = { now: Date.UTC(2026, 0, 1) }
  const common = { smtpUrl: undefined, outbox: '/nowhere', from, now: () => clock.now }
  const open = () => openMailer({ ...common, queue: { of: () => ({ add }) }, ...options })
  return { app, added, clock, open, ...open() }
}

test('a mail is queued, with what the job needs', async () => {
  const { app, added, forFlow } = await openQueued()
  await forFlow(app, 'f1').send({
    ...mail,
    to: ['a@example.com, b@example.com', ' a@example.com'],
    from: 'me@example.com',
  })
  const input = { ...mail, to: ['a@example.com', 'b@example.com'], replyTo: 'me@example.com' }
  expect(added).toEqual([{ kind: 'mail', input, requestedBy: { type: 'flow', id: 'f1' } }])
})

test('a key is that of the flow, and short', async () => {
  const { app, added, forFlow } = await openQueued()
  await forFlow(app, 'f1').send({ ...mail, key: 'k' })
  await forFlow(app, 'f2').send({ ...mail, key: 'k' })
  expect(added.map(({ key }) => key)).toEqual(['mail f1 k', 'mail f2 k'])
  const long = forFlow(app, 'f1').send({ ...mail, key: 'k'.repeat(201) })
  await expect(long).rejects.toMatchObject({ name: 'Refusal', type: 'Validation' })
  expect(added).toHaveLength(2)
})

test.each([
  [[]],
  [['nobody']],
  [['a@example.com\r\nBcc: evil@example.com']],
  [['a@example.com\u0085x']],
  [['=?utf-8?q?a?=@example.com']],
  [['a@b@example.com']],
  [['Ada <a@example.com>']],
  [Array.from({ length: 6 }, (_, index) => `u${index}@example.com`)],
])('recipients %j are refused, and nothing is queued', async (to) => {
  const { app, added, forFlow } = await openQueued()
  await expect(forFlow(app, 'f').send({ ...mail, to })).rejects.toMatchObject({ type: 'Validation' })
  expect(added).toEqual([])
})

test('an address for answers that is none is left out', async () => {
  const { app, added, forFlow } = await openQueued()
  await forFlow(app, 'f').send({ ...mail, from: 'x@example.com\r\nBcc: evil@example.com' })
  expect(added).toMatchObject([{ input: mail }])
  expect(added[0]?.input).not.toHaveProperty('replyTo')
})

test('a flow sends so many mails a minute, over all processes, and keeps no other from sending', async () => {
  const { app, added, clock, open } = await openQueued({ perMinute: 3 })
  const sendAll = (mailers: { forFlow: (app: AppStore, id: string) => { send(one: typeof mail): Promise<void> } }[]) =>
    Promise.allSettled(mailers.map(({ forFlow }) => forFlow(app, 'f1').send(mail)))
  const results = await sendAll([open(), open(), open(), open(), open()])
  const refused = results.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(2)
  expect(refused[0]).toMatchObject({ reason: { name: 'Refusal', type: 'RateLimit' } })
  await open().forFlow(app, 'f2').send(mail)
  clock.now += 60_000
  await open().forFlow(app, 'f1').send(mail)
  expect(added).toHaveLength(5)
  expect(Object.keys(await app.values.entries('mail:f1'))).toHaveLength(1)
})

test('without a queue a mail is sent at once', async () => {
  const outbox = join(await temporaryFolder(), 'outbox')
  const { app, forFlow } = await openQueued({ queue: undefined, outbox })
  await forFlow(app, 'f').send({ ...mail, from: 'me@example.com' })
  const [name, ...more] = await readdir(outbox)
  expect(more).toEqual([])
  const text = await readFile(join(outbox, name!), 'utf8')
  expect(text).toMatch(/^From: Headgate <noreply@example.com>$/m)
  expect(text).toMatch(/^To: a@example.com$/m)
  expect(text).toMatch(/^Reply-To: me@example.com$/m)
  expect(text).toContain('<p>Hi</p>')
})

test('without a queue a mail that the server does not take is a refusal that says nothing of the server', async () => {
  const smtp = await openSmtp({ onRcpt: () => 550 })
  const { app, forFlow } = await openQueued({ queue: undefined, smtpUrl: smtp.url })
  const sending = forFlow(app, 'f').send(mail)
  const message = expect.not.stringMatching(/secret|127/)
  await expect(sending).rejects.toMatchObject({ name: 'Refusal', type: 'Unavailable', message })
})
