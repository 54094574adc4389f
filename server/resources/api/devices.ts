import { reportsOf, timeOf } from '../../../nodes/device/state-reports.ts'
import type { DeviceShape } from '../../../nodes/services/devices.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { type Check, isObject, oneOf, refused } from '../check.ts'
import { deviceClasses } from '../device-fields.ts'
import {
  anId,
  body,
  type Calls,
  call,
  found,
  fromJson,
  needed,
  number,
  several,
  success,
  truth,
  words,
} from './call.ts'
import { answerOf, listParams, pageOf, patternQuery } from './lists.ts'

const shapeParams = { tagsAsObject: truth, attributesAsObject: truth }
const one = { deviceId: anId, excludeConnectionInfo: truth, ...shapeParams }

interface ShapeParams {
  excludeConnectionInfo?: boolean
  tagsAsObject?: boolean
  attributesAsObject?: boolean
}

function shapeOf({ excludeConnectionInfo, tagsAsObject, attributesAsObject }: ShapeParams): DeviceShape {
  return { tagsAsObject, attributesAsObject, includeConnectionInfo: excludeConnectionInfo !== true }
}

const classes: Check<string[]> = (value, place) => {
  return several(10)(value, place).map((item) => oneOf(deviceClasses)(item, place))
}

const tagFilters: Check<object[]> = (value, place) => {
  return several(100)(value, place).map((item) => {
    if (!isObject(item)) throw refused(place, 'a list of { key, value }', item)
    return { tags: { $eq: { $tagKey: item.key ?? '', $tagValue: item.value ?? '' } } }
  })
}

export const devices: Calls = {
  get: call(
    {
      ...{ ...listParams, ...shapeParams, excludeConnectionInfo: truth },
      ...{ deviceClass: classes, tagFilter: tagFilters, parentId: anId, query: fromJson },
    },
    async (world, params) => {
      const { deviceClass, tagFilter, parentId, query } = params
      const narrowed = [
        ...(deviceClass === undefined ? [] : [{ deviceClass: { $in: deviceClass } }]),
        ...(tagFilter === undefined ? [] : [{ $or: tagFilter }]),
        ...(parentId === undefined ? [] : [{ parentId: { $eq: parentId === 'null' ? null : parentId } }]),
        patternQuery(params, ['name']),
      ]
      // A query takes the place of all other ways to narrow the list.
      const criteria = { by: 'query' as const, query: query ?? { $and: narrowed } }
      return answerOf(await world.devices.find(criteria, pageOf(params), shapeOf(params)), world, params)
    },
  ),
  getCompositeState: call(
    { ...listParams, attributes: several(256), query: fromJson },
    async (world, { attributes, ...params }) => {
      const names = attributes?.map((name) => words(name, 'attributes'))
      const criteria = { by: 'query' as const, query: params.query ?? patternQuery(params, ['name']) }
      const { items, ...list } = await world.devices.find(criteria, pageOf(params), { state: names ?? true })
      const states = items.map(({ id, name, compositeState }) => ({ id, name, compositeState }))
      return answerOf({ items: states, ...list }, world, params)
    },
  ),
  post: call({ device: body, ...shapeParams }, async ({ devices }, { device, ...shape }) => {
    return await devices.create(needed(device, 'device'), shapeOf(shape))
  }),
}

export const device: Calls = {
  get: call(one, async ({ devices }, { deviceId, ...shape }) => {
    return found(await devices.get(needed(deviceId, 'deviceId'), shapeOf(shape)), 'Device')
  }),
  patch: call({ ...one, device: body }, async ({ devices }, { deviceId, device: patch, ...shape }) => {
    return await devices.update(needed(deviceId, 'deviceId'), needed(patch, 'device'), shapeOf(shape))
  }),
  delete: call({ deviceId: anId }, async ({ devices }, { deviceId }) => {
    if (await devices.remove(needed(deviceId, 'deviceId'))) return success
    throw new Refusal('NotFound', 'Device was not found')
  }),
  sendState: call({ deviceId: anId, deviceState: fromJson }, async (world, { deviceId, deviceState }) => {
    const id = needed(deviceId, 'deviceId')
    const states = several(1_000)(needed(deviceState, 'deviceState'), 'deviceState')
    for (const one of states) {
      if (!isObject(one) || !isObject(one.data)) throw refused('deviceState', '{ data, time }, or a list of them', one)
    }
    const now = world.now()
    await world.devices.report(reportsOf(states, { time: now, now }).map((report) => ({ deviceId: id, ...report })))
    return success
  }),
  getState: call({ deviceId: anId, limit: number }, async (world, { deviceId, limit = 1 }) => {
    const device = found(await world.devices.get(needed(deviceId, 'deviceId'), {}), 'Device')
    const attributes = (device.attributes as { name: string }[]).map(({ name }) => name)
    if (attributes.length === 0) return []
    const series = await world.devices.series({
      ...{ devices: { ids: [device.id] }, attributes, aggregation: 'NONE', perDevice: true },
      ...{ end: world.now() + 1, duration: world.now(), order: 'desc' as const, limit: Math.trunc(limit) },
    })
    return series.groups[0]!.points.map(({ time: at, data: values }) => ({
      time: new Date(at),
      data: Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value])),
    }))
  }),
  getCompositeState: call({ deviceId: anId, attributes: several(256) }, async ({ devices }, params) => {
    const attributes = params.attributes?.map((name) => words(name, 'attributes'))
    const view = await devices.get(needed(params.deviceId, 'deviceId'), { state: attributes ?? true })
    return found(view, 'Device').compositeState
  }),
  setConnectionStatus: call({ deviceId: anId, connectionStatus: body }, async ({ devices, now }, params) => {
    const given = needed(params.connectionStatus, 'connectionStatus')
    const connected = oneOf(['connected', 'disconnected'])(given.status, 'connectionStatus.status') === 'connected'
    const at = connected ? given.connectedAt : given.disconnectedAt
    await devices.setConnection(needed(params.deviceId, 'deviceId'), connected, { time: timeOf(at, now()) })
    return success
  }),
}
