import { flag, list, path, template } from '../../engine/fields.ts'
import { bodyFields, givenFields } from '../body.ts'
import { tagPairs } from '../tag-pairs.ts'

/** The settings that creating and updating a device share. */
export const deviceFields = {
  ...bodyFields({ json: 'deviceJsonTemplate', path: 'devicePayloadPath' }),
  name: template({ key: 'nameTemplate', label: 'Name' }),
  description: template({ key: 'descriptionTemplate', label: 'Description' }),
  deviceClass: template({ key: 'deviceClassTemplate', label: 'Class' }),
  gatewayId: template({ key: 'gatewayIdTemplate', label: 'Gateway' }),
  parentId: template({ key: 'parentIdTemplate', label: 'Parent' }),
  systemInterval: template({ key: 'systemIntervalTemplate', label: 'System interval' }),
  keepDuplicates: template({ key: 'keepDuplicatesTemplate', label: 'Keep duplicates' }),
  tags: tagPairs('deviceTags'),
  attributes: list({
    key: 'deviceAttributes',
    label: 'Attributes',
    of: {
      name: template({ key: 'nameTemplate', label: 'Name' }),
      dataType: template({ key: 'dataTypeTemplate', label: 'Type' }),
      contentType: template({ key: 'contentTypeTemplate', label: 'Content type' }),
    },
  }),
  tagsAsObject: flag({ key: 'tagsAsObject', label: 'Tags as object' }),
  attributesAsObject: flag({ key: 'attributesAsObject', label: 'Attributes as object' }),
  result: path({ key: 'resultPath', label: 'Result', writes: true }),
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
