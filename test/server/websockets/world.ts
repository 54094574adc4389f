import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { Config } from '../../../server/config.ts'
import { newWebhookToken, webhookTokenHash } from '../../../server/experience/webhook-token.ts'
import type { WebhookDocument } from '../../../server/store/documents/experience.ts'
import type { AppStore } from '../../../server/store/port.ts'
import { startServer, type TestServer } from '../../helpers/server.ts'
import type { Stack } from '../../helpers/stacks.ts'

export const scope = { tenant: 't1', application: 'a'.repeat(24) }

export interface TestClient {
  socket: WebSocket
  /** Messages, binary ones as `hex:...`. */
  heard: string[]
  /** Code of the end. */
  closed: Promise<number>
}

/** A whole server with an application, or one that joins another on its store; closed with the test. */
export async function openSocketWorld(
  options: { config?: Partial<Config>; stack?: Stack; joins?: boolean } = {},
): Promise<TestServer & { app: AppStore }> {
  const server = await startServer(options)
  onTestFinished(() => server.close())
  const app = server.store.app(scope)
  if (!options.joins) {
    await app.collection('application').insert({ id: scope.application, name: 'Test', globals: [], secret: 's' })
    await app.collection('experienceVersions').insert({ version: 'develop', endpointDefaultCors: true, globals: [] })
  }
  return { ...server, app }
}

export async function addWebhook(app: AppStore, change: Partial<WebhookDocument> = {}): Promise<WebhookDocument> {
  const token = newWebhookToken(app.scope.application)
  return await app.collection('webhooks').insert({
    ...{ name: 'Hook', enabled: true, responseCode: 200, verificationType: 'none', verificationCode: '' },
    ...{ waitForReply: false, basicAuthUsername: '', basicAuthPassword: '', isWebsocket: true },
    ...{ castBuffersAs: 'array', annotateMultipart: false, token, tokenHash: webhookTokenHash(token) },
    ...change,
  })
}

/** A flow that listens to a webhook and answers each message with what it got: `<type> <message as JSON>`. */
export async function addEcho(app: AppStore, webhookId: string): Promise<void> {
  const config = { isWebsocketMessage: true, bodyTemplate: '{{data.type}} {{{jsonEncode data.message}}}' }
  const content = {
    triggers: [{ type: 'webhook', key: webhookId, config: {}, outputIds: [['say']] }],
    nodes: [{ id: 'say', type: 'WebhookReplyNode', config, outputIds: [[]] }],
    globals: [],
  }
  await app.collection('flows').insert({ name: 'Echo', flowClass: 'cloud', enabled: true, content })
}

/** Connects; rejects with the status when it is refused. */
export async function connect(
  port: number,
  path: string,
  options: { headers?: Record<string, string>; host?: string } = {},
): Promise<TestClient> {
  const headers = { host: options.host ?? 'localhost', ...options.headers }
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  onTestFinished(() => socket.terminate())
  const heard: string[] = []
  socket.on('message', (data: Buffer, binary) => heard.push(binary ? `hex:${data.toString('hex')}` : `${data}`))
  socket.on('error', () => undefined)
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('unexpected-response', (_request, response) => {
      reject(new Error(`${response.statusCode}`))
      response.resume()
    })
    socket.once('error', reject)
  })
  return { socket, heard, closed }
}
