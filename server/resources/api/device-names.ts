import type { DeviceDocument } from '../../store/documents/devices.ts'
import { oneOf } from '../check.ts'
import { queriedDevices } from '../export-filters.ts'
import { type ApiWorld, type Calls, call, fromJson, needed, several, words } from './call.ts'

const most = 1_000
const asked = { query: fromJson, startsWith: words }
const dataTypes = oneOf(['string', 'number', 'gps', 'boolean', 'blob'])

/** What the devices that a query finds are called, have as tags and have as attributes: at most 1,000 of each, in order. */
export const deviceNames: Calls = {
  tagKeys: call(asked, async (world, params) => ({
    tagKeys: await collect(world, params, ({ tags }) => tags.map(({ key }) => key)),
  })),
  tagValues: call({ ...asked, key: words }, async (world, params) => {
    const tagKey = needed(params.key, 'key')
    const valuesOf = ({ tags }: DeviceDocument) => tags.flatMap(({ key, value }) => (key === tagKey ? [value] : []))
    return { tagKey, tagValues: await collect(world, params, valuesOf) }
  }),
  attributeNames: call({ ...asked, dataType: several(5) }, async (world, { dataType, ...params }) => {
    const types = dataType?.map((one) => dataTypes(one, 'dataType'))
    const namesOf = ({ attributes }: DeviceDocument) =>
      attributes.flatMap((one) => (types === undefined || types.includes(one.dataType) ? [one.name] : []))
    return { attributeNames: await collect(world, params, namesOf) }
  }),
  deviceNames: call(asked, async (world, { query, startsWith = '' }) => {
    const named = { field: 'name', op: 'startsWith', value: startsWith, ignoreCase: true } as const
    const filter = { all: [await queriedDevices(world.app, query), ...(startsWith === '' ? [] : [named])] }
    const sort = { field: 'name', direction: 'asc' } as const
    const devices = await world.app.collection('devices').find({ filter, sort, limit: most })
    return { deviceSummary: devices.map(({ id, name, deviceClass }) => ({ id, name, deviceClass })) }
  }),
}

/** Those that begin so; upper and lower case are the same. All devices are looked at, and as many texts kept as are given. */
async function collect(
  { app }: ApiWorld,
  { query, startsWith = '' }: { query?: unknown; startsWith?: string },
  textsOf: (device: DeviceDocument) => string[],
): Promise<string[]> {
  const start = startsWith.toLowerCase()
  const found = new Set<string>()
  for await (const device of app.collection('devices').each(await queriedDevices(app, query))) {
    for (const text of textsOf(device)) if (text.toLowerCase().startsWith(start)) found.add(text)
    if (found.size > 10 * most) keepFirst(found)
  }
  return [...found].sort().slice(0, most)
}

function keepFirst(found: Set<string>): void {
  for (const text of [...found].sort().slice(most)) found.delete(text)
}
