import { defineNode } from '../define.ts'
import type { Series, SeriesGroup } from '../services/series.ts'
import { seriesFields, seriesRequest, writeSeries } from './series-fields.ts'

export const gauge = defineNode({
  type: 'gauge',
  aliases: ['GaugeNode'],
  group: 'device',
  title: 'Gauge Query',
  summary: 'Puts one value of device attributes on the payload: the last one, or one made of all over a time.',
  outputs: ['next'],
  needs: ['devices', 'clock'],
  config: seriesFields,
  examples: [
    {
      title: 'The highest temperature of all pumps in a day',
      config: {
        findMethod: 'tags',
        deviceTags: [{ key: 'kind', value: 'pump' }],
        attribute: 'temperature',
        duration: '86400000',
        aggregation: 'MAX',
        resultPath: 'working.highest',
      },
      payload: {},
    },
  ],
  async run({ config, use, signal }) {
    const wanted = seriesRequest(config, use.clock.now())
    const { perDevice } = config
    // Without a duration each device gives its last value, and what is asked for is the last of them.
    const aggregation = wanted.aggregation.trim() || (wanted.duration === undefined ? 'LAST' : '')
    const series = use.devices.series({ ...wanted, aggregation, perDevice, signal })
    await writeSeries(
      config,
      series.then((found) => gaugeOf(found, { single: wanted.attributes.length === 1, perDevice })),
    )
  },
})

function gaugeOf(series: Series, { single, perDevice }: { single: boolean; perDevice: boolean }): object {
  if (!perDevice) return valuesOf(series.groups[0], series.end, single)
  const devices = series.groups.map((group) => [group.deviceId, valuesOf(group, series.end, single)] as const)
  return Object.fromEntries(devices.filter(([, values]) => Object.keys(values).length > 0))
}

/** `{ time, value }`, or one of these for each of several attributes. A value that was computed is one of the end. */
function valuesOf(group: SeriesGroup | undefined, end: number, single: boolean): object {
  const data = Object.entries(group?.points[0]?.data ?? {})
  const values = data.map(([name, { value, chosenAt }]) => [name, { time: new Date(chosenAt ?? end), value }] as const)
  return single ? (values[0]?.[1] ?? {}) : Object.fromEntries(values)
}
