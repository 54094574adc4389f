import { beforeEach, expect, test } from 'vitest'
import { openAccessKeys } from '../../../../server/resources/access-keys.ts'
import { openRunning, type Running } from '../running.ts'

let run: Running

beforeEach(async () => {
  run = await openRunning()
})

const call = async (resource: string, action: string, params: Record<string, unknown> = {}) => {
  const answer = await run.result('LosantApiNode', {
    ...{ resource, action, responsePath: 'out' },
    params: Object.entries(params).map(([name, value]) => ({ name, type: 'json', value: JSON.stringify(value) })),
  })
  return (answer as { result: unknown }).result
}

test('flows make, find, change and remove access keys', async () => {
  const made = (await call('applicationKeys', 'post', { applicationKey: { name: 'Pumps' } })) as {
    [key: string]: string
  }
  expect(await openAccessKeys(run.app).authenticate(made.key!, made.secret!)).toMatchObject({ name: 'Pumps' })
  const id = { applicationKeyId: made.id }
  const list = await call('applicationKeys', 'get', { filterField: 'name', filter: 'Pu*' })
  expect(list).toMatchObject({ count: 1, items: [{ id: made.id, key: made.key }] })
  expect(JSON.stringify(list)).not.toContain('secret')
  expect(await call('applicationKeys', 'get', { filterField: 'name', filter: 'x*' })).toMatchObject({ count: 0 })
  expect(await call('applicationKey', 'patch', { ...id, applicationKey: { status: 'inactive' } })).toMatchObject({
    status: 'inactive',
  })
  expect(await call('applicationKey', 'get', id)).toMatchObject({ status: 'inactive' })
  expect(await call('applicationKey', 'delete', id)).toEqual({ success: true })
  expect(await run.app.collection('accessKeys').count()).toBe(0)
})

test('the log of a device tells its connections and commands, newest first', async () => {
  const { id: deviceId } = await run.devices.create({ name: 'Pump' }, {})
  const session = { deviceId, broker: 'b', address: '192.0.2.1' }
  const end = { disconnectReason: 'Connection Lost', messagesFromClient: 12, messagesToClient: 3 }
  await run.app.collection('deviceSessions').insert({ ...session, ...end, startedAt: 1_000, endedAt: 2_000 })
  await run.app.collection('deviceSessions').insert({ ...session, startedAt: 3_000 })
  for (const [time, name] of [
    [1_000, 'first'],
    [2_000, 'second'],
  ] as const) {
    const source = { sourceType: 'flow', sourceId: 'f' }
    await run.app.collection('deviceCommands').insert({ deviceId, name, payload: { n: time }, time, ...source })
  }
  const ipAddress = '192.0.2.1'
  expect(await call('device', 'getLogEntries', { deviceId, limit: 10 })).toEqual([
    { connected: 1, time: '1970-01-01T00:00:03.000Z', ipAddress },
    { connected: 0, time: '1970-01-01T00:00:02.000Z', ipAddress, ...end },
    { connected: 1, time: '1970-01-01T00:00:01.000Z', ipAddress },
  ])
  expect(await call('device', 'getLogEntries', { deviceId })).toHaveLength(1)
  expect(await call('device', 'getCommand', { deviceId })).toEqual([
    { name: 'second', payload: { n: 2_000 }, time: '1970-01-01T00:00:02.000Z' },
  ])
})
