import { newWebhookToken, webhookTokenHash } from '../../experience/webhook-token.ts'
import type { Document } from '../../store/documents/document.ts'
import type { WebhookDocument } from '../../store/documents/experience.ts'
import { flag, oneOf, orNothing, readBody, refused, text, whole } from '../check.ts'
import { isoOf } from '../listing.ts'
import { refusing } from '../writing.ts'
import { type ApiWorld, anId, body, type Calls, call, found, needed, success } from './call.ts'
import { commonSort, listOf, listParams } from './lists.ts'

const fields = {
  ...{ name: text(1, 255), description: orNothing(text(0, 32_767)), responseCode: whole(100, 599), enabled: flag },
  verificationType: oneOf(['facebook', 'fitbit', 'none', 'twilio', 'alexa']),
  ...{ verificationCode: text(0, 32_767), waitForReply: flag, isWebsocket: flag, annotateMultipart: flag },
  ...{ basicAuthUsername: text(0, 255), basicAuthPassword: text(0, 255) },
  castBuffersAs: oneOf(['array', 'binary', 'utf8', 'base64', 'hex']),
}

const defaults: Omit<WebhookDocument, 'name' | 'token' | 'tokenHash' | keyof Document> = {
  ...{ responseCode: 200, verificationType: 'none', verificationCode: '', waitForReply: false, enabled: true },
  ...{ basicAuthUsername: '', basicAuthPassword: '', isWebsocket: false, castBuffersAs: 'array' },
  annotateMultipart: false,
}

const mostWebhooks = 1_000

export const webhooks: Calls = {
  get: call(listParams, async (world, params) => {
    return await listOf(world, 'webhooks', {
      ...{ asked: params, filters: ['name'], sortFields: commonSort },
      view: (document) => viewOf(world, document),
    })
  }),
  post: call({ webhook: body }, async (world, params) => {
    const { name, ...given } = readBody(needed(params.webhook, 'webhook'), fields, 'a webhook')
    if (name === undefined) throw refused('name', 'text of 1 to 255 characters', undefined)
    const collection = world.app.collection('webhooks')
    if ((await collection.count()) >= mostWebhooks) {
      throw refused('webhook', `one of at most ${mostWebhooks} webhooks of the application`, 'one more')
    }
    const token = newWebhookToken(world.app.scope.application)
    const document = { ...defaults, ...given, name, token, tokenHash: webhookTokenHash(token) }
    return viewOf(world, await collection.insert(document))
  }),
}

const one = { webhookId: anId }

export const webhook: Calls = {
  get: call(one, async (world, { webhookId }) => viewOf(world, await existing(world, webhookId))),
  patch: call({ ...one, webhook: body }, async (world, { webhookId, webhook: given }) => {
    const change = readBody(needed(given, 'webhook'), fields, 'a webhook')
    const { id } = await existing(world, webhookId)
    return viewOf(world, await refusing(world.app.collection('webhooks').update(id, change), ''))
  }),
  delete: call(one, async (world, { webhookId }) => {
    await world.app.collection('webhooks').remove((await existing(world, webhookId)).id)
    return success
  }),
}

async function existing({ app }: ApiWorld, id: string | undefined): Promise<WebhookDocument> {
  return found(await app.collection('webhooks').get(needed(id, 'webhookId')), 'Webhook')
}

function viewOf(world: ApiWorld, document: WebhookDocument) {
  const { id, revision: _, tokenHash: _t, creationDate, lastUpdated, ...fields } = document
  const dates = { creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) }
  return { id, webhookId: id, applicationId: world.app.scope.application, ...fields, ...dates }
}
