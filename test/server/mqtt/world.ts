import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import type { Config } from '../../../server/config.ts'
import { openAccessKeys } from '../../../server/resources/access-keys.ts'
import { openResources, type Resources } from '../../../server/resources/resources.ts'
import type { AppStore } from '../../../server/store/port.ts'
import { startServer, type TestServer } from '../../helpers/server.ts'
import type { Stack } from '../../helpers/stacks.ts'

/** A device and what it connects with. */
export interface TestDevice {
  id: string
  key: string
  secret: string
}

export interface MqttWorld {
  server: TestServer
  port: number
  app: AppStore
  resources: Resources
  device(body?: Record<string, unknown>, key?: Record<string, unknown>): Promise<TestDevice>
  /** Connects; rejects when it is refused. */
  connect(device: TestDevice, options?: IClientOptions): Promise<TestClient>
  close(): Promise<void>
}

export interface TestClient {
  client: MqttClient
  /** What came, as `topic text`. */
  heard: string[]
  /** Resolves when the connection is over. */
  closed: Promise<unknown>
  /** Granted QoS of each filter; 128: refused. */
  subscribe(...filters: string[]): Promise<number[]>
  publish(topic: string, message: unknown, qos?: 0 | 1): Promise<unknown>
}

export const scope = { tenant: 't1', application: 'a'.repeat(24) }

export async function openApp(
  server: TestServer,
  of: { tenant: string; application: string } = scope,
): Promise<AppStore> {
  const app = server.store.app(of)
  await app.collection('application').insert({ id: of.application, name: 'Test', globals: [], secret: 's' })
  return app
}

export const attributes = [
  { name: 'level', dataType: 'number' },
  { name: 'on', dataType: 'boolean' },
]

export async function openMqttWorld(
  options: { config?: Partial<Config>; stack?: Stack; joins?: boolean } = {},
): Promise<MqttWorld> {
  const server = await startServer({ ...options, config: { mqttPort: 0, mqttMessages: 0, ...options.config } })
  // Another process finds the application there.
  const app = options.joins ? server.store.app(scope) : await openApp(server)
  const clients: MqttClient[] = []
  const resources = openResources({ app, now: Date.now })
  const port = server.server.mqttPort!
  return {
    ...{ server, app, port, resources },
    device: (body, key) => makeDevice(app, body, key),
    async connect(device, given) {
      const connected = await connect(port, device, given)
      clients.push(connected.client)
      return connected
    },
    async close() {
      await Promise.all(clients.map((one) => one.endAsync(true)))
      await server.close()
    },
  }
}

export async function makeDevice(
  app: AppStore,
  body: Record<string, unknown> = {},
  keyBody: Record<string, unknown> = {},
): Promise<TestDevice> {
  const { id } = await openResources({ app, now: Date.now }).devices.create({ name: 'Pump', attributes, ...body }, {})
  const { key, secret } = await openAccessKeys(app).create(keyBody)
  return { id, key, secret }
}

export async function connect(port: number, device: TestDevice, options: IClientOptions = {}): Promise<TestClient> {
  const client = mqtt.connect({
    ...{ host: '127.0.0.1', port, clientId: device.id, username: device.key, password: device.secret },
    ...{ reconnectPeriod: 0, connectTimeout: 5_000, ...options },
  })
  const heard: string[] = []
  client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`))
  const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)))
  await new Promise((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed')))
  })
  client.on('error', () => undefined)
  return {
    ...{ client, heard, closed },
    async subscribe(...filters) {
      return await new Promise((resolve) => {
        client.subscribe(filters, (_error, _granted, packet) => resolve((packet?.granted ?? []) as number[]))
      })
    },
    publish: (topic, message, qos = 1) =>
      client.publishAsync(topic, typeof message === 'string' ? message : JSON.stringify(message), { qos }),
  }
}
