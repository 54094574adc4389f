import { choice, read, template } from '../../engine/fields.ts'
import { bodyOf } from '../body.ts'
import { defineNode } from '../define.ts'
import { timeOf } from '../device/state-reports.ts'
import { orError } from '../refusal.ts'
import { toTagObject } from '../tag-pairs.ts'
import { eventFields, givenEventFields } from './event-fields.ts'

export const eventCreate = defineNode({
  type: 'event-create',
  aliases: ['CreateEventNode', 'EventCreateNode'],
  group: 'data',
  title: 'Event: Create',
  summary: 'Records that something out of the ordinary happened.',
  outputs: ['next'],
  needs: ['events', 'clock'],
  config: {
    ...eventFields,
    message: template({ key: 'messageTemplate', label: 'Message', help: 'At most 32,767 characters; empty: none.' }),
    timeSource: choice({
      key: 'timeSourceType',
      label: 'Time',
      help: 'When it happened: now, at the time of the payload, or as a path says.',
      of: ['now', 'payloadTime', 'payloadPath'],
    }),
    time: read({
      key: 'timeSourcePath',
      label: 'Time path',
      help: 'With payloadPath: a date, ISO text or milliseconds; now when it is none.',
    }),
  },
  examples: [
    {
      title: 'A value above its limit',
      config: {
        levelTemplate: 'warning',
        subjectTemplate: '{{device.name}} is too hot',
        deviceIdTemplate: '{{device.id}}',
        dataSourcePath: 'data',
        resultPath: 'working.event',
      },
      payload: { device: { id: '6521f7b20c1d4e8a9b3c5d71', name: 'Pump 1' }, data: { temperature: 97 } },
    },
  ],
  async run({ config, payload, use }) {
    const create = () => {
      const now = use.clock.now()
      const sources = { now: undefined, payloadTime: payload.time, payloadPath: config.time }
      const given = bodyOf(config) ?? {
        ...givenEventFields(config),
        ...(config.message === '' ? {} : { message: config.message }),
        eventTags: toTagObject(config.tags),
      }
      return use.events.create({ creationDate: timeOf(sources[config.timeSource], now), ...given })
    }
    config.result.write(await orError(create))
  },
})
