import type { Socket } from 'node:net'
import mqtt, { type IConnectPacket, type IPublishPacket, type ISubscribePacket, type Packet } from 'mqtt-packet'

/** Bytes of one message, its topic included. */
export const mostMessageBytes = 256 * 1024
const mostHeaderBytes = 2 * 1024
const mostLoginBytes = 64 * 1024
/** What may wait for a client that does not read. */
const mostUnreadBytes = 2 * 1024 * 1024
const loginMs = 10_000

/** CONNACK codes of MQTT 3.1.1. */
export const Refused = { protocol: 1, unavailable: 3, credentials: 4, notAuthorized: 5 } as const
export type Refused = (typeof Refused)[keyof typeof Refused]

export interface Credentials {
  clientId: string
  username: string
  password: string
}

/** What is known of a connection once it has logged in. */
export interface Client {
  publish(message: { topic: string; payload: Buffer }): Promise<void>
  subscribe(filter: string): Promise<boolean>
  unsubscribe(filter: string): void
  /** Before each packet. Throws Drop. */
  count(): void
  /** Once, when the connection is over, whyever. */
  ended(reason: string): void
}

/** The open connection, as its client sees it. */
export interface Connection {
  send(message: { topic: string; payload: Buffer }): void
  /** Ends it at once. */
  drop(reason: string): void
}

/** Thrown by a client to end its connection. */
export class Drop extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'Drop'
  }
}

export interface ConnectionDeps {
  /** Gives the client, or why there is none. */
  login(credentials: Credentials, connection: Connection): Promise<Client | Refused>
  /** What was thrown and is no Drop: the connection ends. */
  onError(error: unknown): void
}

/**
 * Speaks MQTT 3.1.1 over a socket until it ends: one packet after the other, QoS 0 and 1 in, QoS 0 out, no sessions, wills or
 * retained messages. What breaks the protocol or a limit ends the connection.
 */
export function serveConnection(socket: Socket, { login, onError }: ConnectionDeps): void {
  const parser = mqtt.parser() as mqtt.Parser & { packet: { length: number } }
  const packets: Packet[] = []
  let broken = false
  let client: Client | undefined
  let over = false
  let idleMs = 0
  let timer = setTimeout(() => drop('Login Timeout'), loginMs)

  parser.on('packet', (packet: Packet) => packets.push(packet))
  parser.on('error', () => {
    broken = true
  })
  // What goes wrong with the socket ends the loop below.
  socket.on('error', () => undefined)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 60_000)

  function end(reason: string): void {
    if (over) return
    over = true
    clearTimeout(timer)
    client?.ended(reason)
  }

  function drop(reason: string): void {
    end(reason)
    socket.destroy()
  }

  function write(packet: Packet): void {
    if (socket.destroyed) return
    socket.write(mqtt.generate(packet))
    if (socket.writableLength > mostUnreadBytes) drop('Slow Consumer')
  }

  const connection: Connection = {
    send: ({ topic, payload }) => write({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }),
    drop,
  }

  function awake(): void {
    if (idleMs > 0) timer.refresh()
  }

  async function connect(packet: IConnectPacket): Promise<void> {
    const version = packet.protocolVersion ?? 4
    if (version !== 4) throw refusal(Refused.protocol, version)
    const { clientId = '', username = '', password = '', keepalive = 0 } = packet
    const credentials = { clientId, username, password: password.toString() }
    const found = await login(credentials, connection)
    if (typeof found === 'number') throw refusal(found, version)
    client = found
    clearTimeout(timer)
    if (over || socket.destroyed) {
      client.ended('Connection Lost')
      return
    }
    idleMs = keepalive * 1_500
    if (idleMs > 0) timer = setTimeout(() => drop('Keepalive Timeout'), idleMs)
    write({ cmd: 'connack', returnCode: 0, sessionPresent: false })
  }

  /** Why the connection is to end, or undefined. */
  async function handle(packet: Packet): Promise<string | undefined> {
    if (packet.cmd === 'connect') {
      if (client !== undefined) return 'Protocol Error'
      await connect(packet)
      return undefined
    }
    if (client === undefined) return 'Protocol Error'
    client.count()
    switch (packet.cmd) {
      case 'publish':
        return await publish(client, packet)
      case 'subscribe':
        return await subscribe(client, packet)
      case 'unsubscribe':
        for (const filter of packet.unsubscriptions) client.unsubscribe(filter)
        write({ cmd: 'unsuback', messageId: packet.messageId, granted: [] })
        return undefined
      case 'pingreq':
        write({ cmd: 'pingresp' })
        return undefined
      case 'disconnect':
        return 'Client Disconnected'
      default:
        return 'Protocol Error'
    }
  }

  async function publish(of: Client, { qos, topic, payload, messageId }: IPublishPacket): Promise<string | undefined> {
    if (qos === 2) return 'Protocol Error - QoS 2 is not supported'
    await of.publish({ topic, payload: Buffer.from(payload) })
    if (qos === 1) write({ cmd: 'puback', messageId })
    return undefined
  }

  async function subscribe(of: Client, { subscriptions, messageId }: ISubscribePacket): Promise<undefined> {
    const granted: number[] = []
    for (const { topic } of subscriptions) granted.push((await of.subscribe(topic)) ? 0 : 0x80)
    write({ cmd: 'suback', messageId, granted })
  }

  async function serve(): Promise<string> {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      awake()
      parser.parse(chunk)
      if (broken) return 'Protocol Error'
      if (parser.packet.length > (client === undefined ? mostLoginBytes : mostMessageBytes + mostHeaderBytes)) {
        return 'Message Too Large'
      }
      for (const packet of packets.splice(0)) {
        const reason = await handle(packet)
        if (reason !== undefined) return reason
        if (over) return 'Connection Lost'
      }
      awake()
    }
    return 'Connection Lost'
  }

  function refusal(code: Refused, version: number): Drop {
    // Clients of version 5 know codes of their own.
    const v5 = { cmd: 'connack', reasonCode: 0x84, sessionPresent: false } as const
    socket.write(
      version === 5
        ? mqtt.generate(v5, { protocolVersion: 5 })
        : mqtt.generate({ cmd: 'connack', returnCode: code, sessionPresent: false }),
    )
    return new Drop('Not Authorized')
  }

  void serve()
    .catch((error: unknown) => {
      if (error instanceof Drop) return error.message
      if (!isOfSocket(error as NodeJS.ErrnoException)) onError(error)
      return 'Connection Lost'
    })
    .then((reason) => {
      end(reason)
      // What was written is sent first, but nobody is waited for.
      socket.destroySoon()
      setTimeout(() => socket.destroy(), 2_000).unref()
    })
}

function isOfSocket({ syscall, code }: NodeJS.ErrnoException): boolean {
  return syscall !== undefined || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR'
}
