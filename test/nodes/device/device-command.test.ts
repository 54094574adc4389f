import { expect, test } from 'vitest'
import { deviceCommand } from '../../../nodes/device/device-command.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const payload = {
  ids: ['d1', 'd2'],
  id: 'd3',
  odd: ['d1', null, { id: 'd2' }, 7],
  level: 4,
  site: 'a',
  data: { n: [1] },
}

async function sent(config: object, { meta = {}, answer = 1 as unknown } = {}) {
  const asked = noting<[object], unknown>(answer)
  const settings = { nameTemplate: 'setLevel', ...config }
  const use = { commands: { send: asked.method as never } }
  return { run: await runNode(deviceCommand, { config: settings, meta, payload, use }), request: asked.calls[0]?.[0] }
}

const byTags = (tags: object[]) => [{ by: 'anyTags', tags }]
const tags = [
  { key: 'site', value: '{{site}}' },
  { key: 'kind', value: '' },
  { key: '', value: '' },
]

test.each<[string, object, object, object]>([
  ['an id at a path', { deviceSelectionType: 'payload' }, { deviceIdsPath: 'id' }, { ids: ['d3'], criteria: [] }],
  [
    'a list at a path',
    { deviceSelectionType: 'payload' },
    { deviceIdsPath: 'ids' },
    { ids: ['d1', 'd2'], criteria: [] },
  ],
  ['what is an id of a list', {}, { deviceIdsPath: 'odd' }, { ids: ['d1'], criteria: [] }],
  ['nobody for a path to nothing', {}, { deviceIdsPath: 'none' }, { ids: [], criteria: [] }],
  ['nobody without a path', { deviceSelectionType: 'payload' }, { sendToDeviceIds: ['d1'] }, { ids: [], criteria: [] }],
  [
    'ids and tags together',
    { deviceSelectionType: 'direct' },
    { sendToDeviceIds: ['d9', '{{id}}'], sendToDeviceTags: tags },
    { ids: ['d9', 'd3'], criteria: byTags([{ key: 'site', value: 'a' }, { key: 'kind' }]) },
  ],
  [
    'only what the file says that counts',
    { deviceSelectionType: 'direct' },
    { sendToDeviceIds: ['d9'], deviceIdsPath: 'ids', deviceQueryJsonTemplate: '{"$or":[]}' },
    { ids: ['d9'], criteria: byTags([]) },
  ],
  [
    'what is filled in, in a file that says nothing',
    {},
    { sendToDeviceIds: ['d9'] },
    { ids: ['d9'], criteria: byTags([]) },
  ],
  [
    'a query',
    { deviceSelectionType: 'query' },
    { deviceQueryJsonTemplate: '{"name":"{{site}}"}' },
    { ids: [], criteria: [{ by: 'query', query: { name: 'a' } }] },
  ],
  [
    'nobody for a blank query',
    { deviceSelectionType: 'query' },
    { deviceQueryJsonTemplate: ' ' },
    { ids: [], criteria: [] },
  ],
  ['nobody when nothing is filled in', {}, {}, { ids: [], criteria: [] }],
])('goes to %s', async (_, meta, config, expected) => {
  const { run, request } = await sent(config, { meta })
  expect(run).toMatchObject({ output: 'next', problems: [], error: undefined, payload })
  expect(request).toEqual({ ...expected, name: 'setLevel', payload: undefined })
})

test.each<[object, unknown]>([
  [{ payloadTemplate: '{ "level": {{level}} }' }, { level: 4 }],
  [{ payloadTemplate: '{{data}}', payloadTemplateType: 'json' }, { n: [1] }],
  [{ payloadTemplate: 'level {{level}}', payloadTemplateType: 'string' }, 'level 4'],
  [{ payloadTemplate: 'data.n', payloadTemplateType: 'path' }, [1]],
  [{ payloadTemplate: 'data.none', payloadTemplateType: 'path' }, undefined],
  [{ payloadTemplate: '' }, undefined],
])('%j carries %j', async (config, expected) => {
  const { request } = await sent({ deviceIdsPath: 'id', nameTemplate: 'to {{site}}', ...config })
  expect(request).toEqual({ ids: ['d3'], criteria: [], name: 'to a', payload: expected })
})

test.each<[object, string]>([
  [{ nameTemplate: '{{none}}' }, 'config.empty'],
  [{ nameTemplate: '' }, 'config.missing'],
  [{ payloadTemplate: '{ "level": ' }, 'template.not-json'],
  [{ payloadTemplate: 'x', payloadTemplateType: 'text' }, 'config.choice'],
])('%j ends the run with %s, and sends nothing', async (config, code) => {
  const { run, request } = await sent({ deviceIdsPath: 'id', ...config })
  expect(run.error).toMatchObject({ code })
  expect(request).toBeUndefined()
})

test('what is refused ends the run: there is no place for it on the payload', async () => {
  const { run } = await sent({ deviceIdsPath: 'id' }, { answer: new Refusal('Validation', 'too long') })
  expect(run.error).toMatchObject({ code: 'command.refused', message: 'too long' })
})
