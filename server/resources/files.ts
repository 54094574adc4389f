import type { FileCriteria, Files, FileView } from '../../nodes/services/files.ts'
import { type PageRequest, Refusal } from '../../nodes/services/listing.ts'
import { contentTypeOf } from '../bundle/content-type.ts'
import { openFileLinks } from '../experience/files.ts'
import type { FileDocument } from '../store/documents/experience.ts'
import { newId } from '../store/id.ts'
import type { AppStore } from '../store/port.ts'
import { refused } from './check.ts'
import { directoriesOf, filePath, partsOf, wholePath } from './file-path.ts'
import type { Actor, FileHappening, Happened } from './happenings.ts'
import { isoOf, type SortFields } from './listing.ts'
import { again, refusing } from './writing.ts'

/** What flows write and read of one file at most. */
export const mostFileBytes = 5 << 20
/** As many as an import takes. */
const mostFiles = 20_000
const directoryType = 'directory'

/** Files, with what flows reach through the API node. */
export interface FileResource extends Files {
  /** Who writes and removes here. */
  actor: Actor
  /** `id`: of a file that is new. `by`: who writes it, where that is another. */
  write(file: Parameters<Files['write']>[0] & { id?: string; by?: Actor }): Promise<FileView>
  /** Files, or with `directory` what lies directly in one, directories among it. At most 20,000 are looked at. */
  list(
    asked: { private: boolean; directory?: string; type?: string; fits(name: string): boolean; urlTtlSeconds?: number },
    page: PageRequest,
  ): Promise<{ items: (FileView | DirectoryView)[]; totalCount: number }>
  /** Writes a private file of any size that the server made, in the place of the one that is there, and gives a link to it. */
  writeReport(path: string, content: Uint8Array, ttlSeconds: number): Promise<string>
  /** Throws Refusal, also when something is there already. */
  move(id: string, to: { private: boolean; name?: string; parentDirectory?: string }): Promise<FileView>
}

export interface DirectoryView {
  id: string
  type: 'directory'
  name: string
  parentDirectory: string
  applicationId: string
}

export interface FileDeps {
  app: AppStore
  now(): number
  actor: Actor
  happened?: Happened
}

