import { connect as connectSocket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { RunJobInput } from '../../../server/flows/run-job.ts'
import { openPresence } from '../../../server/mqtt/presence.ts'
import { openAccessKeys } from '../../../server/resources/access-keys.ts'
import {
  connect,
  type MqttWorld,
  makeDevice,
  openApp,
  openMqttWorld,
  type TestClient,
  type TestDevice,
} from './world.ts'

let world: MqttWorld

beforeEach(async () => {
  world = await openMqttWorld()
})
afterEach(() => world.close())

const trigger = (type: string, key: string, next: string[] = [], config = {}) => ({
  ...{ type, key, config },
  outputIds: [next],
})
const flow = async (name: string, triggers: unknown[], nodes: unknown[] = [], app = world.app) => {
  const content = { triggers, nodes, globals: [] }
  return (await app.collection('flows').insert({ name, flowClass: 'cloud', enabled: true, content })).id
}
/** What runs were begun with, in their order. */
const begun = async (app = world.app) =>
  (await app.collection('jobs').find({ filter: { field: 'kind', op: 'eq', value: 'run' } })).map(
    ({ input }) => input as RunJobInput,
  )
const last = async (id: string) => (await world.app.telemetry.last([id])).get(id)
const connection = async (id: string) => (await world.app.collection('devices').get(id))?.connection?.connected
const refusal = async (device: TestDevice, options = {}) =>
  await world.connect(device, options).then(
    () => 'connected',
    (error: Error & { code?: unknown }) => error.code ?? error.message,
  )
const reasons = async () => {
  const sort = { field: 'startedAt', direction: 'asc' } as const
  return (await world.app.collection('deviceSessions').find({ sort })).map((one) => one.disconnectReason)
}
const stateOf = (id: string) => `losant/${id}/state`
const commandOf = (id: string) => `losant/${id}/command`
const dropped = async (client: TestClient, topic: string, message: unknown = 'x') => {
  await Promise.race([client.publish(topic, message).catch(() => undefined), client.closed])
  await client.closed
}

describe('a device', () => {
  test('connects, reports state, and starts the flow that listens to it', async () => {
    const device = await world.device()
    await flow('Listens', [trigger('deviceId', device.id)])
    const { client, publish } = await world.connect(device)
    await publish(stateOf(device.id), { data: { level: '4', odd: 1 }, time: { $date: '2026-01-01T00:00:00Z' } })
    expect(await last(device.id)).toMatchObject({
      level: { value: 4, time: Date.UTC(2026, 0, 1), relayType: 'device', relayId: device.id },
    })
    expect(await connection(device.id)).toBe(1)
    await vi.waitFor(async () => expect(await world.app.collection('runs').count()).toBe(1), 5_000)
    await client.endAsync()
    await vi.waitFor(async () => expect(await connection(device.id)).toBe(0))
  })

  test('starts the flows that listen to its connections, with what is known of them', async () => {
    const device = await world.device({ tags: [{ key: 'site', value: 'a' }] })
    await flow('Listens', [
      trigger('deviceIdConnect', device.id),
      trigger('deviceTagDisconnect', 'site/a'),
      trigger('deviceTagDisconnect', 'site/b'),
    ])
    const { client, publish } = await world.connect(device)
    await publish(stateOf(device.id), { data: { level: 1 } })
    await client.endAsync()
    await vi.waitFor(async () => expect(await begun()).toHaveLength(2))
    const relay = { type: 'device', id: device.id }
    const common = { address: expect.stringContaining('127.0.0.1'), method: 'mqtt', secure: false }
    expect(await begun()).toMatchObject([
      { triggerType: 'deviceIdConnect', triggerId: device.id, relay, device: { id: device.id }, data: common },
      {
        ...{ triggerType: 'deviceTagDisconnect', triggerId: device.id, relay },
        data: {
          ...common,
          ...{ disconnectReason: 'Client Disconnected', messagesFromDevice: 1, messagesToDevice: 0 },
          connectedAt: expect.stringMatching(/Z$/),
        },
      },
    ])
  })

  test('that connects again ends its older connection, and stays connected', async () => {
    const device = await world.device()
    const first = await world.connect(device)
    await world.connect(device)
    await first.closed
    await vi.waitFor(async () => expect(await reasons()).toEqual(['New Connection', undefined]))
    expect(await connection(device.id)).toBe(1)
  })

  test('is disconnected once its key is switched off, which is then of no use', async () => {
    const device = await world.device()
    const keys = openAccessKeys(world.app)
    const { items } = await keys.list({})
    const { closed } = await world.connect(device)
    await keys.update(items[0]!.id, { status: 'inactive' })
    await world.server.server.checkDevices()
    await closed
    await vi.waitFor(async () => expect(await reasons()).toEqual(['Not Authorized']))
    expect(await refusal(device)).toBe(5)
  })

  test('loses the topics of a peripheral that another gateway gets', async () => {
    const gateway = await world.device({ deviceClass: 'gateway' })
    const other = await world.device({ deviceClass: 'gateway' })
    const below = await world.device({ deviceClass: 'peripheral', gatewayId: gateway.id })
    const client = await world.connect(gateway)
    await client.subscribe(commandOf(below.id), commandOf(gateway.id))
    await world.resources.devices.update(below.id, { gatewayId: other.id }, {})
    await world.server.server.checkDevices()
    await send({ name: 'go', ids: [below.id, gateway.id] })
    await vi.waitFor(() => expect(client.heard).toHaveLength(1))
    expect(client.heard[0]).toContain(gateway.id)
  })
})

describe('a login', () => {
  test.each<[string, (device: TestDevice) => Promise<Partial<TestDevice>> | Partial<TestDevice>, number]>([
    ['with a wrong secret', () => ({ secret: 'x' }), 4],
    ['with an empty secret', () => ({ secret: '' }), 4],
    ['with an unknown key', () => ({ key: `${'a'.repeat(24)}-${'x'.repeat(16)}` }), 4],
    ['with a key of an unknown application', () => ({ key: `${'b'.repeat(24)}-${'x'.repeat(16)}` }), 4],
    ['with text that is no key', () => ({ key: "' or 1=1" }), 4],
    ['of an unknown device', () => ({ id: 'f'.repeat(24) }), 5],
    ['of text that is no id', () => ({ id: '__proto__' }), 5],
    ['of a peripheral', async () => ({ id: (await world.device(await peripheral())).id }), 5],
    ['with a key of another device', async () => await world.device({}, { deviceIds: ['f'.repeat(24)] }), 5],
    ['with a key of another tag', async () => await world.device({}, { deviceTags: [{ key: 'site' }] }), 5],
    [
      'from an address that is shut out',
      async () => await world.device({}, { addressFilterType: 'blacklist', addresses: ['127.0.0.0/8'] }),
      5,
    ],
    [
      'from an address that is not let in',
      async () => await world.device({}, { addressFilterType: 'whitelist', addresses: ['192.0.2.1'] }),
      5,
    ],
  ])('%s is refused', async (_what, change, code) => {
    const device = await world.device()
    expect(await refusal({ ...device, ...(await change(device)) })).toBe(code)
    expect(await world.app.collection('deviceSessions').count()).toBe(0)
  })

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['a key of its tag', { tags: [{ key: 'site', value: 'a' }] }, { deviceTags: [{ key: 'site' }] }],
    ['its address let in', {}, { addressFilterType: 'whitelist', addresses: ['127.0.0.1', '10.0.0.0/8'] }],
  ])('with %s is taken', async (_what, body, key) => {
    expect(await refusal(await world.device(body, key))).toBe('connected')
  })

  test('by another version of the protocol is refused', async () => {
    const device = await world.device()
    expect(await refusal(device, { protocolVersion: 5 })).toBe(0x84)
    expect(await refusal(device, { protocolVersion: 3, protocolId: 'MQIsdp' })).toBe(1)
  })
})

