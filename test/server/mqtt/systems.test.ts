import { afterEach, beforeEach, expect, test } from 'vitest'
import { type MqttWorld, openMqttWorld } from './world.ts'

let world: MqttWorld
beforeEach(async () => {
  world = await openMqttWorld()
})
afterEach(async () => await world.close())

test('what a device says over MQTT makes the state of its system, at the end of the interval', async () => {
  const system = { aggregation: 'SUM', childAttributes: [{ name: 'level', mode: 'all' }] }
  const { id } = await world.resources.devices.create(
    {
      ...{ name: 'Floor', deviceClass: 'system', systemInterval: 5 },
      attributes: [{ name: 'sum', dataType: 'number', system }],
    },
    {},
  )
  const [a, b] = [await world.device({ parentId: id }), await world.device({ parentId: id })]
  for (const [device, level] of [
    [a, 3],
    [b, 4],
  ] as const) {
    const client = await world.connect(device)
    await client.publish(`losant/${device.id}/state`, { data: { level } }, 1)
  }
  await expect
    .poll(async () => (await world.app.telemetry.last([id])).get(id)?.sum?.value, { timeout: 15_000, interval: 200 })
    .toBe(7)
})
