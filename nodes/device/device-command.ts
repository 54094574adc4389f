import { FlowError } from '../../engine/errors.ts'
import { byType, json, lazy, list, path, read, template, text, texts } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import type { DeviceCriteria } from '../services/devices.ts'
import { Refusal } from '../services/listing.ts'
import { toCriteria } from '../tag-pairs.ts'

export const deviceCommand = defineNode({
  type: 'device-command',
  aliases: ['DeviceSendCommandNode'],
  group: 'device',
  title: 'Device: Send Command',
  summary: 'Sends a command to the devices that are connected.',
  outputs: ['next'],
  needs: ['commands'],
  config: {
    method: text({
      key: 'deviceSelectionType',
      from: 'meta',
      label: 'Devices by',
      help: 'payload, direct or query; empty: what is filled in below.',
    }),
    idsPlace: path({ key: 'deviceIdsPath', label: 'Path of device ids', help: 'One id or a list of them.' }),
    ids: texts({
      key: 'sendToDeviceIds',
      label: 'Device ids',
      help: 'With the devices of the tags below; those that do not exist are passed over.',
    }),
    tags: list({
      key: 'sendToDeviceTags',
      label: 'Device tags',
      help: 'Devices that have any of them.',
      of: {
        key: template({ key: 'key', label: 'Key', help: 'Empty: any key.' }),
        value: template({ key: 'value', label: 'Value', help: 'Empty: any value.' }),
      },
    }),
    query: lazy(
      json({
        key: 'deviceQueryJsonTemplate',
        label: 'Device query',
        help: 'A device query, such as {"tags": {"site": "a"}}. Empty: nobody.',
      }),
    ),
    name: template({
      key: 'nameTemplate',
      label: 'Command',
      help: 'Name of the command, 1 to 255 characters.',
      required: true,
    }),
    payload: byType({
      key: 'payloadTemplate',
      label: 'Payload',
      help: 'JSON, a template of text, or a path; at most 256 KB. Empty: none.',
      typeKey: 'payloadTemplateType',
      default: 'json',
      kinds: { json: json(), string: template(), path: read() },
    }),
  },
  examples: [
    {
      title: 'A new set point',
      config: {
        sendToDeviceIds: ['6521f7b20c1d4e8a9b3c5d71'],
        nameTemplate: 'setLevel',
        payloadTemplate: '{ "level": {{data.level}} }',
      },
      payload: { data: { level: 4 } },
      output: 'next',
    },
  ],
  async run({ config, use }) {
    const { name, payload } = config
    try {
      await use.commands.send({ ...devicesOf(config), name, payload })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      throw new FlowError('command.refused', error.message, { cause: error })
    }
  },
})

function devicesOf(config: {
  method: string
  idsPlace: { given: boolean; read(): unknown }
  ids: string[]
  tags: { key: string; value: string }[]
  query: () => unknown
}): { ids: string[]; criteria: DeviceCriteria[] } {
  const { method, idsPlace, ids, tags, query } = config
  if (method === 'payload' || (method === '' && idsPlace.given)) {
    return { ids: [idsPlace.read()].flat().filter((id) => typeof id === 'string'), criteria: [] }
  }
  const direct = method === 'direct' || (method === '' && (ids.length > 0 || tags.length > 0))
  if (direct) return { ids, criteria: [{ by: 'anyTags', tags: toCriteria(tags) }] }
  const wanted = query()
  // A query of nothing would be every device.
  return { ids: [], criteria: wanted === undefined ? [] : [{ by: 'query', query: wanted }] }
}
