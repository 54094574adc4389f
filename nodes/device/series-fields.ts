import { FlowError } from '../../engine/errors.ts'
import { choice, flag, json, lazy, list, numberTemplate, path, template, texts, values } from '../../engine/fields.ts'
import { Refusal } from '../services/listing.ts'
import type { SeriesRequest } from '../services/series.ts'
import { toCriteria } from '../tag-pairs.ts'
import { attributeNames } from './attribute-names.ts'
import { timeOf } from './state-reports.ts'

/** The settings that all questions for values over time share. */
export const seriesFields = {
  method: choice({
    key: 'findMethod',
    label: 'Devices by',
    of: ['tagsIds', 'tags', 'payloadPath', 'query', 'expUser', 'expGroupId', 'parentId'],
  }),
  ids: texts({ key: 'deviceIds', label: 'Device ids' }),
  tags: list({
    key: 'deviceTags',
    label: 'Device tags',
    help: 'Devices that have any of them.',
    of: { key: template({ key: 'key', label: 'Key' }), value: template({ key: 'value', label: 'Value' }) },
  }),
  idsPlace: path({ key: 'deviceIdsPath', label: 'Path of device ids', help: 'Where it is set, only these count.' }),
  query: lazy(json({ key: 'queryTemplate', label: 'Query' })),
  user: template({ key: 'expUserTemplate', label: 'User' }),
  group: template({ key: 'expGroupIdTemplate', label: 'Group' }),
  olderGroup: template({ key: 'expGroupId', label: 'Group (older name)' }),
  parent: template({ key: 'parentIdTemplate', label: 'Parent' }),
  olderParent: template({ key: 'parentId', label: 'Parent (older name)' }),
  attributes: values({ key: 'attribute', label: 'Attributes' }),
  duration: numberTemplate({ key: 'duration', label: 'Duration in ms' }),
  end: template({ key: 'end', label: 'End', help: 'Empty: now.' }),
  aggregation: template({ key: 'aggregation', label: 'Aggregation' }),
  options: list({
    key: 'aggregationOptions',
    label: 'Options',
    help: 'For TIMEATVALUE: "value".',
    of: {
      key: template({ key: 'keyTemplate', label: 'Name' }),
      value: template({ key: 'valueTemplate', label: 'Value' }),
    },
  }),
  perDevice: flag({ key: 'perDeviceResults', label: 'One result for each device' }),
  onError: choice({ key: 'errorBehavior', label: 'When it fails', of: ['throw', 'payloadPath'] }),
  errorPlace: path({ key: 'errorPath', label: 'Error', writes: true }),
  result: path({ key: 'resultPath', label: 'Result', required: true, writes: true }),
}

interface SeriesSettings {
  method: string
  ids: string[]
  tags: { key: string; value: string }[]
  idsPlace: { given: boolean; read(): unknown }
  query: () => unknown
  user: string
  group: string
  olderGroup: string
  parent: string
  olderParent: string
  attributes: unknown[]
  duration: number | undefined
  end: string
  aggregation: string
  options: { key: string; value: string }[]
}

/** What the settings ask for, but for buckets and order. A duration or end of 0 is none. Throws `config.empty` without attributes. */
export function seriesRequest(config: SeriesSettings, now: number) {
  const attributes = attributeNames(config.attributes)
  if (attributes.length === 0) {
    throw new FlowError('config.empty', 'Expected "Attributes" to name one, got nothing. Check the template.')
  }
  const option = config.options.find(({ key }) => key.trim() === 'value')
  const end = config.end.trim()
  return {
    devices: devicesOf(config),
    attributes,
    end: end === '' || Number(end) === 0 ? undefined : timeOf(end, now),
    duration: config.duration || undefined,
    aggregation: config.aggregation,
    value: option?.value,
  }
}

function devicesOf(config: SeriesSettings): SeriesRequest['devices'] {
  // Files that say another method give a path all the same, and mean it.
  if (config.idsPlace.given) return { ids: [config.idsPlace.read()].flat().filter((id) => typeof id === 'string') }
  switch (config.method) {
    case 'query':
      return { criteria: [{ by: 'query', query: config.query() }] }
    case 'expUser':
      return { criteria: [{ by: 'user', idOrEmail: config.user.trim() }] }
    case 'expGroupId':
      return { criteria: [{ by: 'group', groupId: (config.group || config.olderGroup).trim() }] }
    case 'parentId':
      return { criteria: [{ by: 'parent', parentId: (config.parent || config.olderParent).trim() }] }
    default:
      return { ids: config.ids, criteria: [{ by: 'anyTags', tags: toCriteria(config.tags) }] }
  }
}

/** Writes what `action` gives to the result path. A refusal fails the run, or goes to the error path where the author says so. */
export async function writeSeries(
  config: {
    onError: 'throw' | 'payloadPath'
    errorPlace: { write(value: unknown): void }
    result: { write(value: unknown): void }
  },
  action: Promise<unknown>,
): Promise<void> {
  try {
    config.result.write(await action)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (config.onError === 'throw') throw new FlowError('series.refused', error.message, { cause: error })
    config.errorPlace.write({ type: error.type, message: error.message })
  }
}
