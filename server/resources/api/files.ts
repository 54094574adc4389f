import type { Payload } from '../../../engine/payload.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { fitsGlob } from '../../flows/event-triggers.ts'
import { oneOf, orNothing, readBody, refused, text } from '../check.ts'
import { directoryPath } from '../file-path.ts'
import { openFileUploads } from '../file-uploads.ts'
import { fileSortFields } from '../files.ts'
import { type ApiWorld, anId, body, type Calls, call, found, needed, number, success, words } from './call.ts'
import { answerOf, listParams, pageOf } from './lists.ts'

const mostPerPage = 1_000

const contentFields = {
  ...{ contentType: orNothing(text(0, 1_024)), fileSize: orNothing(number) },
  // Said by those who read it from a picture; nobody asks for it here.
  fileDimensions: (value: unknown) => value,
}
const newFields = {
  ...{ ...contentFields, name: text(1, 1_024), parentDirectory: orNothing(text(0, 1_024)) },
  type: oneOf(['file', 'directory']),
}

function uploadsOf({ app, now, files }: ApiWorld) {
  return openFileUploads({ app, now, files })
}

/** Files, public or private ones: the list of them and single ones. */
function callsOf(hidden: boolean): { list: Calls; one: Calls } {
  const bodyName = hidden ? 'privateFile' : 'file'
  const idName = hidden ? 'privateFileId' : 'fileId'
  const idParam = { [idName]: anId } as { fileId: typeof anId }
  const idOf = (params: object) => needed((params as Record<string, string | undefined>)[idName], idName)
  return {
    list: {
      get: call(
        {
          ...{ ...listParams, type: oneOf(['file', 'directory']), status: oneOf(['completed', 'pending']) },
          ...{ directory: words, urlTTL: number },
        },
        async (world, params) => {
          const { filter, filterField = 'name', directory, type, status, urlTTL, sortField = 'lastUpdated' } = params
          if (filterField !== 'name') throw refused('filterField', 'name', filterField)
          if (!Object.hasOwn(fileSortFields, sortField)) {
            throw refused('sortField', `one of ${Object.keys(fileSortFields).join(', ')}`, sortField)
          }
          const { sortDirection = 'asc', page = 0, perPage = 100 } = pageOf(params)
          const asked = {
            ...{ sortField, sortDirection, page: Math.max(0, Math.trunc(page)) },
            perPage: Math.min(Math.max(0, Math.trunc(perPage)), mostPerPage),
          }
          const within = directory === undefined ? undefined : directoryPath(directory)
          const fits = (name: string) => filter === undefined || fitsGlob(name, filter)
          const list = { private: hidden, directory: within, type, fits, urlTtlSeconds: urlTTL }
          // Nothing waits for its contents here.
          const { items, totalCount } =
            status === 'pending' ? { items: [], totalCount: 0 } : await world.files.list(list, asked)
          return answerOf({ items, count: items.length, totalCount, ...asked }, world, params)
        },
      ),
      post: call({ [bodyName]: body } as { file: typeof body }, async (world, params) => {
        const given = needed((params as Record<string, Payload | undefined>)[bodyName], bodyName)
        const { name, parentDirectory = '/', type, contentType, fileSize } = readBody(given, newFields, 'a file')
        if (type === 'directory') throw refused('type', 'file (a directory is there with its first file)', type)
        const file = { private: hidden, name: needed(name, 'name'), parentDirectory, contentType, fileSize }
        return await uploadsOf(world).begin(file)
      }),
    },
    one: {
      get: call({ ...idParam, urlTTL: number }, async ({ files }, params) => {
        const options = { urlTtlSeconds: params.urlTTL }
        return found(await files.get({ id: idOf(params), private: hidden }, options), 'File')
      }),
      patch: call({ ...idParam, updates: body }, async (world, params) => {
        const { contentType, fileSize } = readBody(params.updates ?? {}, contentFields, 'a file')
        return await uploadsOf(world).replace(idOf(params), { private: hidden, contentType, fileSize })
      }),
      delete: call(idParam, async ({ files }, params) => {
        if (await files.remove({ id: idOf(params), private: hidden })) return success
        throw new Refusal('NotFound', 'File was not found')
      }),
      move: call({ ...idParam, name: words, parentDirectory: words }, async ({ files }, params) => {
        return await files.move(idOf(params), { ...params, private: hidden })
      }),
    },
  }
}

export const { list: files, one: file } = callsOf(false)
export const { list: privateFiles, one: privateFile } = callsOf(true)