const peripheral = async () => {
  const gateway = await world.device({ deviceClass: 'gateway' })
  return { deviceClass: 'peripheral', gatewayId: gateway.id }
}

describe('topics', () => {
  const open = async (filterType: string, more = {}) => {
    const device = await world.device({}, { filterType, ...more })
    return { ...device, ...(await world.connect(device)) }
  }
  const lists = { pubTopics: ['a/+', 'b/#'], subTopics: ['a/+', 'b/#'] }

  test.each<[string, object, string[], string[]]>([
    ['none', {}, [], ['a/1', '#', '+/x', '$SYS/broker/clients', 'losant/#', 'losant/+/state', '']],
    ['all', {}, ['a/1', '#', '+/x'], ['$SYS/#', 'losant/#', 'losant/+/command', 'losantx', 'a/#/b', 'a+']],
    ['whitelist', lists, ['a/1', 'a/+', 'b', 'b/1/2', 'b/+/c', 'b/#'], ['#', 'a/#', 'a/1/2', '+/1', 'c']],
    ['blacklist', lists, ['c', 'c/#', 'a/1/2', 'a'], ['#', 'a/1', '+/1', 'b/x', 'a/#', 'b']],
  ])('can be subscribed to by the rule "%s" of the key', async (rule, more, allowed, refused) => {
    const { subscribe, id } = await open(rule, more)
    for (const filter of [...allowed, commandOf(id)]) expect([filter, await subscribe(filter)]).toEqual([filter, [0]])
    for (const filter of refused) {
      if (filter === '' || filter === 'a/#/b' || filter === 'a+') continue
      expect([filter, await subscribe(filter)]).toEqual([filter, [128]])
    }
    expect(await subscribe(stateOf(id), commandOf('f'.repeat(24)))).toEqual([128, 128])
  })

  test.each<[string, object, string]>([
    ['none', {}, 'a/1'],
    ['all', {}, '$SYS/x'],
    ['all', {}, 'losant/x'],
    ['all', {}, 'losantish'],
    ['whitelist', lists, 'a/1/2'],
    ['blacklist', lists, 'b/1'],
  ])('that the rule "%s" %j does not allow end the connection when published to: %s', async (rule, more, topic) => {
    const client = await open(rule, more)
    await dropped(client, topic)
    await vi.waitFor(async () => {
      expect(await reasons()).toEqual([`Publish Error - Not allowed to publish to ${topic}`])
    })
  })

  test('of its own reach whom subscribed, wake flows with the text, and nobody else', async () => {
    const sender = await open('all')
    const hearer = await open('all')
    const deaf = await open('all')
    await hearer.subscribe('rooms/+/light', 'rooms/#')
    await deaf.subscribe('rooms/+')
    await flow('Listens', [trigger('mqttTopic', 'rooms/+/light'), trigger('mqttTopic', 'rooms/+')])
    await sender.publish('rooms/7/light', { on: true })
    await vi.waitFor(() => expect(hearer.heard).toEqual(['rooms/7/light {"on":true}']))
    await vi.waitFor(async () => {
      expect(await begun()).toMatchObject([
        { triggerId: 'rooms/7/light', data: '{"on":true}', relay: { type: 'device', id: sender.id } },
      ])
    })
    expect(deaf.heard).toEqual([])
  })

  test('of another device or command topics end the connection, and nothing is stored', async () => {
    const other = await world.device()
    for (const topic of [stateOf(other.id), commandOf(other.id), stateOf('f'.repeat(24))]) {
      const client = await open('none')
      await dropped(client, topic, { data: { level: 1 } })
    }
    expect(await last(other.id)).toBeUndefined()
  })

  test('of peripherals are open to their gateway alone', async () => {
    const gateway = await world.device({ deviceClass: 'gateway' })
    const below = await world.device({ deviceClass: 'peripheral', gatewayId: gateway.id })
    const foreign = await world.device(await peripheral())
    const client = await world.connect(gateway)
    expect(await client.subscribe(commandOf(below.id), commandOf(foreign.id))).toEqual([0, 128])
    await client.publish(stateOf(below.id), { data: { level: 7 } })
    expect(await last(below.id)).toMatchObject({ level: { value: 7, relayId: gateway.id } })
    await dropped(client, stateOf(foreign.id), { data: { level: 7 } })
    expect(await last(foreign.id)).toBeUndefined()
  })

  test('of the devices that a key for all selects are open to each of them', async () => {
    const other = await world.device({ tags: [{ key: 'site', value: 'a' }] })
    const foreign = await world.device()
    const device = await world.device(
      { tags: [{ key: 'site', value: 'a' }] },
      { filterType: 'all', deviceTags: [{ key: 'site' }] },
    )
    const client = await world.connect(device)
    await client.publish(stateOf(other.id), { data: { level: 3 } })
    expect(await last(other.id)).toMatchObject({ level: { value: 3 } })
    expect(await client.subscribe(commandOf(other.id), commandOf(foreign.id))).toEqual([0, 128])
  })
})

