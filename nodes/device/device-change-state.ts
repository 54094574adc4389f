import { byType, choice, json, lazy, list, path, read, template, text, value } from '../../engine/fields.ts'
import type { Payload } from '../../engine/payload.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import type { StateReport } from '../services/devices.ts'
import { Refusal } from '../services/listing.ts'
import { reportsOf, timeOf } from './state-reports.ts'

export const deviceChangeState = defineNode({
  type: 'device-change-state',
  aliases: ['DeviceChangeStateNode'],
  group: 'device',
  title: 'Device: State',
  summary: 'Reports state of a device, as the device itself would.',
  outputs: ['next'],
  needs: ['devices', 'clock'],
  config: {
    device: byType({
      key: 'deviceId',
      label: 'Device id',
      help: 'The device that reports.',
      typeKey: 'deviceIdTemplateType',
      default: 'stringTemplate',
      kinds: { stringTemplate: template({ label: 'Device id', required: true }), jsonPath: read() },
    }),
    method: choice({
      key: 'attrDataMethod',
      label: 'Data from',
      help: 'individualFields: one by one. The others give an object of attribute to value, or a list of reports with time and data.',
      of: ['individualFields', 'payloadPath', 'jsonTemplate'],
    }),
    fields: list({
      key: 'attrInfos',
      label: 'Attributes',
      help: 'A value that renders blank is left out; so is one that the device has no attribute for.',
      of: {
        key: text({ key: 'key', label: 'Attribute', help: 'Name of the attribute.' }),
        value: value({
          key: 'valueTemplate',
          label: 'Value',
          help: 'Cast to the type of the attribute; what cannot be cast is left out.',
        }),
      },
    }),
    fromPath: read({
      key: 'attrPayloadPath',
      label: 'Payload path',
      help: 'With payloadPath: { attribute: value }, { time, data }, or a list of either.',
    }),
    fromJson: lazy(
      json({
        key: 'attrJsonTemplate',
        label: 'JSON template',
        help: 'With jsonTemplate: { attribute: value }, { time, data }, or a list of either.',
      }),
    ),
    timeSource: choice({
      key: 'timeSourceType',
      label: 'Time',
      help: 'When it was measured.',
      of: ['payloadTime', 'now', 'payloadPath'],
    }),
    time: read({
      key: 'timeSourcePath',
      label: 'Time path',
      help: 'With payloadPath: a date, ISO text, or milliseconds; now when it is none.',
    }),
    meta: byType({
      key: 'metaTemplate',
      label: 'Meta',
      help: 'Kept beside the values.',
      typeKey: 'metaTemplateType',
      default: 'json',
      kinds: { json: json({ lenient: true }), path: read(), string: template() },
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ success: true }, or { error: { type, message } }. Empty: it is dropped.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A measured value',
      config: { deviceId: '{{data.id}}', attrInfos: [{ key: 'temperature', valueTemplate: '{{data.celsius}}' }] },
      payload: { data: { id: '6521f7b20c1d4e8a9b3c5d71', celsius: 21.5 } },
      output: 'next',
    },
  ],
  async run({ config, payload, use }) {
    const sources = { now: undefined, payloadTime: payload.time, payloadPath: config.time }
    const time = timeOf(sources[config.timeSource], use.clock.now())
    const reports = reportsFor(config, time, use.clock.now())
    config.result.write(
      await orError(reports.then((ready) => use.devices.report(ready)).then(() => ({ success: true }))),
    )
  },
})

async function reportsFor(
  config: {
    device: unknown
    method: 'individualFields' | 'payloadPath' | 'jsonTemplate'
    fields: { key: string; value: unknown }[]
    fromPath: unknown
    fromJson: () => unknown
    meta: unknown
  },
  time: number,
  now: number,
): Promise<StateReport[]> {
  const deviceId = typeof config.device === 'string' ? config.device.trim() : ''
  if (deviceId === '') throw new Refusal('NotFound', 'Expected the id of a device, got nothing at that path')
  const meta = config.meta === undefined || config.meta === '' ? {} : { meta: config.meta }
  if (config.method === 'individualFields') {
    const data: Payload = Object.fromEntries(config.fields.map(({ key, value: one }) => [key, one]))
    return [{ deviceId, data, time, ...meta }]
  }
  const source = config.method === 'payloadPath' ? config.fromPath : config.fromJson()
  return reportsOf(source, { time, now }).map((report) => ({ deviceId, ...meta, ...report }))
}
