import { FlowError } from '../../engine/errors.ts'
import { byType, flag, json, lazy, path, read, template } from '../../engine/fields.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'

export const valueGet = defineNode({
  type: 'value-get',
  aliases: ['GetValueNode'],
  group: 'data',
  title: 'Storage: Get Value',
  summary: 'Puts a stored value of this flow, or all of them, on the payload.',
  outputs: ['next'],
  needs: ['values'],
  config: {
    // Both are read only where they are used.
    key: lazy(
      template({
        key: 'keyName',
        label: 'Key',
        help: 'Storage belongs to the flow: all its runs and versions share it, and no other flow sees it.',
      }),
    ),
    all: flag({ key: 'getAll', label: 'All values', help: 'All values as one object; the key does not matter.' }),
    initial: lazy(
      byType({
        key: 'defaultValue',
        label: 'Value when there is none',
        help: 'JSON, a template of text, or a path; null when empty. Only for a key that is not stored.',
        typeKey: 'defaultValueType',
        default: 'json',
        kinds: { json: json(), template: template(), path: read() },
      }),
    ),
    result: path({ key: 'valuePath', label: 'Result', help: 'Where the value is put.', required: true, writes: true }),
  },
  examples: [
    {
      title: 'Nothing is stored yet',
      config: { keyName: 'visits', defaultValue: '0', valuePath: 'working.visits' },
      payload: { data: 1 },
      output: 'next',
      result: { data: 1, working: { visits: 0 } },
    },
  ],
  async run({ config, use }) {
    if (config.all) return config.result.write(await use.values.all())
    const key = config.key()
    if (key === '') {
      throw new FlowError(
        'config.empty',
        'Expected "Key" to render to some text, got nothing. Check its template and the payload.',
      )
    }
    const stored = await use.values.get(key)
    config.result.write(stored === undefined ? (copyBounded(config.initial()) ?? null) : stored)
  },
})
