import { connect as connectSocket } from 'node:net'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { openSocket } from '../../../server/listen.ts'
import { noRelay } from '../../../server/mqtt/relay.ts'
import type { WebhookDocument } from '../../../server/store/documents/experience.ts'
import { openWebsockets, type WebsocketDeps } from '../../../server/websockets/websockets.ts'
import { openApplication } from '../../helpers/application.ts'
import { clientOf } from '../../helpers/client.ts'
import { addEcho, addWebhook, connect, openSocketWorld, scope } from './world.ts'

/** Connections without the rest of a server. */
async function openBare(change: Partial<WebsocketDeps> = {}, settings: Partial<WebhookDocument> = {}) {
  const { store, app } = await openApplication()
  const events: { type: string; message: Payload; replyId: string; headers: Payload }[] = []
  const ends: (() => void)[] = []
  const websockets = openWebsockets({
    ...{ store, baseDomain: 'localhost', trustedProxies: [], takes: true, relay: noRelay, now: Date.now },
    log: pino({ level: 'silent' }),
    async fire({ data, onEnd }) {
      events.push(data as never)
      ends.push(onEnd)
      onEnd()
      return 1
    },
    ...change,
  })
  const options = { requestTimeoutMs: 5_000, replyTimeoutMs: 5_000, upgrades: websockets }
  const server = openSocket((_request, response) => void response.writeHead(418).end(), options)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    await websockets.close()
    server.closeAllConnections()
    server.close()
  })
  const webhook = await addWebhook(app, settings)
  const { port } = server.address() as { port: number }
  const path = `/webhooks/${webhook.token}`
  return { app, websockets, webhook, events, ends, port, path, join: () => connect(port, path) }
}

const endOf = async (events: { type: string; message: Payload }[]) => {
  await vi.waitFor(() => expect(events.at(-1)?.type).toBe('disconnect'))
  return events.at(-1)!.message
}

test('a client connects, is answered by flows, and is answered in its order', async () => {
  const { app, port } = await openSocketWorld()
  const webhook = await addWebhook(app)
  await addEcho(app, webhook.id)
  const client = await connect(port, `/webhooks/${webhook.token}`)
  await vi.waitFor(() => expect(client.heard).toEqual(['connect {}']))
  for (const text of ['one', 'zwölf', '']) client.socket.send(text)
  client.socket.send(Buffer.from('three'))
  await vi.waitFor(() => expect(client.heard).toHaveLength(5))
  expect(client.heard.slice(1)).toEqual([
    'message {"data":"one","length":3}',
    'message {"data":"zwölf","length":6}',
    'message {"data":"","length":0}',
    'message {"data":"three","length":5}',
  ])
  client.socket.close(1000, 'done')
  expect(await client.closed).toBe(1000)
  const ended = () => app.collection('runs').count()
  await vi.waitFor(async () => expect(await ended()).toBe(6), 10_000)
})

test('flows get what the format names, and nothing of the cookies', async () => {
  const { events, port, path, webhook } = await openBare()
  const headers = { 'x-sender': 'me', authorization: 'Bearer x', cookie: 'a=1' }
  const { socket } = await connect(port, `${path}/more?a=1`, { headers })
  socket.send('x')
  socket.close(4000, 'bye')
  await endOf(events)
  expect(events.map(({ type, message }) => [type, message])).toEqual([
    ['connect', {}],
    ['message', { data: 'x', length: 1 }],
    ['disconnect', { reason: 'bye', statusCode: 4000 }],
  ])
  const [first] = events
  for (const event of events) {
    expect(Object.keys(event).sort()).toEqual(['headers', 'message', 'replyId', 'type'])
    expect(event.headers).toMatchObject({ 'x-sender': 'me', authorization: 'Bearer x', host: 'localhost' })
    expect(event.headers).not.toHaveProperty('cookie')
    expect(event.replyId).toBe(first!.replyId)
  }
  expect(first!.replyId).toMatch(new RegExp(`^${webhook.id}\\.`))
})

