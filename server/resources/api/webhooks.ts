import type { WebhookDocument } from '../../store/documents/experience.ts'
import { isoOf } from '../listing.ts'
import { type ApiWorld, anId, type Calls, call, found, needed } from './call.ts'
import { commonSort, listOf, listParams } from './lists.ts'

export const webhooks: Calls = {
  get: call(listParams, async (world, params) => {
    return await listOf(world, 'webhooks', {
      ...{ asked: params, filters: ['name'], sortFields: commonSort },
      view: (document) => viewOf(world, document),
    })
  }),
}

export const webhook: Calls = {
  get: call({ webhookId: anId }, async (world, { webhookId }) => {
    return viewOf(world, found(await world.app.collection('webhooks').get(needed(webhookId, 'webhookId')), 'Webhook'))
  }),
}

function viewOf(world: ApiWorld, document: WebhookDocument) {
  const { id, revision: _, tokenHash: _t, creationDate, lastUpdated, ...fields } = document
  const dates = { creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) }
  return { id, webhookId: id, applicationId: world.app.scope.application, ...fields, ...dates }
}
