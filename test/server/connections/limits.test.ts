import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  type ConnectionsOptions,
  type OpenConnections,
  openConnections,
} from '../../../server/connections/connections.ts'

// Greets everybody, and answers with a text of a gigabyte.
const sockets = new Set<Socket>()
let sent = 0
let port = 0
const server = createServer((socket) => {
  sockets.add(socket)
  socket.on('error', () => undefined)
  socket.on('data', (data) => {
    if (!/\r\nGET\r\n/.test(String(data))) return void socket.write('+OK\r\n')
    socket.write('$1000000000\r\n')
    const piece = Buffer.alloc(1 << 16, 'x')
    const go = () => {
      while (!socket.destroyed) {
        sent += piece.length
        if (!socket.write(piece)) return
      }
    }
    socket.on('drain', go)
    go()
  })
})
const opened: OpenConnections[] = []
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterEach(() => {
  sockets.clear()
  for (const one of opened.splice(0)) one.close()
})
afterAll(() => server.close())

function get(options: ConnectionsOptions) {
  const connections = openConnections(options)
  opened.push(connections)
  const { signal } = new AbortController()
  const target = {
    hosts: [{ host: '127.0.0.1', port }],
    cluster: false,
    user: '',
    password: '',
    database: 0,
    tls: undefined,
  }
  return connections.of('app').redis({ ...target, command: 'GET', args: ['a'], signal })
}

test('an answer is not read to its end once it is too large', async () => {
  await expect(get({ allowPrivate: true })).rejects.toMatchObject({ type: 'Validation' })
  await expect.poll(() => [...sockets].every(({ destroyed }) => destroyed)).toBe(true)
  expect(sent).toBeLessThan(500_000_000)
})

test('an address inside the network is not even connected to', async () => {
  await expect(get({ allowPrivate: false })).rejects.toMatchObject({ type: 'Unavailable' })
  await expect(get({ allowPrivate: true, mostMs: 5_000 })).rejects.toMatchObject({ type: 'Validation' })
  expect(sockets.size).toBe(1)
})
