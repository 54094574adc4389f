import { json, lazy, path, template } from '../../engine/fields.ts'
import { bodyFields, givenFields } from '../body.ts'

/** The settings that creating and updating a group share. */
export const groupFields = {
  ...bodyFields({ json: 'groupJsonTemplate', path: 'groupPayloadPath' }),
  name: template({
    key: 'nameTemplate',
    label: 'Name',
    help: '1 to 255 characters. Needed to create; empty in an update: as it is.',
  }),
  description: template({
    key: 'descriptionTemplate',
    label: 'Description',
    help: 'Empty: none, or in an update as it is.',
  }),
  parentId: template({
    key: 'parentIdTemplate',
    label: 'Parent',
    help: 'Members of the parent see what this group sees.',
  }),
  query: lazy(
    json({
      key: 'deviceQueryJsonTemplate',
      label: 'Device query',
      help: 'Devices that match it belong to the group; {"$nor": []} matches none.',
    }),
  ),
  result: path({
    key: 'resultPath',
    label: 'Result',
    help: 'The group, or { error: { type, message } }. Empty: it is dropped.',
    writes: true,
  }),
}

interface GroupSettings {
  name: string
  description: string
  parentId: string
  query: () => unknown
}

/** The fields with some text, as the group schema has them; the device query as JSON text, null for none. */
export function givenGroupFields({ name, description, parentId, query }: GroupSettings): Record<string, unknown> {
  const deviceQuery = query()
  return {
    ...givenFields({ name, description, parentId: parentId.trim() }),
    ...(deviceQuery === undefined
      ? {}
      : { deviceQueryJson: deviceQuery === null ? null : JSON.stringify(deviceQuery) }),
  }
}
