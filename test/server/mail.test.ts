import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SMTPServer } from 'smtp-server'
import { expect, test } from 'vitest'
import { openMailer } from '../../server/mail.ts'
import { temporaryFolder } from '../helpers/store.ts'

async function outboxMailer(perMinute?: number) {
  const outbox = join(await temporaryFolder(), 'outbox')
  const mailer = openMailer({ smtpUrl: undefined, outbox, from: 'Headgate <noreply@example.com>', perMinute })
  const mails = async () =>
    Promise.all((await readdir(outbox).catch(() => [])).map((name) => readFile(join(outbox, name), 'utf8')))
  return { mailer, mails }
}

test('without an SMTP server each mail becomes a file', async () => {
  const { mailer, mails } = await outboxMailer()
  await mailer
    .forFlow('f')
    .send({ to: ['a@example.com, b@example.com'], subject: 'Grüße', html: '<p>Hi</p>', from: 'me@example.com' })
  const [mail] = await mails()
  expect(mail).toMatch(/^From: Headgate <noreply@example.com>$/m)
  expect(mail).toMatch(/^To: a@example.com, b@example.com$/m)
  expect(mail).toMatch(/^Reply-To: me@example.com$/m)
  expect(mail).toContain('<p>Hi</p>')
})

test.each([
  [{ to: ['a@example.com\r\nBcc: evil@example.com'] }],
  [{ to: ['a@example.com'], subject: 'Hi\r\nBcc: evil@example.com' }],
  [{ to: ['a@example.com'], from: 'x@example.com\r\nBcc: evil@example.com' }],
])('no header can be smuggled in: %j', async (mail) => {
  const { mailer, mails } = await outboxMailer()
  await mailer
    .forFlow('f')
    .send({ subject: '', html: '', ...mail })
    .catch((error) => expect(error.name).toBe('Refusal'))
  for (const text of await mails()) expect(text).not.toMatch(/^bcc:/im)
})

test.each([[[]], [['nobody']], [Array.from({ length: 6 }, (_, index) => `u${index}@example.com`)]])(
  'recipients %j are refused, and nothing is sent',
  async (to) => {
    const { mailer, mails } = await outboxMailer()
    await expect(mailer.forFlow('f').send({ to, subject: '', html: '' })).rejects.toMatchObject({ type: 'Validation' })
    expect(await mails()).toEqual([])
  },
)

test('one flow that sends too much does not keep another from sending', async () => {
  const { mailer, mails } = await outboxMailer(2)
  const mail = { to: ['a@example.com'], subject: '', html: '' }
  await mailer.forFlow('f1').send(mail)
  await mailer.forFlow('f1').send(mail)
  await expect(mailer.forFlow('f1').send(mail)).rejects.toMatchObject({ type: 'RateLimit' })
  await mailer.forFlow('f2').send(mail)
  expect(await mails()).toHaveLength(3)
})

test('a mail that the server does not take is a refusal that says nothing of the server', async () => {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_to, _session, done) => done(new Error('secret reason')),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as { port: number }
  const mailer = openMailer({ smtpUrl: `smtp://127.0.0.1:${port}`, outbox: '/nowhere', from: 'noreply@example.com' })
  const sending = mailer.forFlow('f').send({ to: ['a@example.com'], subject: '', html: 'x' })
  await expect(sending).rejects.toMatchObject({
    name: 'Refusal',
    type: 'Unavailable',
    message: expect.not.stringMatching(/secret|127/),
  })
  mailer.close()
  await new Promise<void>((resolve) => server.close(resolve))
})

test('speaks SMTP', async () => {
  const received: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      let text = ''
      stream.on('data', (part: Buffer) => {
        text += part.toString()
      })
      stream.on('end', () => {
        received.push(text)
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as { port: number }
  const mailer = openMailer({ smtpUrl: `smtp://127.0.0.1:${port}`, outbox: '/nowhere', from: 'noreply@example.com' })
  await mailer.forFlow('f').send({ to: ['a@example.com'], subject: 'Over the wire', html: 'x' })
  mailer.close()
  await new Promise<void>((resolve) => server.close(resolve))
  expect(received).toHaveLength(1)
  expect(received[0]).toContain('Subject: Over the wire')
})
