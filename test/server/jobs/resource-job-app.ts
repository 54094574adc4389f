import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { application, device, endpoint, envelope, experienceFlow, ref } from '../bundle/small-app.ts'

const node = (id: string, type: string, config: object, next: string[] = []) => ({
  ...{ id, type, config, meta: {}, outputIds: [next] },
})
const job = ref('resourceJob', 'count')
const trigger = (type: string, next: string) => ({ type, key: job, config: {}, meta: {}, outputIds: [[next]] })

/** An application whose endpoint `/start` executes a resource job over its devices; each iteration takes `seconds`. */
const filesOf = (devices: readonly string[], seconds: number): Record<string, string> => ({
  'application.yaml': application(),
  'devices.yaml': envelope('DeviceTree', ...devices.map((name) => device(name))),
  'resourceJobs.yaml': envelope('ResourceJob', { id: job, name: 'Count', resourceType: 'device' }),
  'workflows/cloud/Count.yaml': envelope('Flow', {
    ...{ id: ref('flow', 'count'), name: 'Count', flowClass: 'cloud', enabled: true, globals: [] },
    triggers: [trigger('resourceJobIteration', 'seen'), trigger('resourceJobComplete', 'over')],
    nodes: [
      node('seen', 'StoreValueNode', { keyName: '{{data.device.name}}', valueType: 'template', value: '1' }, ['wait']),
      node('wait', 'DelayNode', { delay: String(seconds) }, ['done']),
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
})

export async function writeJobApp(folder: string, devices: readonly string[], seconds = 0): Promise<void> {
  for (const [path, content] of Object.entries(filesOf(devices, seconds))) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
}
