import { choice, numberTemplate, type Place, path, template, text } from '../../engine/fields.ts'
import { formatDate } from '../../engine/helpers/dates.ts'
import { defineNode } from '../define.ts'
import { type DateOperation, dateOperations, dateUnits } from './date-operations.ts'
import { readDate } from './read-date.ts'
import { toZone, zoneProblem } from './zoned-time.ts'

const operations = Object.keys(dateOperations) as DateOperation[]

export const dateTime = defineNode({
  type: 'date-time',
  aliases: ['DateTimeNode'],
  group: 'logic',
  title: 'Date/Time',
  summary: 'Computes with a date, takes it apart or prints it.',
  outputs: ['next'],
  needs: ['clock'],
  config: {
    operation: choice({
      key: 'operation',
      label: 'Do',
      help: 'What is computed. Months count from 0, days of the week from Sunday = 0.',
      of: operations,
    }),
    source: path({ key: 'sourcePath', label: 'Date', help: 'Empty: now.' }),
    sourceFormat: template({
      key: 'sourceFormatString',
      label: 'Format of the date',
      help: 'Moment tokens such as DD.MM.YYYY. Empty: ISO text, milliseconds or a date.',
    }),
    amount: numberTemplate({
      key: 'numberValue',
      label: 'Number',
      help: 'How much is added, subtracted or set; it may be negative.',
      default: 0,
    }),
    // Empty says something to `diff`: milliseconds.
    unit: choice({
      key: 'unit',
      label: 'Unit',
      help: 'Empty: years, but milliseconds for diff.',
      of: ['', ...dateUnits],
    }),
    zone: text({ key: 'timezone', label: 'Time zone', help: 'Empty: UTC.', check: checkZone }),
    format: template({ key: 'resultFormatString', label: 'Format of the result', help: 'Empty: a date.' }),
    other: path({ key: 'diffDataPath', label: 'Date to subtract', help: 'Empty: now.' }),
    otherFormat: template({
      key: 'diffDataFormatString',
      label: 'Format of the date to subtract',
      help: 'As the format of the date.',
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'Where the result is put; it may be where the date was.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A day later, as text',
      config: {
        ...{ operation: 'add', sourcePath: 'data.at', numberValue: '1', unit: 'day', resultPath: 'working.next' },
        ...{ timezone: 'America/New_York', resultFormatString: 'YYYY-MM-DD HH:mm Z' },
      },
      payload: { data: { at: '2024-03-09T17:00:00Z' } },
      output: 'next',
      result: { data: { at: '2024-03-09T17:00:00Z' }, working: { next: '2024-03-10 12:00 -04:00' } },
    },
  ],
  run({ config, use }) {
    const dateAt = (place: Place, format: string) => (place.given ? readDate(place.read(), format) : use.clock.now())
    const zone = toZone(config.zone)
    const result = dateOperations[config.operation]({
      at: dateAt(config.source, config.sourceFormat),
      other: () => dateAt(config.other, config.otherFormat),
      amount: config.amount,
      unit: config.unit,
      zone,
    })
    const asText = config.operation === 'format' || config.format !== ''
    const printed = result instanceof Date && asText ? formatDate(result, formatOptions(config.format, zone)) : result
    config.result.write(printed)
  },
})

function formatOptions(format: string, tz: string) {
  return format === '' ? { format: 'YYYY-MM-DDTHH:mm:ssZ', tz } : { format, tz }
}

function checkZone(name: string) {
  const message = zoneProblem(name)
  return message === undefined ? undefined : { code: 'date.argument' as const, message }
}
