import { timeOf } from '../../../nodes/device/state-reports.ts'
import type { PointsAsked } from '../../jobs/resource-export-document.ts'
import { flag, id, isObject, listOf, oneOf, orNothing, readBody, refused, text } from '../check.ts'
import type { JobEnqueued, Recipients } from '../exports.ts'
import {
  type ApiWorld,
  anId,
  body,
  type Calls,
  call,
  found,
  fromJson,
  needed,
  number,
  offered,
  truth,
  words,
} from './call.ts'

const recipients = { email: orNothing(text(0, 1_024)), callbackUrl: orNothing(text(0, 1_024)) }
const names = orNothing(listOf(text(1, 255), 256))
const format = oneOf(['csv', 'json'])
const range = { start: orNothing(number), end: orNothing(number) }

const tagPair = (value: unknown, place: string) => {
  if (!isObject(value)) throw refused(place, '{ key, value }', value)
  const { key, value: wanted } = readBody(
    value,
    { key: orNothing(text(0, 255)), value: orNothing(text(0, 255)) },
    place,
  )
  return { key, value: wanted }
}

const optionFields = { includeDate: flag, includeID: flag, includeBlobData: flag }

const pointsFields = {
  ...{ deviceIds: orNothing(listOf(id, 1_000)), deviceTags: orNothing(listOf(tagPair, 100)) },
  ...{ deviceQuery: orNothing(fromJson), attributes: names, ...range, ...recipients },
  options: orNothing((value: unknown) =>
    readBody(value, { ...optionFields, filePerDevice: flag }, 'options of an export'),
  ),
}

const deviceFields = {
  ...{ ...range, ...recipients, attributes: names, includeBlobData: flag },
  options: orNothing((value: unknown) => readBody(value, optionFields, 'options of an export')),
}

/** The history of devices as a file. */
export const dataExport: Calls = {
  export: call({ query: body }, async (world, params) => {
    const given = readBody(needed(params.query, 'query'), pointsFields, 'an export of data')
    const { deviceIds: ids, deviceTags: tags, deviceQuery: query, attributes, options = {} } = given
    if (ids === undefined && tags === undefined && query === undefined) {
      throw refused('query', 'an object with "deviceIds", "deviceTags" or "deviceQuery"', given)
    }
    const { includeDate = true, includeID: includeId = true, filePerDevice = false } = options
    const asked = { ...rangeOf(given, world.now()), includeDate, includeId, filePerDevice, attributes }
    return await exportsOf(world).points({ ...asked, devices: { ids, tags, query } }, given)
  }),
}

export const deviceExport: Calls = {
  export: call(
    {
      ...{ deviceId: anId, start: number, end: number, email: words, callbackUrl: words, includeBlobData: truth },
      query: body,
    },
    async (world, { deviceId, query = {}, ...params }) => {
      const device = found(await world.devices.get(needed(deviceId, 'deviceId'), {}), 'Device')
      const given = { ...params, ...readBody(query, deviceFields, 'an export of a device') }
      const { includeDate = false, includeID: includeId = false } = given.options ?? {}
      const asked = { ...rangeOf(given, world.now()), includeDate, includeId, filePerDevice: false }
      const devices = { ids: [String(device.id)] }
      return await exportsOf(world).points({ ...asked, devices, attributes: given.attributes }, given)
    },
  ),
}

export const devicesExport: Calls = {
  export: call({ email: words, callbackUrl: words, options: body }, async (world, { options = {}, ...params }) => {
    const fields = { ...recipients, query: orNothing(fromJson), format }
    const given = { ...params, ...readBody(options, fields, 'an export of devices') }
    return await exportsOf(world).devices({ query: given.query ?? {}, format: given.format ?? 'csv' }, given)
  }),
}

export const eventsExport: Calls = {
  export: call({ exportData: body }, async (world, { exportData = {} }) => {
    const fields = { ...recipients, query: orNothing(fromJson), format, excludeUpdates: flag }
    const {
      query = {},
      format: wanted = 'csv',
      excludeUpdates = false,
      ...to
    } = readBody(exportData, fields, 'an export of events')
    return await exportsOf(world).events({ query, format: wanted, excludeUpdates }, to)
  }),
}

const count = orNothing((value: unknown, place: string) => {
  const read = number(value, place)
  if (Number.isInteger(read) && read >= 0) return read
  throw refused(place, 'a whole number from 0', value)
})

const orderFields = {
  ...{ sortColumn: orNothing(text(0, 255)), limit: count, offset: count },
  sortDirection: orNothing(oneOf(['asc', 'desc', 'ASC', 'DESC', ''])),
}

export const rowsExport: Calls = {
  export: call({ dataTableId: anId, exportData: body }, async (world, { dataTableId, exportData = {} }) => {
    const options = orNothing((value: unknown) => readBody(value, orderFields, 'the order of rows'))
    const fields = { ...recipients, query: orNothing(fromJson), queryOptions: options }
    const { query = {}, queryOptions = {}, ...to } = readBody(exportData, fields, 'an export of rows')
    const sortDirection = queryOptions.sortDirection?.toLowerCase() === 'desc' ? 'desc' : 'asc'
    const { sortColumn, limit, offset } = queryOptions
    const order = { sortColumn: sortColumn || undefined, sortDirection, limit, offset } as const
    return await exportsOf(world).rows({ tableId: needed(dataTableId, 'dataTableId'), query, ...order }, to)
  }),
}

function exportsOf(world: ApiWorld): {
  [K in 'points' | 'devices' | 'events' | 'rows']: (
    asked: Parameters<NonNullable<ApiWorld['exports']>[K]>[0],
    to: Recipients,
  ) => Promise<JobEnqueued>
} {
  return offered(world.exports, 'workers, which write exports')
}

/** Default from the beginning till now; what is reported in this very millisecond is still in it. */
function rangeOf(
  { start = 1, end = 0 }: { start?: number; end?: number },
  now: number,
): Pick<PointsAsked, 'start' | 'end'> {
  const asked = {
    start: start === 1 ? 0 : start === 0 ? now : timeOf(start, now),
    end: end === 0 ? now + 1 : timeOf(end, now),
  }
  if (asked.start < asked.end) return asked
  throw refused('end', 'later than "start"', end)
}
