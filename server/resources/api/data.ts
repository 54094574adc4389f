import { timeOf } from '../../../nodes/device/state-reports.ts'
import type { DeviceCriteria } from '../../../nodes/services/devices.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { flag, id, isObject, listOf, oneOf, orNothing, readBody, refused, text } from '../check.ts'
import { type ApiWorld, body, type Calls, call, fromJson, needed, number } from './call.ts'

const DAY_MS = 86_400_000

const keys = listOf(text(1, 255), 256)
const selection = {
  deviceIds: orNothing(listOf(id, 1_000)),
  deviceTags: orNothing(
    listOf((value, place) => {
      if (!isObject(value)) throw refused(place, '{ key, value }', value)
      return { key: textOf(value.key), value: textOf(value.value) }
    }, 100),
  ),
  deviceQuery: orNothing(fromJson),
}
const seriesFields = {
  ...{ ...selection, attributes: orNothing(keys), start: orNothing(number), end: orNothing(number) },
  ...{ duration: orNothing(number), resolution: orNothing(number), limit: orNothing(number) },
  ...{ order: orNothing(oneOf(['asc', 'desc'])), aggregation: orNothing((value: unknown) => value) },
  includeBlobData: flag,
}
const lastFields = { ...selection, attribute: text(1, 255), end: orNothing(number) }

/** Questions for what devices reported. */
export const data: Calls = {
  timeSeriesQuery: call({ query: body }, async (world, { query }) => {
    const given = readBody(needed(query, 'query'), seriesFields, 'a time series query')
    const { resolution, limit, order = 'asc', aggregation = 'MEAN' } = given
    const now = world.now()
    const end = endOf(given.end, now)
    const start = given.start === undefined ? end - (given.duration ?? DAY_MS) : startOf(given.start, now)
    const { type, value } = aggregationOf(given.aggregation)
    const devices = await devicesOf(world, given)
    const attributes = given.attributes ?? attributesOf(devices)
    const found = attributes.length > 0 && devices.length > 0
    const ids = devices.map((device) => device.id)
    const asked = { devices: { ids }, attributes, end, duration: end - start, aggregation: type, value }
    const more = { perDevice: true, order, resolution: resolution || undefined, limit }
    const series = found ? await world.devices.series({ ...asked, ...more }) : undefined
    const groups = new Map((series?.groups ?? []).map((group) => [group.deviceId, group]))
    const shown = devices.map((device) => {
      const { points = [], limitExceeded } = groups.get(device.id) ?? {}
      const rows = points.map((point) => ({ time: new Date(point.time), data: plain(point.data) }))
      const { name, tags } = device
      return [device.id, { name, tags, points: rows, ...(limitExceeded ? { limitExceeded } : {}) }] as const
    })
    return {
      ...{ start: new Date(start), end: new Date(end), resolution: resolution || null, aggregation },
      ...{ limit: limit ?? null, order, devices: Object.fromEntries(shown) },
    }
  }),

  lastValueQuery: call({ query: body }, async (world, { query }) => {
    const given = readBody(needed(query, 'query'), lastFields, 'a last value query')
    const attribute = needed(given.attribute, 'attribute')
    const ids = (await devicesOf(world, given)).map((device) => device.id)
    if (ids.length === 0) return {}
    const { groups } = await world.devices.series({
      ...{ devices: { ids }, attributes: [attribute], aggregation: 'LAST', perDevice: true },
      end: endOf(given.end, world.now()),
    })
    const last = groups.flatMap(({ deviceId, points }) =>
      points.map(({ data: values, time }) => {
        const at = new Date(values[attribute]?.chosenAt ?? time)
        return [deviceId!, { time: at, data: plain(values) }] as const
      }),
    )
    return Object.fromEntries(last)
  }),
}

function plain(values: Record<string, { value: unknown }>) {
  return Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value]))
}

function textOf(value: unknown): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : String(value)
}

/** What is reported in this very millisecond is still in it. */
function endOf(end: number | undefined, now: number): number {
  return end === undefined || end === 0 ? now + 1 : timeOf(end, now)
}

/** 1 is the beginning. */
function startOf(start: number, now: number): number {
  return start === 1 ? 0 : start === 0 ? now : timeOf(start, now)
}

function aggregationOf(given: unknown): { type: string; value?: unknown } {
  if (given === undefined || typeof given === 'string') return { type: given ?? '' }
  if (!isObject(given) || typeof given.type !== 'string') throw refused('aggregation', 'a name or { type }', given)
  return { type: given.type, ...(isObject(given.options) ? { value: given.options.value } : {}) }
}

interface Selection {
  deviceIds?: string[]
  deviceTags?: { key?: string; value?: string }[]
  deviceQuery?: unknown
}

const mostDevices = 1_000

/** All that are selected, each once, ids that are unknown left out. Throws Refusal for more than 1,000, or when nothing is selected. */
async function devicesOf({ devices }: ApiWorld, { deviceIds, deviceTags, deviceQuery }: Selection) {
  const criteria: DeviceCriteria[] = [
    ...(deviceIds === undefined ? [] : [{ by: 'query' as const, query: anyOf(deviceIds) }]),
    ...(deviceTags === undefined ? [] : [{ by: 'anyTags' as const, tags: deviceTags }]),
    ...(deviceQuery === undefined ? [] : [{ by: 'query' as const, query: deviceQuery }]),
  ]
  if (criteria.length === 0) {
    throw new Refusal('Validation', 'Expected "deviceIds", "deviceTags" or "deviceQuery", got none of them')
  }
  const found = new Map<string, Awaited<ReturnType<typeof devices.find>>['items'][number]>()
  for (const one of criteria) {
    const { items, totalCount } = await devices.find(one, { perPage: mostDevices }, { tagsAsObject: true })
    for (const device of items) found.set(device.id, device)
    if (totalCount > mostDevices || found.size > mostDevices) {
      throw new Refusal('Validation', `Expected at most ${mostDevices} devices, got more. Ask for fewer at once.`)
    }
  }
  return [...found.values()]
}

/** A query takes at most 100 items in a list. */
function anyOf(ids: readonly string[]): object {
  const parts = Array.from({ length: Math.ceil(ids.length / 100) }, (_, i) => ids.slice(i * 100, i * 100 + 100))
  return parts.length === 0 ? { $nor: [] } : { $or: parts.map((part) => ({ id: { $in: part } })) }
}

function attributesOf(devices: readonly Record<string, unknown>[]): string[] {
  const all = devices.flatMap((device) => device.attributes as { name: string; dataType: string }[])
  return [...new Set(all.filter(({ dataType }) => dataType !== 'blob').map(({ name }) => name))].slice(0, 256)
}
