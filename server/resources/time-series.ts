import type { DeviceCriteria } from '../../nodes/services/devices.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { Series, SeriesRequest } from '../../nodes/services/series.ts'
import type { DeviceDocument } from '../store/documents/devices.ts'
import { isId } from '../store/id.ts'
import type { AppStore, Filter } from '../store/port.ts'
import { tagsAsObject } from './device-views.ts'
import { foldedGroups } from './time-series-folded.ts'
import { planOf } from './time-series-plan.ts'
import { rawGroups } from './time-series-raw.ts'
import { openReader } from './time-series-read.ts'

const mostDevices = 1_000

/** See `Devices.series`. Points are read page by page and folded: memory grows with the buckets, not with the history. */
export async function readSeries(
  app: AppStore,
  request: SeriesRequest,
  world: { now: number; filterOf(criteria: DeviceCriteria): Promise<Filter> },
): Promise<Series> {
  const devices = await devicesOf(app, request.devices, world.filterOf)
  const plan = planOf(request, { now: world.now, devices })
  const { start, end, aggregation } = plan
  const reader = openReader(app, request.signal)
  const ids = devices.map(({ id }) => id)
  const groups =
    aggregation === 'NONE' && start !== undefined
      ? await rawGroups(reader, ids, { ...plan, start })
      : await foldedGroups(app, { reader, ids, plan })
  const named = devices.map(({ id, name, tags }) => ({ id, name, tags: tagsAsObject(tags) }))
  return { start, end, aggregation, devices: named, groups }
}

/** In the order of the ids, then of the criteria, each once. */
async function devicesOf(
  app: AppStore,
  { ids = [], criteria = [] }: SeriesRequest['devices'],
  filterOf: (criteria: DeviceCriteria) => Promise<Filter>,
): Promise<DeviceDocument[]> {
  const collection = app.collection('devices')
  const wanted = [...new Set(ids.map((id) => id.trim().toLowerCase()))].filter(isId)
  if (wanted.length > mostDevices) throw tooManyDevices()
  const found = new Map((await collection.getMany(wanted)).map((device) => [device.id, device]))
  for (const one of criteria) {
    const filter = await filterOf(one)
    for (const device of await collection.find({ filter, limit: mostDevices + 1 })) found.set(device.id, device)
    if (found.size > mostDevices) throw tooManyDevices()
  }
  return [...found.values()]
}

function tooManyDevices(): Refusal {
  return new Refusal('Validation', `Expected at most ${mostDevices} devices, got more. Ask for fewer at once.`)
}
