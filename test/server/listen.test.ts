import { once } from 'node:events'
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { listen, openSocket } from '../../server/listen.ts'

const upgrades = { asks: () => false, upgrade: () => undefined }

test('a server that closes ends each connection with its answer, and is closed when all are answered', async () => {
  const waiting: ServerResponse[] = []
  const server = openSocket((_request, response) => void waiting.push(response), {
    ...{ requestTimeoutMs: 10_000, replyTimeoutMs: 10_000, upgrades },
  })
  await listen(server, { port: 0, host: '127.0.0.1' })
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => {
    agent.destroy()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const ask = () => once(get({ agent, host: '127.0.0.1', port }), 'response') as Promise<[IncomingMessage]>
  const connectionOf = ([answer]: [IncomingMessage]) => answer.resume().headers.connection

  const before = ask()
  await expect.poll(() => waiting.length).toBe(1)
  waiting.pop()!.end()
  expect(connectionOf(await before)).toBe('keep-alive')

  const during = ask()
  // Its headers are out: that the connection ends can no longer be said with this answer, but with the next.
  const begun = ask()
  await expect.poll(() => waiting.length).toBe(2)
  waiting[1]!.flushHeaders()
  expect((await begun)[0].headers.connection).toBe('keep-alive')
  const closed = once(server, 'close')
  server.close()
  waiting[0]!.end()
  expect(connectionOf(await during)).toBe('close')
  const next = begun.then(([answer]) => once(answer.resume(), 'end')).then(ask)
  waiting[1]!.end()
  await expect.poll(() => waiting.length).toBe(3)
  waiting[2]!.end()
  expect(connectionOf(await next)).toBe('close')
  await closed
})