describe('two applications with the same device id', () => {
  test('never hear or start each other', async () => {
    const mine = await world.device({}, { filterType: 'all' })
    const app = await openApp(world.server, { tenant: 't2', application: 'b'.repeat(24) })
    await app.collection('devices').insert({
      ...{ id: mine.id, name: 'Twin', deviceClass: 'standalone', tags: [], groupIds: [] },
      attributes: [{ name: 'level', dataType: 'number', attributeTags: {} }],
    })
    const twin = { ...(await makeDevice(app, {}, { filterType: 'all' })), id: mine.id }
    await flow('Mine', [trigger('mqttTopic', '#'), trigger('deviceId', mine.id)])
    await flow('Theirs', [trigger('mqttTopic', '#'), trigger('deviceId', mine.id)], [], app)
    const me = await world.connect(mine)
    const them = await connect(world.port, twin)
    await me.subscribe('#', commandOf(mine.id))
    await them.subscribe('#', commandOf(mine.id))
    await me.publish('a', 'from me')
    await me.publish(stateOf(mine.id), { data: { level: 1 } })
    const commands = { name: 'go', ids: [mine.id] }
    await send(commands)
    await vi.waitFor(() => expect(me.heard).toHaveLength(2))
    await them.publish('b', 'from them')
    await vi.waitFor(() => expect(them.heard).toEqual(['b from them']))
    await vi.waitFor(async () => expect(await begun()).toHaveLength(2 + commandRuns))
    await vi.waitFor(async () => expect(await begun(app)).toHaveLength(1))
    expect(me.heard).not.toContain('b from them')
    expect(await app.telemetry.last([mine.id])).toEqual(new Map())
    expect(me.client.connected && them.client.connected).toBe(true)
    await them.client.endAsync()
  })

  test('do not take a key of the other', async () => {
    const mine = await world.device()
    const app = await openApp(world.server, { tenant: 't2', application: 'b'.repeat(24) })
    const theirs = await makeDevice(app)
    expect(await refusal({ ...theirs, id: mine.id })).toBe(5)
    expect(await refusal({ ...mine, id: theirs.id })).toBe(5)
  })
})

