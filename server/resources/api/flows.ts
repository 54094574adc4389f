import { flowClasses } from '../../../engine/document.ts'
import { sizeOf } from '../../../engine/payload.ts'
import { flowValues } from '../../flows/flow-values.ts'
import type { FlowDocument } from '../../store/documents/flows.ts'
import { flag, oneOf, orNothing, readBody, refused, text } from '../check.ts'
import { isoOf } from '../listing.ts'
import { refusing } from '../writing.ts'
import { type ApiWorld, anId, body, type Calls, call, found, fromJson, needed, success, words } from './call.ts'
import { commonSort, listOf, listParams } from './lists.ts'

export const flows: Calls = {
  get: call({ ...listParams, flowClass: oneOf(flowClasses) }, async (world, params) => {
    const { flowClass = 'cloud' } = params
    return await listOf(world, 'flows', {
      ...{ asked: params, filters: ['name'], sortFields: commonSort },
      also: { field: 'flowClass', op: 'eq', value: flowClass },
      view: (document) => viewOf(world, document),
    })
  }),
}

export const flow: Calls = {
  get: call({ flowId: anId }, async (world, { flowId }) => viewOf(world, await existing(world, flowId))),
  patch: call({ flowId: anId, flow: body }, async (world, { flowId, flow: given }) => {
    const change = readBody(needed(given, 'flow'), patchFields, 'a flow')
    const { id } = await existing(world, flowId)
    const { defaultVersionId } = change
    if (defaultVersionId !== undefined) {
      const version = await world.app.collection('flowVersions').get(defaultVersionId)
      if (version?.flowId !== id) throw refused('defaultVersionId', 'the id of a version of the flow', defaultVersionId)
    }
    return viewOf(world, await refusing(world.app.collection('flows').update(id, change), ''))
  }),
  pressVirtualButton: call({ flowId: anId, button: body }, async (world, { flowId, button }) => {
    const { key, payload, flowVersion } = needed(button, 'button')
    const version = flowVersion === undefined || flowVersion === '' ? 'default' : words(flowVersion, 'flowVersion')
    const { id } = await existing(world, flowId)
    await world.flows.press({ flow: id, button: words(key, 'button.key'), version, data: payload })
    return success
  }),
  getStorageEntries: call({ flowId: anId }, async (world, { flowId }) => {
    return await (await storageOf(world, flowId)).all()
  }),
  clearStorageEntries: call({ flowId: anId }, async (world, { flowId }) => {
    const storage = await storageOf(world, flowId)
    for (const key of Object.keys(await storage.all())) await storage.set(key, undefined)
    return await storage.all()
  }),
  getStorageEntriesMetadata: call({ flowId: anId }, async (world, { flowId }) => {
    const entries = await (await storageOf(world, flowId)).all()
    return { memoryUsed: sizeOf(entries, 1e9), keysCount: Object.keys(entries).length }
  }),
  setStorageEntry: call({ flowId: anId, entry: fromJson }, async (world, { flowId, entry }) => {
    const { key, value } = (entry ?? {}) as { key?: unknown; value?: unknown }
    const name = words(key, 'entry.key')
    if (name === '' || name.length > 255) throw refused('entry.key', 'text of 1 to 255 characters', key)
    await (await storageOf(world, flowId)).set(name, value === null ? undefined : value)
    return success
  }),
}

// What a flow does is changed in the editor, which checks it as a whole.
const patchFields = {
  ...{ name: text(1, 255), description: orNothing(text(0, 32_767)), enabled: flag, defaultVersionId: orNothing(anId) },
}

async function existing({ app }: ApiWorld, id: string | undefined): Promise<FlowDocument> {
  return found(await app.collection('flows').get(needed(id, 'flowId')), 'Flow')
}

async function storageOf(world: ApiWorld, id: string | undefined) {
  return flowValues(world.app.values, (await existing(world, id)).id)
}

function viewOf(world: ApiWorld, document: FlowDocument) {
  const { id, revision: _, content, creationDate, lastUpdated, ...fields } = document
  const dates = { creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) }
  return { ...content, id, flowId: id, applicationId: world.app.scope.application, ...fields, ...dates }
}
