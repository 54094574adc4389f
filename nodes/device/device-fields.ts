import { flag, list, path, template } from '../../engine/fields.ts'
import { bodyFields, givenFields } from '../body.ts'
import { tagPairs } from '../tag-pairs.ts'

/** The settings that creating and updating a device share. */
export const deviceFields = {
  ...bodyFields({ json: 'deviceJsonTemplate', path: 'devicePayloadPath' }),
  name: template({
    key: 'nameTemplate',
    label: 'Name',
    help: '1 to 255 characters. Empty: that of the recipe, or in an update as it is.',
  }),
  description: template({
    key: 'descriptionTemplate',
    label: 'Description',
    help: 'At most 32,767 characters. Empty: that of the recipe, or in an update as it is.',
  }),
  deviceClass: template({
    key: 'deviceClassTemplate',
    label: 'Class',
    help: 'standalone, gateway, peripheral, floating, edgeCompute, embedded or system. Empty: that of the recipe, else standalone; in an update as it is.',
  }),
  gatewayId: template({
    key: 'gatewayIdTemplate',
    label: 'Gateway',
    help: 'Id of the gateway of a peripheral, which needs one; other classes have none.',
  }),
  parentId: template({
    key: 'parentIdTemplate',
    label: 'Parent',
    help: 'Id of the system that the device is part of. Empty: none, or in an update as it is.',
  }),
  systemInterval: template({
    key: 'systemIntervalTemplate',
    label: 'System interval',
    help: 'Of a system: 5 to 3600 seconds; 30 when empty.',
  }),
  keepDuplicates: template({
    key: 'keepDuplicatesTemplate',
    label: 'Keep duplicates',
    help: 'Of a system: true or false; false when empty.',
  }),
  tags: tagPairs('deviceTags'),
  attributes: list({
    key: 'deviceAttributes',
    label: 'Attributes',
    help: 'Merged by name in an update: others stay, and one without a type is removed.',
    of: {
      name: template({ key: 'nameTemplate', label: 'Name', help: 'Letters, digits, "_" and "-"; once in a device.' }),
      dataType: template({
        key: 'dataTypeTemplate',
        label: 'Type',
        help: 'number, string, boolean, gps or blob. Another type ends the history of the attribute.',
      }),
      contentType: template({
        key: 'contentTypeTemplate',
        label: 'Content type',
        help: 'Of a blob, such as image/png.',
      }),
    },
  }),
  tagsAsObject: flag({
    key: 'tagsAsObject',
    label: 'Tags as object',
    help: 'Of the result: tags as an object of lists by key, instead of a list of pairs.',
  }),
  attributesAsObject: flag({
    key: 'attributesAsObject',
    label: 'Attributes as object',
    help: 'Of the result: attributes as an object by name, instead of a list.',
  }),
  result: path({
    key: 'resultPath',
    label: 'Result',
    help: 'The device, or { error: { type, message } }. Empty: it is dropped.',
    writes: true,
  }),
}

interface DeviceSettings {
  name: string
  description: string
  deviceClass: string
  gatewayId: string
  parentId: string
  systemInterval: string
  keepDuplicates: string
  attributes: { name: string; dataType: string; contentType: string }[]
}

/** The fields with some text, as the device schema has them. */
export function givenDeviceFields(config: DeviceSettings): Record<string, unknown> {
  const { name, description, deviceClass, gatewayId, parentId, systemInterval, keepDuplicates } = config
  return {
    ...givenFields({ name, description }),
    ...givenFields({ deviceClass: deviceClass.trim(), gatewayId: gatewayId.trim(), parentId: parentId.trim() }),
    ...(systemInterval.trim() === '' ? {} : { systemInterval: Number(systemInterval) }),
    ...(keepDuplicates.trim() === '' ? {} : { keepDuplicates: keepDuplicates.trim() === 'true' }),
  }
}

/** Named attributes; a type that is blank is left out, which removes the attribute in an update. */
export function givenAttributes({
  attributes,
}: DeviceSettings): { name: string; dataType?: string; contentType?: string }[] {
  return attributes
    .filter(({ name }) => name !== '')
    .map(({ name, dataType, contentType }) => ({
      name,
      ...(dataType === '' ? {} : { dataType }),
      ...(contentType === '' ? {} : { contentType }),
    }))
}