/** The files of one application, as `actor` writes and removes them. */
export function openFiles({ app, now, actor, happened }: FileDeps): FileResource {
  const collection = app.collection('files')

  async function find({ private: hidden, ...by }: FileCriteria): Promise<FileDocument | undefined> {
    if ('id' in by) {
      const file = await collection.get(by.id.trim().toLowerCase())
      return file?.private === hidden ? file : undefined
    }
    return await at(wholePath(by.path), hidden)
  }

  async function at(path: string, hidden: boolean): Promise<FileDocument | undefined> {
    return await collection.first({
      all: [
        { field: 'path', op: 'eq', value: path },
        { field: 'private', op: 'eq', value: hidden },
      ],
    })
  }

  async function existing(criteria: FileCriteria): Promise<FileDocument> {
    const file = await find(criteria)
    if (file === undefined) throw new Refusal('NotFound', 'File was not found')
    return file
  }

  /** Throws Refusal where a directory has this path, or a file that of one of its directories: no folder could hold both. */
  async function checkPlace(path: string, hidden: boolean): Promise<void> {
    const directories = directoriesOf(path)
    const clash = await collection.first({
      all: [
        { field: 'private', op: 'eq', value: hidden },
        {
          any: [
            { field: 'path', op: 'startsWith', value: `${path}/` },
            { field: 'path', op: 'in', value: directories },
          ],
        },
      ],
    })
    if (clash) throw new Refusal('AlreadyExists', `Expected a free path, but "${clash.path}" is there already`)
  }

  async function viewOf(file: FileDocument, ttlSeconds?: number): Promise<FileView> {
    return toFileView(file, { application: app.scope.application, links: await linksOf(app, now), ttlSeconds })
  }

  /** Writes a file; `before`: what it takes the place of. Nothing is left of one that fails. */
  async function put(
    path: string,
    how: { hidden: boolean; content: Uint8Array; contentType?: string; overwrite: boolean; id?: string; by?: Actor },
  ): Promise<{ file: FileDocument; before: FileDocument | undefined }> {
    const { hidden, content, contentType, overwrite, id, by = actor } = how
    const type = contentType === undefined || contentType === '' ? contentTypeOf(path) : contentType
    if (!/^[\w.+-]{1,127}\/[\w.+-]{1,127}(;[\x20-\x7e]{0,200})?$/.test(type)) {
      throw refused('contentType', 'a content type, such as text/plain', type)
    }
    const blob = `files/${newId()}`
    const stored = await app.blobs.put(blob, content)
    const author = { authorType: by.type, authorId: by.id }
    const fields = { contentType: type, sizeBytes: stored.sizeBytes, sha256: stored.sha256, blob, ...author }
    const taken = `Expected a free path, but "${path}" is there already`
    let before: FileDocument | undefined
    try {
      const file = await again(async () => {
        before = await at(path, hidden)
        if (before !== undefined) {
          if (!overwrite) throw new Refusal('AlreadyExists', taken)
          return await refusing(collection.update(before.id, fields, { revision: before.revision }), '')
        }
        await checkPlace(path, hidden)
        if ((await collection.count()) >= mostFiles) {
          throw new Refusal('Validation', `Expected at most ${mostFiles} files of an application`)
        }
        return await refusing(collection.insert({ ...(id && { id }), path, private: hidden, ...fields }), taken)
      })
      if (before !== undefined) await app.blobs.remove(before.blob)
      return { file, before }
    } catch (error) {
      const there = await at(path, hidden).catch(() => undefined)
      // What stands in the store keeps its content, whatever failed after it.
      if (there?.blob !== blob) await app.blobs.remove(blob)
      throw error
    }
  }

  async function tell(action: FileHappening['action'], file: FileView, by = actor): Promise<void> {
    await happened?.({ kind: 'file', action, file }, by)
  }

  return {
    actor,

    async get(criteria, options = {}) {
      const file = await find(criteria)
      return file && (await viewOf(file, options.urlTtlSeconds))
    },

    async read(criteria) {
      const file = await find(criteria)
      if (file === undefined) return undefined
      if (file.sizeBytes > mostFileBytes) {
        throw new Refusal('Validation', `Expected a file of at most ${mostFileBytes} bytes, got ${file.sizeBytes}`)
      }
      const parts: Uint8Array[] = []
      const content = await app.blobs.read(file.blob)
      // Replaced between the two reads.
      if (content === undefined) throw new Refusal('Unavailable', 'The file is being written; try again')
      for await (const part of content) parts.push(part)
      return { file: await viewOf(file), content: Buffer.concat(parts) }
    },

    async write({ name, parentDirectory, private: hidden, urlTtlSeconds, content, ...how }) {
      const path = filePath(parentDirectory, name)
      if (content.length > mostFileBytes) {
        throw new Refusal('Validation', `Expected at most ${mostFileBytes} bytes, got ${content.length}`)
      }
      const { file, before } = await put(path, { ...how, hidden, content })
      const view = await viewOf(file, urlTtlSeconds)
      await tell(before === undefined ? 'create' : 'update', view, how.by)
      return view
    },

    async writeReport(path, content, ttlSeconds) {
      const { file } = await put(wholePath(path), { hidden: true, content, overwrite: true })
      return (await viewOf(file, ttlSeconds)).url
    },

    async remove(criteria) {
      const file = await find(criteria)
      if (file === undefined || !(await collection.remove(file.id))) return false
      await app.blobs.remove(file.blob)
      await tell('delete', await viewOf(file))
      return true
    },

    async move(id, { private: hidden, name, parentDirectory }) {
      const before = await existing({ id, private: hidden })
      const old = partsOf(before.path)
      const path = filePath(parentDirectory ?? old.parentDirectory, name ?? old.name)
      if (path === before.path) return await viewOf(before)
      await checkPlace(path, hidden)
      const taken = `Expected a free path, but "${path}" is there already`
      const after = await refusing(collection.update(before.id, { path }, { revision: before.revision }), taken)
      await tell('delete', await viewOf(before))
      const view = await viewOf(after)
      await tell('create', view)
      return view
    },

    async list({ private: hidden, directory, type, fits, urlTtlSeconds }, { page = 0, perPage = 100, ...order }) {
      const within = directory === undefined ? '/' : directory
      const links = await linksOf(app, now)
      const files: FileDocument[] = []
      const directories = new Map<string, DirectoryView>()
      const filter = [
        { field: 'private', op: 'eq', value: hidden },
        { field: 'path', op: 'startsWith', value: within },
      ] as const
      for await (const file of collection.each({ all: filter })) {
        const rest = file.path.slice(within.length)
        if (directory === undefined || !rest.includes('/')) files.push(file)
        else {
          const name = rest.slice(0, rest.indexOf('/'))
          directories.set(name, toDirectory(app, `${within}${name}`))
        }
      }
      const views = files.map((file) =>
        toFileView(file, { application: app.scope.application, links, ttlSeconds: urlTtlSeconds }),
      )
      const all = [...directories.values(), ...views].filter(
        (one) => fits(one.name) && (type === undefined || one.type === type),
      )
      const [field, sign] = [order.sortField ?? 'lastUpdated', order.sortDirection === 'desc' ? -1 : 1]
      const key = (one: FileView | DirectoryView) => String((one as Record<string, unknown>)[field] ?? '').toLowerCase()
      all.sort((a, b) => (key(a) === key(b) ? (a.id < b.id ? -1 : 1) : key(a) < key(b) ? -sign : sign))
      return { items: all.slice(page * perPage, (page + 1) * perPage), totalCount: all.length }
    },
  }
}

export const fileSortFields: SortFields = {
  ...{ lastUpdated: 'lastUpdated', type: 'type', name: 'name', creationDate: 'creationDate' },
}

async function linksOf(app: AppStore, now: () => number) {
  const application = await app.collection('application').get(app.scope.application)
  if (application === undefined) throw new Error('The application has no document, so no secret to sign links with')
  return openFileLinks({ id: app.scope.application, secret: application.secret, now })
}

interface Viewing {
  application: string
  links: ReturnType<typeof openFileLinks>
  ttlSeconds?: number
}

function toFileView(file: FileDocument, { application, links, ttlSeconds }: Viewing): FileView {
  const { id, path, contentType, sizeBytes, authorType, authorId } = file
  return {
    ...{ id, type: 'file', ...partsOf(path), contentType, fileSize: sizeBytes, status: 'completed' },
    _type: file.private ? 'privateFile' : 'file',
    url: links.fileUrl(path, { private: file.private, ttlSeconds }),
    s3etag: file.sha256,
    ...(authorType === undefined ? {} : { authorType, authorId }),
    applicationId: application,
    ...{ creationDate: isoOf(file.creationDate), lastUpdated: isoOf(file.lastUpdated) },
  }
}

/** Directories are what the paths of files say; their id is their path. */
function toDirectory(app: AppStore, path: string): DirectoryView {
  return { id: path, type: directoryType, ...partsOf(path), applicationId: app.scope.application }
}