/** The run that `send` takes. */
const commandRuns = 1

/** Has a flow send a command, as its button is pressed. */
async function send(config: { name: string; ids?: string[]; tags?: object[]; payload?: string }) {
  const { name, ids, tags, payload = '{ "n": 1 }' } = config
  const node = {
    ...{ id: 'send', type: 'DeviceSendCommandNode', outputIds: [[]] },
    config: { nameTemplate: name, sendToDeviceIds: ids, sendToDeviceTags: tags, payloadTemplate: payload },
  }
  await runFlow(node)
}

async function runFlow(node: { id: string }) {
  const source = await world.device({ name: 'Button' }, {})
  await flow('Sends', [trigger('deviceId', source.id, [node.id])], [node])
  const client = await world.connect(source)
  await client.publish(stateOf(source.id), { data: { level: 1 } })
}

describe('commands', () => {
  test('reach the connected ones of the devices that are meant, once, and are kept of all', async () => {
    const [one, two, away] = [
      await world.device({ tags: [{ key: 'site', value: 'a' }] }),
      await world.device({ tags: [{ key: 'site', value: 'a' }] }),
      await world.device({ tags: [{ key: 'site', value: 'a' }] }),
    ]
    const [first, second] = [await world.connect(one), await world.connect(two)]
    await first.subscribe(commandOf(one.id))
    await second.subscribe(commandOf(two.id))
    await send({ name: 'setLevel', ids: [one.id, 'f'.repeat(24)], tags: [{ key: 'site', value: 'a' }] })
    await vi.waitFor(() => expect(first.heard.length + second.heard.length).toBe(2))
    const [, text] = /^\S+ (.*)$/.exec(first.heard[0]!)!
    expect(JSON.parse(text!)).toEqual({
      name: 'setLevel',
      payload: { n: 1 },
      time: { $date: expect.stringMatching(/Z$/) },
    })
    const kept = await world.app.collection('deviceCommands').find()
    expect(kept.map(({ deviceId }) => deviceId).sort()).toEqual([one.id, two.id, away.id].sort())
    const late = await world.connect(away)
    await late.subscribe(commandOf(away.id))
    await send({ name: 'again', ids: [away.id] })
    await vi.waitFor(() => expect(late.heard).toHaveLength(1))
    expect(late.heard[0]).toContain('again')
  })

  test('reach a peripheral through its gateway', async () => {
    const gateway = await world.device({ deviceClass: 'gateway' })
    const below = await world.device({ deviceClass: 'peripheral', gatewayId: gateway.id })
    const client = await world.connect(gateway)
    await client.subscribe(commandOf(gateway.id), commandOf(below.id))
    await send({ name: 'go', ids: [below.id] })
    await vi.waitFor(() => expect(client.heard).toHaveLength(1))
    expect(client.heard[0]).toMatch(`${commandOf(below.id)} {"name":"go"`)
  })
})

