import { timeOf } from '../../../nodes/device/state-reports.ts'
import type { DeviceCriteria } from '../../../nodes/services/devices.ts'
import { id, isObject, listOf, orNothing, readBody, refused, text } from '../check.ts'
import { anId, body, type Calls, call, found, fromJson, needed, offered, success } from './call.ts'

const fields = { name: text(1, 255), payload: (value: unknown) => value, time: orNothing((value: unknown) => value) }
const several = {
  ...{ ...fields, deviceIds: orNothing(listOf(id, 1_000)), deviceQuery: orNothing(fromJson) },
  deviceTags: orNothing(
    listOf((value, place) => {
      if (!isObject(value)) throw refused(place, '{ key, value }', value)
      return readBody(value, { key: orNothing(text(0, 255)), value: orNothing(text(0, 255)) }, place)
    }, 100),
  ),
}
const service = 'connections of devices'

/** A command to one device. */
export const deviceCommand: Calls = {
  sendCommand: call({ deviceId: anId, deviceCommand: body }, async (world, { deviceId, deviceCommand: given }) => {
    const { name, payload, time } = readBody(needed(given, 'deviceCommand'), fields, 'a command')
    const device = found(await world.devices.get(needed(deviceId, 'deviceId'), {}), 'Device')
    const command = { name: needed(name, 'name'), payload, time: timeOf(time, world.now()) }
    await offered(world.commands, service).send({ ids: [String(device.id)], ...command })
    return success
  }),
}

/** A command to all devices with one of the ids or tags, or to those that a query finds. */
export const devicesCommand: Calls = {
  sendCommand: call({ multiDeviceCommand: body }, async (world, { multiDeviceCommand: given }) => {
    const asked = readBody(needed(given, 'multiDeviceCommand'), several, 'a command')
    const { deviceIds, deviceTags, deviceQuery, name, payload, time } = asked
    if (deviceIds === undefined && deviceTags === undefined && deviceQuery === undefined) {
      throw refused('multiDeviceCommand', 'an object with "deviceIds", "deviceTags" or "deviceQuery"', given)
    }
    const criteria: DeviceCriteria[] =
      deviceQuery === undefined
        ? deviceTags === undefined
          ? []
          : [{ by: 'anyTags', tags: deviceTags }]
        : [{ by: 'query', query: deviceQuery }]
    const ids = deviceQuery === undefined ? deviceIds : undefined
    const command = { name: needed(name, 'name'), payload, time: timeOf(time, world.now()) }
    await offered(world.commands, service).send({ ids, criteria, ...command })
    return success
  }),
}
