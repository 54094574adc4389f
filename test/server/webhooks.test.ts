import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newWebhookToken, webhookTokenHash } from '../../server/experience/webhook-token.ts'
import { type Answer, clientOf } from '../helpers/client.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

let running: TestServer
let url: string

beforeAll(async () => {
  running = await startServer({ folders: ['examples/one-to-many'], config: { requestTimeoutMs: 1_000 } })
  const [application] = running.applications
  const app = running.store.app(application!.scope)
  const token = newWebhookToken(application!.scope.application)
  const webhook = await app.collection('webhooks').insert({
    ...{ name: 'Sum', token, tokenHash: webhookTokenHash(token), enabled: true, responseCode: 200, waitForReply: true },
    ...{
      verificationType: 'none',
      verificationCode: '',
      basicAuthUsername: '',
      basicAuthPassword: '',
      isWebsocket: false,
    },
    ...{ castBuffersAs: 'array', annotateMultipart: false },
  })
  const add = { id: 'add', type: 'MathNode', outputIds: [['end']] }
  const inner = {
    triggers: [{ type: 'customNodeStart', key: 'customNodeStart', outputIds: [['add']] }],
    nodes: [
      { ...add, config: { statements: [{ expression: '{{data.a}} + {{data.b}}', resultPath: 'sum' }] } },
      { id: 'end', type: 'CustomNodeCapNode', config: { branchIndexTemplate: 0, resultSourcePath: 'sum' } },
    ],
    globals: [],
    customNodeConfig: {
      ...{ outputCount: 1, resultMode: 'required' },
      fields: ['a', 'b'].map((id) => ({ id, type: 'numberTemplate', required: true })),
    },
  }
  const custom = await app
    .collection('flows')
    .insert({ name: 'Add', flowClass: 'customNode', enabled: true, content: inner })
  const fields = ['a', 'b'].map((id) => ({ id, value: `{{data.body.${id}}}` }))
  const nodes = [
    {
      id: 'call',
      type: 'CustomNodeExecuteNode',
      config: { customNodeId: custom.id, fields, resultPath: 'sum' },
      outputIds: [['reply'], []],
    },
    { id: 'reply', type: 'WebhookReplyNode', config: { bodyTemplateType: 'path', bodyTemplate: '.' }, outputIds: [] },
  ]
  const triggers = [{ type: 'webhook', key: webhook.id, outputIds: [['call']] }]
  await app
    .collection('flows')
    .insert({ name: 'Sum', flowClass: 'cloud', enabled: true, content: { triggers, nodes, globals: [] } })
  url = `/webhooks/${token}/sum`
})
afterAll(() => running.close())

const call = (host: string, body: string): Promise<Answer> =>
  clientOf(running.port, host).send({
    method: 'POST',
    path: url,
    headers: { 'content-type': 'application/json' },
    body,
  })

test('a call at the base host, or that of the application, runs its flow with a custom node and gets its reply', async () => {
  for (const host of ['localhost', running.applications[0]!.host]) {
    const answer = await call(host, '{"a":2,"b":40}')
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toMatchObject({ sum: 42, triggerType: 'webhook', data: { path: '/sum' } })
  }
})

test('a call whose custom node fails is told so', async () => {
  const answer = await call('localhost', '{"a":"x","b":1}')
  expect(answer.status).toBe(500)
  expect(running.log.at(-1)).toMatchObject({ code: 'config.type', node: { id: 'call' } })
})

test('the admin host answers everything else itself', async () => {
  const unknown = await clientOf(running.port, 'localhost').get('/webhooksx')
  expect(unknown.text).toContain('admin host')
  const forged = await clientOf(running.port, 'localhost').get(url.replace(/.{5}\/sum$/, '00000'))
  expect(forged).toMatchObject({ status: 404, text: expect.stringContaining('There is no webhook') })
})

test('a client that dawdles over its body is sent away, and others are served meanwhile', async () => {
  const head = `POST ${url} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n`
  const slow = new Promise<string>((resolve) => {
    const socket = connect(running.port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString()
    })
    socket.on('close', () => resolve(received))
    socket.on('error', () => resolve(received))
    socket.write(`${head}{"a":`)
  })
  expect((await call('localhost', '{"a":2,"b":40}')).status).toBe(200)
  expect(await slow).toMatch(/^HTTP\/1\.1 408 /)
})
