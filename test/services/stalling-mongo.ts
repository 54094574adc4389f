import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { openPrivateMongo } from './mongo.ts'

/** A server of this test alone that can stall: it goes on to say that it lives, and answers nothing else. Close it after use. */
export async function openStallingMongo() {
  const mongo = await openPrivateMongo()
  const target = Number(new URL(mongo.url).port)
  const sockets = new Set<Socket>()
  let stalled = false
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      // Its end is what the test wants, or the end of the test.
      socket.on('error', () => undefined)
    }
    client.on('data', (data) => {
      if (!stalled || /hello|ismaster/i.test(data.toString('latin1'))) upstream.write(data)
    })
    upstream.on('data', (data) => client.write(data))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stall: () => {
      stalled = true
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      await mongo.close()
    },
  }
}
