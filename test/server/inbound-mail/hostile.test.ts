import { describe, expect, test } from 'vitest'
import { openMailReader } from '../../../server/inbound-mail/reader.ts'
import { address, begin, DOMAIN, openMailWorld, openRawClient } from './world.ts'

const trigger = { type: 'inboundEmail', key: 'default', config: {}, outputIds: [[]] }
const to = address()

async function listening(deps: Parameters<typeof openMailWorld>[0] = {}) {
  const world = await openMailWorld(deps)
  await world.addFlow({ name: 'Listens', triggers: [trigger] })
  return world
}

const mb = 1_000_000
const nested = (depth: number) =>
  Array.from({ length: depth }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`).join('')

describe('a mail is refused for good, and the next one taken, when it', () => {
  test.each<[string, string, number]>([
    ['has a header of megabytes', `Subject: ${'a'.repeat(2 * mb)}\r\n\r\nx`, 554],
    ['has a hundred thousand headers', `${'X-A: b\r\n'.repeat(100_000)}\r\nx`, 554],
    ['nests its parts ten thousand deep', nested(10_000), 554],
    ['has a million lines', `\r\n\r\n${'\r\n'.repeat(mb)}`, 552],
    ['has more text than a run takes', `Subject: x\r\n\r\n${'a'.repeat(mb)}`, 552],
    [
      'has thousands of parts',
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\nContent-Type: image/png\r\n\r\nx\r\n'.repeat(3_000)}`,
      552,
    ],
    ['is too large', `Subject: x\r\n\r\n${'a'.repeat(10 * mb)}`, 552],
  ])('%s', async (_, raw, code) => {
    const world = await listening()
    const client = await world.talk()
    expect(await begin(client, to)).toBe(354)
    expect(await client.say(`${raw}\r\n.`)).toBe(code)
    expect(await world.begun()).toEqual([])
    expect(await begin(client, to)).toBe(354)
    expect(await client.say('Subject: fine\r\n\r\nx\r\n.')).toBe(250)
    expect(await world.begun()).toHaveLength(1)
  })
})

test('what says that it is too large is refused before it is sent', async () => {
  const client = await (await listening()).talk()
  await client.say('EHLO tester')
  expect(await client.say('MAIL FROM:<a@example.com> SIZE=10000001')).toBe(552)
})

test('a line without an end closes the connection', async () => {
  const client = await (await listening()).talk()
  client.socket.write('A'.repeat(100_000))
  await client.closed
})

test('a client that says nothing is let go', async () => {
  const world = await listening({ deps: { limits: { idleMs: 50 } } })
  const client = await world.talk()
  await client.closed
  expect(client.heard()).toContain('421')
})

test('a client that goes on for ever is let go, though it is never silent', async () => {
  const world = await listening({ deps: { limits: { connectionMs: 500 } } })
  const client = await world.talk()
  expect(await begin(client, to)).toBe(354)
  const drip = setInterval(() => client.socket.write('x\r\n'), 20)
  await client.closed
  clearInterval(drip)
  expect(await world.begun()).toEqual([])
})

test('a mail that breaks off starts nothing', async () => {
  const world = await listening()
  const client = await world.talk()
  expect(await begin(client, to)).toBe(354)
  client.socket.end('Subject: half\r\n\r\nx')
  await client.closed
  expect(await world.begun()).toEqual([])
  expect(await world.send({ to, text: 'whole' })).toBe(250)
  expect(await world.begun()).toHaveLength(1)
})

test('one address has few connections, and leaves room for others', async () => {
  const world = await listening({ deps: { limits: { connectionsOfAddress: 2 } } })
  const [first] = [await world.talk(), await world.talk()]
  const third = await openRawClient(world.receiver.port)
  await third.closed
  expect(third.heard()).toBe('')
  first.socket.destroy()
  await first.closed
  // The server hears of it a little later.
  for (;;) {
    const next = await openRawClient(world.receiver.port)
    if (next.heard().startsWith('220')) break
  }
})

test('who guesses addresses is cut off', async () => {
  const world = await listening()
  const client = await world.talk()
  await client.say('EHLO tester')
  await client.say('MAIL FROM:<a@example.com>')
  const codes: number[] = []
  for (let i = 0; i < 11; i++) codes.push(await client.say(`RCPT TO:<nobody${i}@${DOMAIN}>`))
  expect(codes).toEqual([...Array(10).fill(550), 421])
  await client.closed
})

test('mails take no more memory than there is for them', async () => {
  const world = await listening({ deps: { limits: { heldBytesPerApplication: 1_000 } } })
  expect(await world.send({ to, text: 'a'.repeat(10_000) })).toBe(452)
  expect(await world.send({ to, text: 'a' })).toBe(250)
})

test('no way in by the ends of lines: a dot that ends no mail is text', async () => {
  const world = await listening()
  const client = await world.talk()
  expect(await begin(client, to)).toBe(354)
  const smuggled = `Subject: one\r\n\r\nx\n.\nMAIL FROM:<evil@example.com>\nRCPT TO:<${to}>\nDATA\nSubject: two\n\ny\r\n.`
  expect(await client.say(smuggled)).toBe(250)
  expect(await world.begun()).toMatchObject([{ data: { subject: 'one' } }])
})

test('nobody logs in, upgrades or asks who is there', async () => {
  const client = await (await listening()).talk()
  await client.say('EHLO tester')
  expect(client.heard()).not.toMatch(/AUTH|STARTTLS/)
  expect(await client.say('STARTTLS')).toBe(500)
  expect(await client.say('VRFY root')).not.toBe(250)
})

test('a mail that takes too long to read is to be sent later, and its thread is ended', async () => {
  const reader = openMailReader({ timeoutMs: 1, atOnce: 1 })
  const raw = Buffer.from('Subject: x\r\n\r\nx')
  const reads = [reader.read(raw), reader.read(raw)]
  const ends = await Promise.allSettled(reads)
  expect(ends).toMatchObject(Array(2).fill({ reason: { name: 'MailRefusal', responseCode: 451 } }))
  await reader.close()
})
