import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { clientOf } from '../helpers/client.ts'
import { startServer } from '../helpers/server.ts'

test('a flow of a whole server exports devices, and another server gets a link that opens the file', async () => {
  const got: Record<string, unknown>[] = []
  const target = createServer(async (request, response) => {
    got.push(JSON.parse((await Array.fromAsync(request)).join('')))
    response.end()
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void target.close())
  const callbackUrl = `http://127.0.0.1:${(target.address() as AddressInfo).port}/hook?token=1`
  const folders = ['examples/one-to-many']
  const { store, applications, port, close } = await startServer({ folders, config: { egressAllow: ['127.0.0.1'] } })
  onTestFinished(close)
  const { scope, host } = applications[0]!
  const app = store.app(scope)
  const fields = { deviceClass: 'standalone', tags: [], attributes: [], groupIds: [] }
  await app.collection('devices').insert({ name: 'Exported pump', ...fields })
  const endpoint = await app.collection('endpoints').insert({
    ...{ version: 'develop', method: 'get', route: '/export', access: 'public', enabled: true },
    ...{ endpointTags: {}, experienceGroupIds: [] },
  })
  const flow = await app.collection('flows').insert({
    ...{ name: 'Export', flowClass: 'experience', enabled: true, content: { triggers: [], nodes: [], globals: [] } },
  })
  const params = [{ name: 'callbackUrl', type: 'string', value: callbackUrl }]
  const call = { resource: 'devices', action: 'export', params, responsePath: 'working.answer' }
  const reply = { bodyTemplate: '{{jsonEncode working.answer}}', responseCodeTemplate: '200', type: 'custom' }
  await app.collection('flowVersions').insert({
    ...{ flowId: flow.id, version: 'develop', name: 'Export', enabled: true },
    content: {
      triggers: [{ type: 'endpoint', key: endpoint.id, config: {}, meta: {}, outputIds: [['call']] }],
      nodes: [
        { id: 'call', type: 'LosantApiNode', config: call, meta: {}, outputIds: [['reply']] },
        { id: 'reply', type: 'EndpointReplyNode', config: reply, meta: {}, outputIds: [] },
      ],
      globals: [],
    },
  })
  const answer = await clientOf(port, host).get('/export')
  expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('jobQueued') })
  await vi.waitFor(() => expect(got).toHaveLength(1), { timeout: 15_000, interval: 50 })
  const [body] = got
  expect(body).toMatchObject({
    success: true,
    applicationId: scope.application,
    jobId: expect.stringMatching(/^.{21}$/),
  })
  const { pathname, search, hostname } = new URL(String(body!.downloadUrl))
  const file = await clientOf(port, hostname).get(`${pathname}${search}`)
  expect(file).toMatchObject({ status: 200, text: expect.stringContaining('Exported pump') })
})
