import { FlowError } from '../../engine/errors.ts'
import { choice, json, lazy, optional, path, read, template } from '../../engine/fields.ts'
import type { Payload } from '../../engine/payload.ts'
import { bodyFields, givenFields } from '../body.ts'
import { Refusal } from '../services/listing.ts'
import { tagPairs } from '../tag-pairs.ts'

/** The settings that creating and updating an event share. */
export const eventFields = {
  ...bodyFields({ json: 'eventJsonTemplate', path: 'eventPayloadPath' }),
  level: template({
    key: 'levelTemplate',
    label: 'Level',
    help: 'info, warning, error or critical. Needed to create; empty in an update: as it is.',
  }),
  state: template({
    key: 'stateTemplate',
    label: 'State',
    help: 'new, acknowledged or resolved. Empty: new, or in an update as it is.',
  }),
  subject: template({
    key: 'subjectTemplate',
    label: 'Subject',
    help: 'At most 255 characters. Needed to create; empty in an update: as it is.',
  }),
  device: template({
    key: 'deviceIdTemplate',
    label: 'Device id',
    help: 'The device that it is about. Empty: none, or in an update as it is; the word null takes it off in an update.',
  }),
  tags: tagPairs('eventTags', { label: 'Event tags' }),
  dataSource: choice({
    key: 'dataSourceType',
    label: 'Data',
    help: 'Where the data come from: a path, or JSON.',
    of: ['payloadPath', 'jsonTemplate', 'json'],
  }),
  dataPath: read({
    key: 'dataSourcePath',
    label: 'Data path',
    help: 'With payloadPath; "." is the whole payload, nothing there means no data.',
  }),
  dataJson: lazy(
    json({ key: 'dataSourceJson', label: 'Data as JSON', help: 'With jsonTemplate or json; empty: no data.' }),
  ),
  result: path({
    key: 'resultPath',
    label: 'Result',
    help: 'The event, or { success: true } for many; { error: { type, message } } when it is refused.',
    writes: true,
  }),
}

/** The fields with some text, and the data where there is some. */
export function givenEventFields(config: EventSettings): Payload {
  const { level, state, subject, device } = config
  const words = { level: level.trim(), state: state.trim(), subject, deviceId: device.trim() }
  const data = config.dataSource === 'payloadPath' ? config.dataPath : config.dataJson()
  return { ...givenFields(words), ...(data === undefined ? {} : { data }) }
}

interface EventSettings {
  level: string
  state: string
  subject: string
  device: string
  dataSource: 'payloadPath' | 'jsonTemplate' | 'json'
  dataPath: unknown
  dataJson: () => unknown
}

/** An id as it is written: undefined where the setting is blank, which asks for a query instead. */
export function eventId(key: string) {
  return optional(
    template({ key, label: 'Event id', help: 'Of one event; leave it empty to find events by the query.' }),
    { blankIsAbsent: true },
  )
}

export const eventQuery = lazy(
  json({ key: 'queryTemplate', label: 'Query', help: 'Such as {"state": "new"}; {"$or": []} is every event.' }),
)

/** The id of the event to change. Throws `config.empty` when its template rendered to nothing. */
export function idToChange(id: string): string {
  if (id.trim() !== '') return id.trim()
  throw new FlowError('config.empty', 'Expected the id of an event, got nothing. Check the template and the payload.')
}

/** The query for events to change. Blank never means all of them: throws Refusal. */
export function queryToChange(query: unknown): unknown {
  if (query !== undefined && query !== '') return query
  throw new Refusal('Validation', 'Expected an event id or a query, got neither. Write {"$or":[]} for all events.')
}
