import { choiceTemplate, numberTemplate } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import type { Series, SeriesGroup } from '../services/series.ts'
import { seriesFields, seriesRequest, writeSeries } from './series-fields.ts'

const DAY_MS = 86_400_000

export const timeSeries = defineNode({
  type: 'time-series',
  aliases: ['TimeSeriesNode'],
  group: 'device',
  title: 'Time Series',
  summary: 'Puts values of device attributes over a time on the payload, one for each piece of it or all of them.',
  outputs: ['next'],
  needs: ['devices', 'clock'],
  config: {
    ...seriesFields,
    resolution: numberTemplate({ key: 'resolution', label: 'Resolution in ms', help: 'Empty: one value for all.' }),
    order: choiceTemplate({
      key: 'orderTemplate',
      label: 'Order',
      help: 'asc: the oldest first.',
      of: ['asc', 'desc'],
    }),
    limit: numberTemplate({
      key: 'limitTemplate',
      label: 'Most points',
      help: 'With NONE, of a device; at most 25,000.',
    }),
  },
  examples: [
    {
      title: 'The last day, a mean for each hour',
      config: {
        deviceIdsPath: 'data.query.deviceId',
        attribute: ['temperature'],
        duration: '86400000',
        resolution: '3600000',
        aggregation: 'MEAN',
        resultPath: 'working.series',
      },
      payload: { data: { query: { deviceId: '6521f7b20c1d4e8a9b3c5d71' } } },
    },
  ],
  async run({ config, use, signal }) {
    const wanted = seriesRequest({ ...config, duration: config.duration || DAY_MS }, use.clock.now())
    const { order, limit, resolution } = config
    const long = wanted.attributes.length > 1 || config.aggregation.trim().toUpperCase() === 'NONE'
    const perDevice = long || config.perDevice
    const series = use.devices.series({
      ...wanted,
      resolution: resolution || undefined,
      perDevice,
      order,
      limit,
      signal,
    })
    await writeSeries(
      config,
      series.then((found) => {
        if (found.groups.every(({ points }) => points.length === 0)) return {}
        if (long) return longForm(found, { resolution, limit })
        return perDevice ? byDevice(found) : valuesOf(found.groups[0]!)
      }),
    )
  },
})

function byDevice({ groups }: Series): object {
  return Object.fromEntries(
    groups.filter(({ points }) => points.length > 0).map((one) => [one.deviceId, valuesOf(one)]),
  )
}

/** Of the one attribute: `{ time, value }` for each bucket. */
function valuesOf({ points }: SeriesGroup): { time: Date; value: unknown }[] {
  return points.map(({ time, data }) => ({ time: new Date(time), value: Object.values(data)[0]!.value }))
}

function longForm(series: Series, { resolution, limit }: { resolution?: number; limit?: number }): object {
  const { start, end, aggregation } = series
  const named = new Map(series.devices.map((device) => [device.id, device]))
  const devices = series.groups.map(({ deviceId, points, limitExceeded }) => {
    const { name, tags } = named.get(deviceId!)!
    const rows = points.map(({ time, data }) => ({
      time: new Date(time),
      data: Object.fromEntries(Object.entries(data).map(([attribute, { value }]) => [attribute, value])),
    }))
    return [deviceId, { name, tags, points: rows, ...(limitExceeded ? { limitExceeded } : {}) }]
  })
  return {
    start: new Date(start!),
    end: new Date(end),
    resolution: resolution || null,
    aggregation,
    ...(limit === undefined ? {} : { limit }),
    devices: Object.fromEntries(devices),
  }
}
