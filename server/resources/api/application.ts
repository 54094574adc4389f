import { Refusal } from '../../../nodes/services/listing.ts'
import type { ApplicationDocument } from '../../store/documents/experience.ts'
import { readBody, text } from '../check.ts'
import { isoOf } from '../listing.ts'
import { again } from '../writing.ts'
import { type ApiWorld, body, type Calls, call, found, fromJson, needed } from './call.ts'
import { globalList } from './globals.ts'

/** The application itself. Its secret is no part of what is answered. */
export const application: Calls = {
  get: call({}, async (world) => viewOf(await existing(world))),
  readme: call({}, async (world) => ({ content: (await existing(world)).readme ?? '' })),
  readmePatch: call({ readme: body }, async (world, { readme }) => {
    const { content } = readBody(needed(readme, 'readme'), { content: text(0, 131_072) }, 'a readme')
    const written = needed(content, 'readme.content')
    const { id } = await existing(world)
    const { lastUpdated } = await world.app.collection('application').update(id, { readme: written })
    return { content: written, lastUpdated: isoOf(lastUpdated) }
  }),
  globals: call({ globals: fromJson }, async (world, params) => {
    const given = globalList(needed(params.globals, 'globals'), 'globals')
    const changed = await again(async () => {
      const before = await existing(world)
      const kept = before.globals.filter(({ key }) => !given.some((one) => one.key === key))
      const globals = [...kept, ...given]
      if (globals.length > 100) throw new Refusal('Validation', `Expected at most 100 globals, got ${globals.length}`)
      return await world.app.collection('application').update(before.id, { globals }, { revision: before.revision })
    })
    return viewOf(changed)
  }),
}

async function existing({ app }: ApiWorld): Promise<ApplicationDocument> {
  return found(await app.collection('application').get(app.scope.application), 'Application')
}

function viewOf({ id, name, description, globals, blobUrlTTL, creationDate, lastUpdated }: ApplicationDocument) {
  return {
    ...{ id, applicationId: id, name, description: description ?? '', globals, blobUrlTTL: blobUrlTTL ?? 86_400 },
    ...{ creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) },
  }
}
