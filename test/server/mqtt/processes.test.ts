import { afterEach, describe, expect, test, vi } from 'vitest'
import { shared } from '../../helpers/stacks.ts'
import { type MqttWorld, openMqttWorld } from './world.ts'

const worlds: MqttWorld[] = []
afterEach(async () => {
  for (const world of worlds.splice(0).reverse()) await world.close()
})

/** Two processes on one store. */
async function openTwo(withRedis: boolean): Promise<[MqttWorld, MqttWorld]> {
  const { REDIS_URL, ...env } = shared!.env()
  const stack = { ...shared!, env: () => ({ ...env, ...(withRedis ? { REDIS_URL: REDIS_URL! } : {}) }) }
  const config = { redisUrl: withRedis ? REDIS_URL : undefined }
  worlds.push(await openMqttWorld({ stack, config }))
  worlds.push(await openMqttWorld({ stack, config, joins: true }))
  return worlds as [MqttWorld, MqttWorld]
}

describe.skipIf(shared === undefined).each([
  ['with Redis', true],
  ['without Redis', false],
])('two processes %s', (_how, withRedis) => {
  test('deliver commands and messages to the devices of both, once, and keep one connection of each', async () => {
    const [one, two] = await openTwo(withRedis)
    const [a, b] = [await one.device({}, { filterType: 'all' }), await one.device({}, { filterType: 'all' })]
    const [atOne, atTwo] = [await one.connect(a), await two.connect(b)]
    await atOne.subscribe('said/#', `losant/${a.id}/command`)
    await atTwo.subscribe('said/#', `losant/${b.id}/command`)

    const started = performance.now()
    await atOne.publish('said/x', 'hello')
    await vi.waitFor(() => expect(atTwo.heard).toEqual(['said/x hello']), 15_000)
    const tookMs = Math.round(performance.now() - started)
    expect(atOne.heard).toEqual(['said/x hello'])
    expect(tookMs).toBeLessThan(withRedis ? 2_500 : 10_000)

    const node = {
      ...{ id: 'send', type: 'DeviceSendCommandNode', outputIds: [[]] },
      config: { nameTemplate: 'go', sendToDeviceIds: [a.id, b.id] },
    }
    const triggers = [{ type: 'deviceId', key: a.id, config: {}, outputIds: [['send']] }]
    const content = { triggers, nodes: [node], globals: [] }
    await one.app.collection('flows').insert({ name: 'Sends', flowClass: 'cloud', enabled: true, content })
    await atOne.publish(`losant/${a.id}/state`, { data: { level: 1 } })
    await vi.waitFor(() => expect([atOne.heard.length, atTwo.heard.length]).toEqual([2, 2]), 20_000)
    expect(atTwo.heard[1]).toMatch(`losant/${b.id}/command {"name":"go"`)

    // What was sent before a device came is not for it.
    const old = {
      from: 'x',
      kind: 'publish' as const,
      topic: 'said/old',
      payload: '',
      creationDate: Date.now() - 3_000,
    }
    await one.app.collection('mqttMessages').insert(old)
    const late = await two.connect(await two.device({}, { filterType: 'all' }))
    await late.subscribe('said/#')
    await atOne.publish('said/new', '')
    await vi.waitFor(() => expect(late.heard).toEqual(['said/new ']), 15_000)
    expect(atOne.heard.splice(2)).toEqual(['said/new '])
    await late.client.endAsync()

    const again = await two.connect(a)
    await atOne.closed
    await vi.waitFor(async () => {
      const filter = { field: 'endedAt', op: 'eq', value: null } as const
      const open = await one.app.collection('deviceSessions').find({ filter })
      expect(open.map(({ deviceId }) => deviceId).sort()).toEqual([a.id, b.id].sort())
    }, 10_000)
    expect((await one.app.collection('devices').get(a.id))?.connection?.connected).toBe(1)
    expect(again.client.connected).toBe(true)
    expect([atOne.heard.length, atTwo.heard.length]).toEqual([2, 3])
  }, 90_000)
})
