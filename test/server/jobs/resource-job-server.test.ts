import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { clientOf } from '../../helpers/client.ts'
import { startServer } from '../../helpers/server.ts'
import { temporaryFolder } from '../../helpers/store.ts'
import { application, device, endpoint, envelope, experienceFlow, ref } from '../bundle/small-app.ts'

const node = (id: string, type: string, config: object, next: string[] = []) => ({
  ...{ id, type, config, meta: {}, outputIds: [next] },
})
const job = ref('resourceJob', 'count')
const trigger = (type: string, next: string) => ({ type, key: job, config: {}, meta: {}, outputIds: [[next]] })

const files: Record<string, string> = {
  'application.yaml': application(),
  'devices.yaml': envelope('DeviceTree', device('a'), device('b'), device('c')),
  'resourceJobs.yaml': envelope('ResourceJob', { id: job, name: 'Count', resourceType: 'device' }),
  'workflows/cloud/Count.yaml': envelope('Flow', {
    ...{ id: ref('flow', 'count'), name: 'Count', flowClass: 'cloud', enabled: true, globals: [] },
    triggers: [trigger('resourceJobIteration', 'seen'), trigger('resourceJobComplete', 'over')],
    nodes: [
      node('seen', 'StoreValueNode', { keyName: '{{data.device.name}}', valueType: 'template', value: '1' }, ['done']),
      node('done', 'ResourceJobAcknowledgeNode', { successExpression: 'true' }),
      node('over', 'StoreValueNode', {
        keyName: 'over',
        valueType: 'template',
        value: '{{data.success}}',
      }),
    ],
  }),
  'experience/endpoints.yaml': envelope('ExperienceEndpoint', endpoint('get', '/start')),
  'experience/workflows/Start.yaml': envelope(
    'ExperienceFlowVersion',
    experienceFlow('Start', {
      triggers: [
        { type: 'endpoint', key: ref('experienceEndpoint', 'get-start'), config: {}, meta: {}, outputIds: [['go']] },
      ],
      nodes: [
        node('go', 'ResourceJobExecuteNode', { resourceJobIdTemplate: job, resultPath: 'working.run' }, ['reply']),
        node('reply', 'EndpointReplyNode', { responseCodeTemplate: '200', bodyTemplate: '{{jsonEncode working.run}}' }),
      ],
    }),
  ),
}

test('a flow executes a resource job of a whole server: its flows run for each resource, then once at the end', async () => {
  const folder = join(await temporaryFolder(), 'small')
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  const { store, applications, port, close } = await startServer({ folders: [folder] })
  try {
    const { scope, host } = applications[0]!
    const app = store.app(scope)
    const answer = await clientOf(port, host).get('/start')
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('executionId') })
    await vi.waitFor(
      async () => {
        const [flow] = (await app.collection('flows').find()).filter(({ name }) => name === 'Count')
        expect(await app.values.entries(`flow:${flow!.id}`)).toEqual({ a: '1', b: '1', c: '1', over: 'true' })
      },
      { timeout: 15_000, interval: 50 },
    )
    const [execution] = await app.collection('resourceExecutions').find()
    expect(execution).toMatchObject({ status: 'completed', total: 3, summary: { succeeded: 3 } })
  } finally {
    await close()
  }
})
