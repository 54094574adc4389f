import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type MqttWorld, openMqttWorld } from './world.ts'

let world: MqttWorld

beforeEach(async () => {
  world = await openMqttWorld()
})
afterEach(() => world.close())

const trigger = (type: string, key: string, next: string[] = []) => ({ type, key, config: {}, outputIds: [next] })
const flow = async (name: string, triggers: unknown[], nodes: unknown[] = []) => {
  const content = { triggers, nodes, globals: [] }
  await world.app.collection('flows').insert({ name, flowClass: 'cloud', enabled: true, content })
}
const last = async (id: string) => (await world.app.telemetry.last([id])).get(id)

describe('a device', () => {
  test('connects, reports state, and starts the flow that listens to it', async () => {
    const device = await world.device()
    await flow('Listens', [trigger('deviceId', device.id)])
    const { client, publish } = await world.connect(device)
    await publish(`losant/${device.id}/state`, {
      data: { level: '4', odd: 1 },
      time: { $date: '2026-01-01T00:00:00Z' },
    })
    expect(await last(device.id)).toMatchObject({
      level: { value: 4, time: Date.UTC(2026, 0, 1), relayType: 'device', relayId: device.id },
    })
    expect((await world.app.collection('devices').get(device.id))?.connection?.connected).toBe(1)
    await vi.waitFor(async () => expect(await world.app.collection('runs').count()).toBe(1), 5_000)
    await client.endAsync()
    await vi.waitFor(async () => {
      expect((await world.app.collection('devices').get(device.id))?.connection?.connected).toBe(0)
    })
  })
})
