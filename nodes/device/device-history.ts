import { numberTemplate, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { attributeNames } from './attribute-names.ts'
import { timeOf } from './state-reports.ts'

export const deviceHistory = defineNode({
  type: 'device-history',
  aliases: [],
  group: 'device',
  title: 'Device: History',
  summary: 'Puts what attributes of a device were over a time on the payload.',
  outputs: ['next'],
  needs: ['devices', 'clock'],
  config: {
    device: template({
      key: 'deviceIdTemplate',
      label: 'Device id',
      help: 'One that does not exist has no history.',
      required: true,
    }),
    attributes: template({ key: 'attributesTemplate', label: 'Attributes', help: 'With commas between; empty: all.' }),
    duration: numberTemplate({
      key: 'durationTemplate',
      label: 'Duration in ms',
      help: 'How far before the end it begins; an hour when empty.',
      default: 3_600_000,
    }),
    end: template({ key: 'endTemplate', label: 'End', help: 'Empty: now.' }),
    resolution: numberTemplate({
      key: 'resolutionTemplate',
      label: 'Resolution in ms',
      help: '0: every point.',
      default: 0,
    }),
    aggregation: template({
      key: 'aggregationTemplate',
      label: 'Aggregation',
      help: 'How the points of one step become one value.',
      default: 'MEAN',
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ start, end, resolution, aggregation, attributes: { name: [{ time, value }] } }',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The last hour, a value a minute',
      config: { deviceIdTemplate: '{{data.id}}', resolutionTemplate: '60000', resultPath: 'working.history' },
      payload: { data: { id: '6521f7b20c1d4e8a9b3c5d71' } },
      output: 'next',
    },
  ],
  async run({ config, use }) {
    const end = timeOf(config.end, use.clock.now())
    const start = end - config.duration
    const { resolution } = config
    const aggregation = config.aggregation.trim().toUpperCase()
    const names = attributeNames([config.attributes])
    const history = use.devices.history({
      ...{ deviceId: config.device.trim(), start, end, resolution, aggregation },
      ...(names.length > 0 ? { attributes: names } : {}),
    })
    const shaped = history.then((attributes) => ({
      ...{ start: new Date(start), end: new Date(end), resolution, aggregation, attributes },
    }))
    config.result.write(await orError(shaped))
  },
})
