import { once } from 'node:events'
import { type AddressInfo, createServer, type LookupFunction, type Server } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ConnectionTls } from '../../../nodes/services/connections.ts'
import { type OpenConnections, openConnections } from '../../../server/connections/connections.ts'
import { testCert, testKey } from '../../helpers/certificate.ts'

const opened: OpenConnections[] = []
const servers: Server[] = []
let heard = ''
let redisPort = 0
let pgPort = 0

beforeAll(async () => {
  const credentials = { key: testKey, cert: testCert }
  // Redis: TLS from the first byte.
  const redis = createTlsServer(credentials, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      heard += data
      socket.write('+OK\r\n'.repeat(String(data).match(/\*\d+\r\n/g)?.length ?? 0))
    })
  })
  // PostgreSQL: TLS once both sides have said so; then a refusal that only a client that goes on can read.
  const pg = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write('S')
      const secure = new TLSSocket(socket, { isServer: true, ...credentials })
      secure.on('error', () => undefined)
      secure.on('data', (data) => {
        heard += data
        const body = Buffer.from('SFATAL\0C28000\0Msealed\0\0')
        const length = Buffer.alloc(4)
        length.writeInt32BE(body.length + 4)
        secure.end(Buffer.concat([Buffer.from('E'), length, body]))
      })
    })
  })
  for (const server of [redis, pg]) {
    server.on('error', () => undefined)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
  }
  ;[redisPort, pgPort] = servers.map((server) => (server.address() as AddressInfo).port) as [number, number]
})
afterEach(() => {
  heard = ''
  for (const one of opened.splice(0)) one.close()
})
afterAll(() => {
  for (const server of servers) server.close()
})

const lookup = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
  callback(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as LookupFunction

function open() {
  const connections = openConnections({ lookup, allowPrivate: ['127.0.0.1'] })
  opened.push(connections)
  return connections.of('app')
}

const { signal } = new AbortController()

function askRedis(host: string, tls: ConnectionTls) {
  const target = { hosts: [{ host, port: redisPort }], cluster: false, user: '', password: 'secret-word', database: 0 }
  return open().redis({ ...target, tls, command: 'PING', args: [], signal })
}

function askPostgres(host: string, tls: ConnectionTls) {
  const target = { system: 'pg' as const, host, port: pgPort, user: 'u', password: 'secret-word', database: '' }
  return open().sql({ ...target, tls, query: 'SELECT 1', signal })
}

test.each([
  ['secure.test', 'its own authority', { verify: true, ca: testCert }],
  ['other.test', 'no check', { verify: false }],
])('%s is spoken to with %s', async (host, _, tls) => {
  expect(await askRedis(host, tls)).toBe('OK')
  await expect(askPostgres(host, tls)).rejects.toThrow('PostgreSQL: sealed')
})

// The name is that of the author, not the address that it leads to; the address has no name of its own.
test.each([
  ['secure.test', 'authorities of the system', { verify: true }],
  ['other.test', 'the authority of another', { verify: true, ca: testCert }],
  ['127.0.0.1', 'the authority of another', { verify: true, ca: testCert }],
])('%s with %s is told nothing', async (host, _, tls) => {
  await expect(askRedis(host, tls)).rejects.toThrow(/certificate|altnames/i)
  await expect(askPostgres(host, tls)).rejects.toThrow(/certificate|altnames/i)
  expect(heard).toBe('')
})
