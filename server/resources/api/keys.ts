import { Refusal } from '../../../nodes/services/listing.ts'
import { openAccessKeys } from '../access-keys.ts'
import { anId, body, type Calls, call, found, needed, success } from './call.ts'
import { answerOf, listParams, pageOf, patternFilter } from './lists.ts'

export const applicationKeys: Calls = {
  get: call(listParams, async (world, params) => {
    const matching = patternFilter(params, ['key', 'status', 'name'])
    return answerOf(await openAccessKeys(world.app).list(pageOf(params), matching), world, params)
  }),
  post: call({ applicationKey: body }, async ({ app }, { applicationKey }) => {
    return await openAccessKeys(app).create(needed(applicationKey, 'applicationKey'))
  }),
}

const one = { applicationKeyId: anId }

export const applicationKey: Calls = {
  get: call(one, async ({ app }, { applicationKeyId }) => {
    return found(await openAccessKeys(app).get(needed(applicationKeyId, 'applicationKeyId')), 'Access key')
  }),
  patch: call({ ...one, applicationKey: body }, async ({ app }, { applicationKeyId, applicationKey: patch }) => {
    const id = needed(applicationKeyId, 'applicationKeyId')
    return await openAccessKeys(app).update(id, needed(patch, 'applicationKey'))
  }),
  delete: call(one, async ({ app }, { applicationKeyId }) => {
    if (await openAccessKeys(app).remove(needed(applicationKeyId, 'applicationKeyId'))) return success
    throw new Refusal('NotFound', 'Access key was not found')
  }),
}
