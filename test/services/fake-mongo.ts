import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { BSON } from 'mongodb'

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013

/**
 * Says what a MongoDB says when a driver comes, and refuses everything else with `refusal`: for servers that nobody wants to
 * install. Close it after use.
 */
export async function openFakeMongo(options: {
  version: string
  maxWireVersion: number
  refusal?: object
  /** What it says of itself besides, such as the set that it is a member of. */
  hello?: object
}) {
  const { version, maxWireVersion, refusal = { ok: 0, code: 59, errmsg: 'no such command' } } = options
  const hello = { helloOk: true, isWritablePrimary: true, ismaster: true, minWireVersion: 0, maxWireVersion, ok: 1 }
  const sizes = { maxBsonObjectSize: 16777216, maxMessageSizeBytes: 48000000, maxWriteBatchSize: 100000 }
  const sockets = new Set<Socket>()

  const answerOf = (command: string) => {
    if (/^(hello|ismaster)$/i.test(command)) return { ...hello, ...sizes, ...options.hello }
    return command === 'buildInfo' ? { version, ok: 1 } : refusal
  }

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    let held = Buffer.alloc(0)
    socket.on('data', (data) => {
      held = Buffer.concat([held, data])
      while (held.length >= 4 && held.length >= held.readInt32LE(0)) {
        const message = held.subarray(0, held.readInt32LE(0))
        held = held.subarray(message.length)
        socket.write(replyTo(message, answerOf))
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    host: `127.0.0.1:${port}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function replyTo(message: Buffer, answerOf: (command: string) => object): Buffer {
  const [id, code] = [message.readInt32LE(4), message.readInt32LE(12)]
  // After the header: flags, and for a query the name of the collection and two numbers.
  const body = code === OP_QUERY ? message.indexOf(0, 20) + 9 : 21
  const command = BSON.deserialize(message.subarray(body, body + message.readInt32LE(body)))
  const answer = BSON.serialize(answerOf(Object.keys(command)[0] ?? ''))
  const before = code === OP_QUERY ? Buffer.alloc(20) : Buffer.alloc(5)
  if (code === OP_QUERY) before.writeInt32LE(1, 16)
  const header = Buffer.alloc(16)
  header.writeInt32LE(16 + before.length + answer.length, 0)
  header.writeInt32LE(id, 8)
  header.writeInt32LE(code === OP_QUERY ? OP_REPLY : OP_MSG, 12)
  return Buffer.concat([header, before, answer])
}
