import { FlowError } from '../../engine/errors.ts'
import { choice, json, lazy, optional, path, read, template } from '../../engine/fields.ts'
import type { Payload } from '../../engine/payload.ts'
import { bodyFields, givenFields } from '../body.ts'
import { Refusal } from '../services/listing.ts'
import { tagPairs } from '../tag-pairs.ts'

/** The settings that creating and updating an event share. */
export const eventFields = {
  ...bodyFields({ json: 'eventJsonTemplate', path: 'eventPayloadPath' }),
  level: template({ key: 'levelTemplate', label: 'Level' }),
  state: template({ key: 'stateTemplate', label: 'State' }),
  subject: template({ key: 'subjectTemplate', label: 'Subject' }),
  device: template({ key: 'deviceIdTemplate', label: 'Device id' }),
  tags: tagPairs('eventTags', 'Event tags'),
  dataSource: choice({ key: 'dataSourceType', label: 'Data', of: ['payloadPath', 'jsonTemplate', 'json'] }),
  dataPath: read({ key: 'dataSourcePath', label: 'Data path' }),
  dataJson: lazy(json({ key: 'dataSourceJson', label: 'Data as JSON' })),
  result: path({ key: 'resultPath', label: 'Result', writes: true }),
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
  return optional(template({ key, label: 'Event id' }), { blankIsAbsent: true })
}

export const eventQuery = lazy(json({ key: 'queryTemplate', label: 'Query' }))

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