test.each([
  ['array', 'ÿ'],
  ['hex', 'c3bf'],
  ['base64', 'w78='],
] as const)('bytes come as the webhook casts them: %s', async (castBuffersAs, data) => {
  const { events, join } = await openBare({}, { castBuffersAs })
  const { socket } = await join()
  socket.send(Buffer.from('c3bf', 'hex'))
  await vi.waitFor(() => expect(events[1]?.message).toEqual({ data, length: 2 }))
})

describe('is refused', () => {
  test.each<[string, Partial<WebhookDocument>, string | undefined, string]>([
    ['a webhook that is called by HTTP', { isWebsocket: false }, undefined, '400'],
    ['a webhook that is off', { enabled: false }, undefined, '404'],
    ['a webhook with a password, without it', { basicAuthUsername: 'u', basicAuthPassword: 'p' }, undefined, '401'],
    ['a webhook for Alexa', { verificationType: 'alexa' }, undefined, '501'],
    ['a call that is not signed', { verificationType: 'twilio', verificationCode: 'x' }, undefined, '403'],
    ['a token that is unknown', {}, `/webhooks/${'b'.repeat(24)}-${'x'.repeat(32)}`, '404'],
  ])('%s', async (_, settings, path, status) => {
    const bare = await openBare({}, settings)
    await expect(connect(bare.port, path ?? bare.path)).rejects.toThrow(status)
    expect(bare.events).toEqual([])
  })

  test('one connection too many of an application', async () => {
    const { join, path, port } = await openBare({ limits: { connections: 2 } })
    const [first] = [await join(), await join()]
    await expect(connect(port, path)).rejects.toThrow('503')
    first.socket.close()
    await first.closed
    await vi.waitFor(join)
  })

  test('the hundred and first connection in ten seconds', async () => {
    const { join } = await openBare({ limits: { connectsPer10Seconds: 3 } })
    for (let i = 0; i < 3; i++) await join()
    await expect(join()).rejects.toThrow('429')
  })
})

test('a password lets in, and other requests are answered as ever, whatever they want to become', async () => {
  const { port, path } = await openBare({}, { basicAuthUsername: 'u', basicAuthPassword: 'p' })
  const authorization = `Basic ${Buffer.from('u:p').toString('base64')}`
  await connect(port, path, { headers: { authorization } })
  await expect(connect(port, '/elsewhere')).rejects.toThrow('418')
  const { send } = clientOf(port, 'localhost')
  expect(await send({ path, headers: { upgrade: 'h2c', connection: 'upgrade' } })).toMatchObject({ status: 418 })
})

