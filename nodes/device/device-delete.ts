import { FlowError } from '../../engine/errors.ts'
import { choice, json, lazy, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import type { Devices } from '../services/devices.ts'
import { Refusal } from '../services/listing.ts'

export const deviceDelete = defineNode({
  type: 'device-delete',
  aliases: ['DeviceDeleteWorkflowNode'],
  group: 'device',
  title: 'Device: Delete',
  summary: 'Removes a device with its state, or all devices that a query finds.',
  outputs: ['next'],
  notIn: ['customNode'],
  needs: ['devices'],
  config: {
    method: choice({
      key: 'dataMethod',
      label: 'Delete by',
      help: 'id: one device. query: all that it finds.',
      of: ['id', 'query'],
    }),
    id: lazy(template({ key: 'deviceIdTemplate', label: 'Device id', help: 'With id: the device to remove.' })),
    query: lazy(json({ key: 'deviceQueryJsonTemplate', label: 'Query', help: 'Empty: nothing is deleted.' })),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'True, or for a query { removed, failed }; { error: { type, message } } when there is no such device.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The device that the request names',
      config: { deviceIdTemplate: '{{data.params.deviceId}}', resultPath: 'working.deleted' },
      payload: { data: { params: { deviceId: '6521f7b20c1d4e8a9b3c5d71' } } },
    },
  ],
  async run({ config, use, signal }) {
    const remove = () =>
      config.method === 'id' ? removeOne(use.devices, config.id()) : removeAll(use.devices, config.query(), signal)
    config.result.write(await orError<unknown>(remove))
  },
})

const PAGE = 500

async function removeOne(devices: Devices, id: string): Promise<true> {
  if (id === '') {
    throw new FlowError('config.empty', 'Expected the id of a device, got nothing. Check the template and the payload.')
  }
  if (await devices.remove(id.trim())) return true
  throw new Refusal('NotFound', `Expected the id of a device, got "${id.slice(0, 100)}"`)
}

async function removeAll(devices: Devices, query: unknown, signal: AbortSignal) {
  const counts = { removed: 0, failed: 0 }
  // A query of nothing would be every device.
  if (isBlank(query)) return counts
  for (;;) {
    const page = { page: 0, perPage: PAGE, sortField: 'id', withoutCount: true }
    const { items } = await devices.find({ by: 'query', query }, page, { includeConnectionInfo: false })
    for (const { id } of items) {
      signal.throwIfAborted()
      if (await devices.remove(id)) counts.removed += 1
      else counts.failed += 1
    }
    if (items.length < PAGE) return counts
  }
}

function isBlank(query: unknown): boolean {
  if (query === undefined || query === null) return true
  return typeof query === 'object' && Object.keys(query).length === 0
}
