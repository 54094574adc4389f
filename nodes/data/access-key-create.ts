import { list, path, template, texts } from '../../engine/fields.ts'
import { bodyFields, bodyOf, givenFields } from '../body.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'

export const accessKeyCreate = defineNode({
  type: 'access-key-create',
  aliases: ['CreateAccessKeyNode'],
  group: 'data',
  title: 'Access Key: Create',
  summary: 'Makes a key that devices sign in with, and puts it with its secret on the payload.',
  outputs: ['next'],
  needs: ['api'],
  config: {
    ...bodyFields({ json: 'jsonTemplate', path: 'payloadPath' }),
    name: template({ key: 'nameTemplate', label: 'Name', help: 'At most 255 characters; empty: none.' }),
    description: template({ key: 'descriptionTemplate', label: 'Description', help: 'Empty: none.' }),
    deviceIds: texts({
      key: 'deviceIdsTemplate',
      label: 'Device ids',
      help: 'The devices that may use the key, with those of the tags; without both every device may.',
    }),
    deviceTags: list({
      key: 'deviceTagsTemplate',
      label: 'Device tags',
      help: 'Devices that have any of them may use the key; a blank side is free.',
      of: {
        key: template({ key: 'keyTemplate', label: 'Key', help: 'Empty: any key.' }),
        value: template({ key: 'valueTemplate', label: 'Value', help: 'Empty: any value.' }),
      },
    }),
    filterType: template({
      key: 'filterTypeTemplate',
      label: 'Topics',
      help: 'none: only those of the device; all, whitelist or blacklist: others, too. Empty: none.',
    }),
    pubTopics: texts({ key: 'pubTopicsTemplate', label: 'Topics to publish to', help: 'Wildcards may be used.' }),
    subTopics: texts({ key: 'subTopicsTemplate', label: 'Topics to subscribe to', help: 'Wildcards may be used.' }),
    addressFilterType: template({
      key: 'addressFilterTypeTemplate',
      label: 'Addresses',
      help: 'all, whitelist or blacklist; empty: all.',
    }),
    addresses: texts({ key: 'addressesTemplate', label: 'IP addresses', help: 'Addresses or ranges; at most 100.' }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'The key with its secret, which is shown only here; { error } when it cannot be made.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A key of one device',
      config: {
        nameTemplate: '{{working.device.name}}',
        deviceIdsTemplate: ['{{working.device.id}}'],
        resultPath: 'working.accessKey',
      },
      payload: { working: { device: { id: '6521f7b20c1d4e8a9b3c5d71', name: 'Pump 1' } } },
    },
  ],
  async run({ config, use }) {
    const create = () => {
      const applicationKey = bodyOf(config) ?? givenKey(config)
      return use.api.call({ resource: 'applicationKeys', action: 'post', params: { applicationKey } })
    }
    config.result.write(await orError(create))
  },
})

interface KeySettings {
  name: string
  description: string
  deviceIds: string[]
  deviceTags: { key: string; value: string }[]
  filterType: string
  pubTopics: string[]
  subTopics: string[]
  addressFilterType: string
  addresses: string[]
}

/** Lists stay as they render: a blank entry is refused, since a key that names no device is for every device. */
function givenKey(config: KeySettings) {
  const { name, description, filterType, addressFilterType } = config
  const words = { name, description, filterType: filterType.trim(), addressFilterType: addressFilterType.trim() }
  return {
    ...givenFields(words),
    deviceIds: trimmed(config.deviceIds),
    deviceTags: config.deviceTags.map(({ key, value }) => ({ key: key || undefined, value: value || undefined })),
    pubTopics: trimmed(config.pubTopics),
    subTopics: trimmed(config.subTopics),
    addresses: trimmed(config.addresses),
  }
}

function trimmed(texts: readonly string[]): string[] {
  return texts.map((text) => text.trim())
}