describe('a connection ends', () => {
  test('at a message above 256 KB', async () => {
    const { join, events } = await openBare()
    const { socket, closed } = await join()
    socket.send('x'.repeat(256 * 1024))
    socket.send('x'.repeat(256 * 1024 + 1))
    expect(await closed).toBe(1009)
    expect(await endOf(events)).toMatchObject({ statusCode: 1009 })
    expect(events.map(({ type }) => type)).toEqual(['connect', 'message', 'disconnect'])
  })

  test('at too many messages', async () => {
    const { join, events } = await openBare({ limits: { messagesPer10Seconds: 5 } })
    const { socket, closed } = await join()
    for (let i = 0; i < 50; i++) socket.send('x')
    expect(await closed).toBe(1008)
    expect(await endOf(events)).toMatchObject({ statusCode: 1008 })
    expect(events.filter(({ type }) => type === 'message')).toHaveLength(5)
  })

  test('when the client breaks off', async () => {
    const { join, events } = await openBare()
    const { socket } = await join()
    socket.terminate()
    expect(await endOf(events)).toEqual({ reason: '', statusCode: 1006 })
  })

  test('when the client does not answer any more', async () => {
    const { join, events, websockets } = await openBare()
    const { socket } = await join()
    // It reads no question, so it answers none.
    socket.pause()
    await websockets.check()
    expect(events.map(({ type }) => type)).not.toContain('disconnect')
    await websockets.check()
    expect(await endOf(events)).toMatchObject({ statusCode: 1006 })
  })

  test('when the client does not read what flows say', async () => {
    const { join, events, websockets } = await openBare({ limits: { bufferedBytes: 1_000_000 } })
    const { socket } = await join()
    await vi.waitFor(() => expect(events).toHaveLength(1))
    socket.pause()
    const message = { bytes: Buffer.alloc(200_000), binary: true }
    while (websockets.connections() > 0 && events.length === 1) {
      await websockets.send(scope, events[0]!.replyId, message)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await endOf(events)).toMatchObject({ reason: 'Reads too slowly' })
  })

  test.each<[string, Partial<WebhookDocument>]>([
    ['off', { enabled: false }],
    ['no longer for connections', { isWebsocket: false }],
    ['given another token', { tokenHash: 'f'.repeat(64) }],
  ])('when its webhook is %s', async (_, change) => {
    const { join, app, webhook, websockets } = await openBare()
    const { closed } = await join()
    await app.collection('webhooks').update(webhook.id, change)
    await websockets.check()
    expect(await closed).toBe(1008)
  })

  test('when flows cannot be started', async () => {
    const { join } = await openBare({ fire: () => Promise.reject(new Error('away')) })
    expect(await (await join()).closed).toBe(1011)
  })

  test('with the server: flows hear of it, and nobody comes any more', async () => {
    const { join, events, websockets } = await openBare()
    const { closed } = await join()
    await websockets.close()
    expect(await closed).toBe(1012)
    expect(events.at(-1)).toMatchObject({ type: 'disconnect', message: { statusCode: 1012 } })
    await expect(join()).rejects.toThrow('503')
  })
})

test('what a client sends is not read while flows are behind, and all of it in the end', async () => {
  const waiting: (() => void)[] = []
  const began = { count: 0 }
  const { join, websockets } = await openBare({
    limits: { unfinished: 3 },
    async fire({ onEnd }) {
      began.count += 1
      return waiting.push(onEnd)
    },
  })
  const { socket } = await join()
  for (let i = 0; i < 40; i++) socket.send('x'.repeat(250_000))
  await vi.waitFor(() => expect(began.count).toBeGreaterThanOrEqual(4))
  // What is asked and answered in both ways would be answered if it were read.
  const pinged = vi.fn()
  socket.on('pong', pinged)
  socket.ping()
  await websockets.check()
  expect(pinged).not.toHaveBeenCalled()
  expect(began.count).toBeLessThan(10)
  while (began.count < 41) {
    for (const end of waiting.splice(0)) end()
    await new Promise((resolve) => setImmediate(resolve))
  }
})

test('another application has no way to a client, whatever it knows of it', async () => {
  const { join, events, websockets } = await openBare()
  const { heard } = await join()
  await vi.waitFor(() => expect(events).toHaveLength(1))
  const { replyId } = events[0]!
  const other = { tenant: 't1', application: 'b'.repeat(24) }
  await websockets.send(other, replyId, { bytes: Buffer.from('no'), binary: false })
  await websockets.send({ ...scope, tenant: 't2' }, replyId, { bytes: Buffer.from('no'), binary: false })
  await websockets.send(scope, replyId, { bytes: Buffer.from('yes'), binary: true })
  await vi.waitFor(() => expect(heard).toEqual(['hex:796573']))
})

test('garbage in the place of frames ends one connection, not the server', async () => {
  const { port, path, join } = await openBare()
  const socket = connectSocket(port, '127.0.0.1')
  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  const lines = [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Upgrade: websocket', 'Connection: Upgrade']
  socket.write([...lines, `Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13', '', ''].join('\r\n'))
  await new Promise((resolve) => socket.once('data', resolve))
  socket.write(Buffer.alloc(1_000, 0xff))
  await new Promise((resolve) => socket.once('close', resolve).resume())
  await join()
})
