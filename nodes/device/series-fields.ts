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
    help: 'tagsIds: ids and tags together. The others name what is filled in below.',
    of: ['tagsIds', 'tags', 'payloadPath', 'query', 'expUser', 'expGroupId', 'parentId'],
  }),
  ids: texts({ key: 'deviceIds', label: 'Device ids', help: 'Of single devices, with those of the tags.' }),
  tags: list({
    key: 'deviceTags',
    label: 'Device tags',
    help: 'Devices that have any of them.',
    of: {
      key: template({ key: 'key', label: 'Key', help: 'Empty: any key.' }),
      value: template({ key: 'value', label: 'Value', help: 'Empty: any value.' }),
    },
  }),
  idsPlace: path({ key: 'deviceIdsPath', label: 'Path of device ids', help: 'Where it is set, only these count.' }),
  query: lazy(
    json({
      key: 'queryTemplate',
      label: 'Query',
      help: 'With query: a device query, such as {"tags": {"site": "a"}}. Empty: all devices.',
    }),
  ),
  user: template({
    key: 'expUserTemplate',
    label: 'User',
    help: 'With expUser: id or e-mail address; all devices that the user sees.',
  }),
  group: template({
    key: 'expGroupIdTemplate',
    label: 'Group',
    help: 'With expGroupId: id; all devices of the group and of those below it.',
  }),
  olderGroup: template({ key: 'expGroupId', label: 'Group (older name)', help: 'Read where "Group" is empty.' }),
  parent: template({
    key: 'parentIdTemplate',
    label: 'Parent',
    help: 'With parentId: id of a system. Empty: the devices without one.',
  }),
  olderParent: template({ key: 'parentId', label: 'Parent (older name)', help: 'Read where "Parent" is empty.' }),
  attributes: values({
    key: 'attribute',
    label: 'Attributes',
    help: 'Names, one or more; a list on the payload is spread.',
  }),
  duration: numberTemplate({
    key: 'duration',
    label: 'Duration in ms',
    help: 'How far before the end it begins. Empty: the last values ever of a gauge, a day of a series.',
  }),
  end: template({ key: 'end', label: 'End', help: 'Empty: now.' }),
  aggregation: template({
    key: 'aggregation',
    label: 'Aggregation',
    help: 'FIRST, LAST, COUNT, MAX, MIN, MEDIAN, MEAN, SUM, STD_DEV or TIMEATVALUE; NONE for every point of a series.',
  }),
  options: list({
    key: 'aggregationOptions',
    label: 'Options',
    help: 'For TIMEATVALUE: "value".',
    of: {
      key: template({ key: 'keyTemplate', label: 'Name', help: 'Such as value.' }),
      value: template({ key: 'valueTemplate', label: 'Value', help: 'Such as the value whose time is counted.' }),
    },
  }),
  perDevice: flag({
    key: 'perDeviceResults',
    label: 'One result for each device',
    help: 'On: an object by device id. Off: one result of all devices together.',
  }),
  onError: choice({
    key: 'errorBehavior',
    label: 'When it fails',
    help: 'payloadPath: puts { type, message } at the path below, and the flow goes on.',
    of: ['throw', 'payloadPath'],
  }),
  errorPlace: path({
    key: 'errorPath',
    label: 'Error',
    help: 'With payloadPath: where { type, message } is put.',
    writes: true,
  }),
  result: path({
    key: 'resultPath',
    label: 'Result',
    help: '{} when there is no device or no value.',
    required: true,
    writes: true,
  }),
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