describe('a flow', () => {
  test('publishes to devices and other flows', async () => {
    const device = await world.device({}, { filterType: 'all' })
    const client = await world.connect(device)
    await client.subscribe('alerts/#')
    const listener = await flow('Hears', [trigger('mqttTopic', 'alerts/+')])
    const config = {
      integrationId: 'losant',
      topicTemplate: 'alerts/{{triggerType}}',
      messageTemplate: '{{data.level}}',
    }
    await runFlow({ id: 'tell', type: 'MqttMessageNode', outputIds: [[]], config } as { id: string })
    await vi.waitFor(() => expect(client.heard).toEqual(['alerts/deviceId 1']))
    await vi.waitFor(async () => {
      const heard = (await begun()).filter(({ flowId }) => flowId === listener)
      expect(heard).toMatchObject([{ data: '1', relay: { type: 'flow' }, depth: 2 }])
    })
  })
})

test('flows that wake each other over a topic are stopped', async () => {
  const config = { topicTemplate: 'loop', messageTemplate: 'again' }
  const node = { id: 'tell', type: 'MqttMessageNode', outputIds: [[]], config }
  await flow('Loops', [trigger('mqttTopic', 'loop', ['tell'])], [node])
  const client = await world.connect(await world.device({}, { filterType: 'all' }))
  await client.publish('loop', 'x')
  await vi.waitFor(() => expect(JSON.stringify(world.server.log)).toContain('the chain is too long'), 20_000)
  expect((await begun()).map(({ depth }) => depth)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
}, 30_000)

describe('state', () => {
  test.each<[string, string]>([
    ['text that is no JSON', '{"data":'],
    ['no data', '{}'],
    ['a number', '7'],
    ['a batch with something else in it', '[{"data":{"level":1}},7]'],
  ])('of %s starts only flows that ask for it, and the connection stays', async (_what, text) => {
    const device = await world.device()
    await flow('Listens', [trigger('deviceId', device.id, [], { allowInvalid: true }), trigger('deviceId', device.id)])
    const { publish } = await world.connect(device)
    await publish(stateOf(device.id), text)
    expect(await begun()).toMatchObject([{ data: null, roots: { original: text }, triggerId: device.id }])
    await publish(stateOf(device.id), { data: { level: 1 } })
    expect(await last(device.id)).toMatchObject({ level: { value: 1 } })
  })

  test('comes in all forms of time, alone and in batches', async () => {
    const device = await world.device()
    const { publish } = await world.connect(device)
    const at = Date.UTC(2026, 0, 1)
    const times = [
      { $date: new Date(at) },
      { $date: at },
      { $date: { $numberLong: String(at) } },
      at,
      at / 1000,
      String(at),
    ]
    for (const [level, time] of times.entries()) {
      await publish(stateOf(device.id), [{ data: { level, on: { $undefined: true } }, time }])
      expect(await last(device.id)).toMatchObject({ level: { value: level, time: at } })
    }
    expect(await last(device.id)).not.toHaveProperty('on')
    const before = Date.now()
    await publish(stateOf(device.id), [{ data: { level: 8 }, time: -1_000 }, { data: { level: 9 } }])
    expect((await last(device.id))!.level).toMatchObject({ value: 9 })
    expect((await last(device.id))!.level!.time).toBeGreaterThanOrEqual(before)
  })
})

describe('hostile clients', () => {
  const raw = async (bytes: number[] | Buffer) => {
    const socket = connectSocket(world.port, '127.0.0.1')
    const answer: Buffer[] = []
    socket.on('data', (chunk) => answer.push(chunk))
    socket.on('error', () => undefined)
    socket.write(Buffer.from(bytes))
    await new Promise((resolve) => socket.once('close', resolve))
    return Buffer.concat(answer)
  }

  test.each<[string, number[] | Buffer]>([
    ['send no MQTT', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['publish before they log in', [0x30, 3, 0, 1, 97]],
    ['ask for life before they log in', [0xc0, 0]],
    ['claim a packet of 256 MB', [0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4, 77, 81]],
    ['send a length that never ends', [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['send reserved bits', [0x1f, 0]],
    ['send zeros', Buffer.alloc(100_000)],
  ])('that %s are cut off without an answer', async (_what, bytes) => {
    expect(await raw(bytes)).toHaveLength(0)
    expect(await refusal(await world.device())).toBe('connected')
  })

  test('that send too much are cut off, and nothing is stored', async () => {
    const device = await world.device({}, { filterType: 'all' })
    await flow('Listens', [trigger('mqttTopic', '#')])
    await dropped(await world.connect(device), 'a', 'x'.repeat(257 * 1024))
    await vi.waitFor(async () => expect(await reasons()).toEqual(['Message Too Large']))
    expect(await begun()).toEqual([])
    const { publish } = await world.connect(device)
    await publish('a', 'x'.repeat(256 * 1024))
  })

  test('that ask for thousands of topics get some, and no more work is done for them', async () => {
    const gateway = await world.device({ deviceClass: 'gateway' })
    const client = await world.connect(gateway)
    const filters = Array.from({ length: 3_000 }, (_, n) => commandOf(n.toString(16).padStart(24, '0')))
    expect(new Set(await client.subscribe(...filters))).toEqual(new Set([128]))
    expect(await client.subscribe(commandOf(gateway.id))).toEqual([128])
  })

  test('that read nothing are cut off, and others hear on', async () => {
    const rule = { filterType: 'all' }
    const [deaf, other, sender] = await Promise.all(
      [0, 1, 2].map(async () => await world.connect(await world.device({}, rule))),
    )
    await Promise.all([deaf!.subscribe('a'), other!.subscribe('a')])
    deaf!.client.stream.pause()
    deaf!.client.stream.on('readable', () => undefined)
    deaf!.client.stream.read = () => null
    for (let n = 0; n < 40; n++) await sender!.publish('a', 'x'.repeat(250 * 1024))
    await vi.waitFor(async () => expect(await reasons()).toContain('Slow Consumer'), 5_000)
    await vi.waitFor(() => expect(other!.heard).toHaveLength(40), 5_000)
  }, 30_000)

  test('that publish with QoS 2 are cut off', async () => {
    const device = await world.device()
    const { client, closed } = await world.connect(device)
    client.publish(stateOf(device.id), '{"data":{"level":1}}', { qos: 2 })
    await closed
    expect(await last(device.id)).toBeUndefined()
  })

  test('get nothing from a will or a retained message', async () => {
    const will = { topic: 'wills', payload: Buffer.from('gone'), qos: 1 as const, retain: true }
    const device = await world.device({}, { filterType: 'all' })
    const hearer = await world.connect(await world.device({}, { filterType: 'all' }))
    await hearer.subscribe('#')
    const { client } = await world.connect(device, { will })
    await client.publishAsync('kept', 'x', { qos: 1, retain: true })
    client.stream.destroy()
    await vi.waitFor(async () => expect(await reasons()).toContain('Connection Lost'))
    const late = await world.connect(await world.device({}, { filterType: 'all' }))
    await late.subscribe('#')
    await late.publish('end', '')
    await vi.waitFor(() => expect(late.heard).toEqual(['end ']))
    expect(hearer.heard).toEqual(['kept x', 'end '])
  })
})

describe('limits', () => {
  const limited = async (config: object) => {
    await world.close()
    world = await openMqttWorld({ config })
  }

  test('cut off who floods, keep him out for a while, and leave others alone', async () => {
    await limited({ mqttMessages: 3 })
    const device = await world.device()
    const calm = await world.connect(await world.device())
    const client = await world.connect(device)
    for (let n = 0; n < 20; n++) client.publish(stateOf(device.id), { data: { level: n } }).catch(() => undefined)
    await client.closed
    expect(await last(device.id)).toMatchObject({ level: { value: 2 } })
    await vi.waitFor(async () => expect(await reasons()).toContain('Rate Limit Exceeded'))
    expect(await refusal(device)).toBe(5)
    expect(calm.client.connected).toBe(true)
  })

  test('count all packets together', async () => {
    await limited({ mqttMessages: 1 })
    const client = await world.connect(await world.device())
    for (let n = 0; n < 20; n++) client.subscribe(`a/${n}`).catch(() => undefined)
    await client.closed
  })

  test('hold for the connections of an application', async () => {
    await limited({ mqttConnections: 1 })
    const device = await world.device()
    await world.connect(device)
    expect(await refusal(await world.device())).toBe(3)
    expect(await refusal(device)).toBe('connected')
  })

  test('end a connection whose client falls silent', async () => {
    const device = await world.device()
    const { client } = await world.connect(device, { keepalive: 1, reschedulePings: false })
    client.stream.pause()
    const socket = client.stream as unknown as { write(): boolean }
    socket.write = () => true
    await vi.waitFor(async () => expect(await reasons()).toEqual(['Keepalive Timeout']), 5_000)
    expect(await connection(device.id)).toBe(0)
  })
})

test('a connection that ends where another of its device goes on leaves it connected', async () => {
  const { id: deviceId } = await world.device()
  const presence = presences()
  const first = await presence.connected(world.app, { deviceId, address: '' })
  const second = await presence.connected(world.app, { deviceId, address: '' })
  await presence.ended(first, { reason: 'New Connection', received: 0, sent: 0 })
  expect(await connection(deviceId)).toBe(1)
  await presence.ended(second, { reason: 'Client Disconnected', received: 0, sent: 0 })
  expect(await connection(deviceId)).toBe(0)
})

const presences = () =>
  openPresence({
    ...{ store: world.server.store, now: Date.now, resources: () => world.resources, alone: true },
    onError: (error) => {
      throw error
    },
  })

test('a broker that died leaves nobody connected', async () => {
  const device = await world.device()
  const session = { deviceId: device.id, broker: 'dead', address: '127.0.0.1', startedAt: Date.now() - 1_000 }
  await world.app.collection('deviceSessions').insert(session)
  await world.resources.devices.setConnection(device.id, true)
  await flow('Listens', [trigger('deviceIdDisconnect', device.id)])
  const presence = presences()
  await presence.repair()
  expect(await connection(device.id)).toBe(0)
  expect(await reasons()).toEqual(['Server Shutdown'])
})

test('a server that stops says so of all its connections', async () => {
  const device = await world.device()
  const client = await world.connect(device)
  await world.server.server.close(1_000)
  await client.closed
  expect(await reasons()).toEqual(['Server Shutdown'])
  expect(await connection(device.id)).toBe(0)
})
