import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type MailMessage, openMailDelivery } from '../../server/mail-delivery.ts'
import { headersOf, openSmtp, type SmtpAnswers } from '../helpers/smtp.ts'
import { temporaryFolder } from '../helpers/store.ts'

const never = new AbortController().signal
const mail: MailMessage = { id: 'a1', to: ['a@example.com'], subject: 'Hi', html: '<p>Hi</p>' }
const from = 'Headgate <noreply@example.com>'

function deliveryTo(smtpUrl: string | undefined, outbox = '/nowhere') {
  const timeouts = { connectionMs: 1_000, answerMs: 1_000, wholeMs: 5_000 }
  return openMailDelivery({ smtpUrl, outbox, from, timeouts })
}

test('hands a mail to the server, named by its id', async () => {
  const smtp = await openSmtp()
  const sent = await deliveryTo(smtp.url).deliver({ ...mail, replyTo: 'b@example.com', subject: 'Grüße' }, never)
  expect(sent).toEqual({ rejected: [] })
  expect(smtp.mails.map(({ to }) => to)).toEqual([['a@example.com']])
  const headers = headersOf(smtp.mails[0]!.raw)
  expect(headers.get('message-id')).toEqual(['<a1@example.com>'])
  expect(headers.get('from')).toEqual([from])
  expect(headers.get('reply-to')).toEqual(['b@example.com'])
})

test('an id names one file of the outbox, however often it is delivered', async () => {
  const outbox = join(await temporaryFolder(), 'outbox')
  const { deliver } = deliveryTo(undefined, outbox)
  await deliver(mail, never)
  await deliver({ ...mail, subject: 'again' }, never)
  expect(await readdir(outbox)).toEqual(['a1.eml'])
  expect(await readFile(join(outbox, 'a1.eml'), 'utf8')).toContain('Subject: again')
})

describe('what becomes of a mail that is not simply taken', () => {
  test.each<[string, SmtpAnswers, string, number]>([
    ['no greeting', { onConnect: 'silence' }, 'not-taken', 0],
    ['a greeting that refuses', { onConnect: 554 }, 'not-taken', 0],
    ['a broken connection before the mail', { onRcpt: () => 'drop' }, 'not-taken', 0],
    ['no answer before the mail', { onRcpt: () => 'silence' }, 'not-taken', 0],
    ['recipients refused for now', { onRcpt: () => 451 }, 'not-taken', 0],
    ['recipients refused for good', { onRcpt: () => 550 }, 'refused', 0],
    ['the mail refused for now', { onData: () => 451 }, 'not-taken', 0],
    ['the mail refused as the server closes', { onData: () => 421 }, 'not-taken', 0],
    ['the mail refused for good', { onData: () => 554 }, 'refused', 0],
    ['a broken connection after the mail', { onData: () => 'drop' }, 'unknown', 1],
    ['no answer after the mail', { onData: () => 'silence' }, 'unknown', 1],
  ])('%s', async (_, answers, fate, taken) => {
    const smtp = await openSmtp(answers)
    const sending = deliveryTo(smtp.url).deliver(mail, never)
    await expect(sending).rejects.toMatchObject({ name: 'MailError', fate })
    await expect(sending).rejects.toThrow(/^(?!.*(secret|127|\d{3})).*$/)
    expect(smtp.mails).toHaveLength(taken)
  })

  test('nobody listens', async () => {
    const smtp = await openSmtp()
    await smtp.close()
    await expect(deliveryTo(smtp.url).deliver(mail, never)).rejects.toMatchObject({ fate: 'not-taken' })
  })

  test('a host name that does not exist', async () => {
    const sending = deliveryTo('smtp://nowhere.invalid:25').deliver(mail, never)
    await expect(sending).rejects.toMatchObject({ fate: 'not-taken' })
  })

  test('some recipients are refused: the others get it, once', async () => {
    const smtp = await openSmtp({ onRcpt: (address) => (address === 'b@example.com' ? 550 : 0) })
    const to = ['a@example.com', 'b@example.com', 'c@example.com']
    expect(await deliveryTo(smtp.url).deliver({ ...mail, to }, never)).toEqual({ rejected: ['b@example.com'] })
    expect(smtp.mails.map((one) => one.to)).toEqual([['a@example.com', 'c@example.com']])
  })
})

test('a signal stops what has not begun, and what waits for an answer before the mail', async () => {
  const stop = new AbortController()
  const smtp = await openSmtp({
    onRcpt() {
      stop.abort()
      return 'silence'
    },
  })
  const { deliver } = openMailDelivery({ smtpUrl: smtp.url, outbox: '/nowhere', from })
  await expect(deliver(mail, stop.signal)).rejects.toMatchObject({ fate: 'not-taken' })
  await expect(deliver(mail, stop.signal)).rejects.toMatchObject({ fate: 'not-taken' })
  expect(smtp.mails).toEqual([])
})

test('a signal does not stop a mail that the server has whole', async () => {
  const stop = new AbortController()
  const smtp = await openSmtp({
    onData() {
      stop.abort()
      return 0
    },
  })
  expect(await deliveryTo(smtp.url).deliver(mail, stop.signal)).toEqual({ rejected: [] })
  expect(smtp.mails).toHaveLength(1)
})

test('no text makes a header of its own, whatever it holds', async () => {
  const smtp = await openSmtp()
  const { deliver } = openMailDelivery({ smtpUrl: smtp.url, outbox: '/nowhere', from })
  const breaks = ['\r\n', '\n', '\r', '\u2028', '\u2029', '\u0085', '\v', '\f', '\0', '\r\n ', '=?utf-8?q?=0D=0A?=']
  const hostile = fc
    .tuple(fc.string({ unit: 'binary' }), fc.constantFrom(...breaks), fc.constantFrom('Bcc: evil@example.com', 'X: y'))
    .map(([text, end, header]) => `${text}${end}${header}`)
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (subject, address) => {
      smtp.mails.length = 0
      const to = ['a@example.com', `a@example.com${address}`]
      await deliver({ ...mail, to, subject, replyTo: `b@example.com${address}` }, never)
      const [{ to: recipients, raw }] = smtp.mails as [{ to: string[]; raw: string }]
      const headers = headersOf(raw)
      expect(recipients).toEqual(['a@example.com'])
      const names = [
        'content-transfer-encoding',
        'content-type',
        'date',
        'from',
        'message-id',
        'mime-version',
        'subject',
        'to',
      ]
      expect([...headers.keys()].sort()).toEqual(names)
      for (const values of headers.values()) expect(values).toHaveLength(1)
      // What a mail program makes of the subject is one line, too.
      const shown = headers.get('subject')![0]!.replace(/=\?[^?]*\?[bq]\?[^?]*\?=/gi, decoded)
      expect(shown).not.toMatch(/[\r\n\u2028\u2029\u0085\v\f\0]/)
    }),
    { numRuns: 10 },
  )
})

function decoded(word: string): string {
  const [, , kind = '', text = ''] = word.split('?')
  if (kind.toLowerCase() === 'b') return Buffer.from(text, 'base64').toString()
  const bytes = text
    .replaceAll('_', ' ')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
