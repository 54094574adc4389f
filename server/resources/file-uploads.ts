import { randomBytes } from 'node:crypto'
import type { FileView } from '../../nodes/services/files.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { FILES_PREFIX } from '../experience/files.ts'
import { newId } from '../store/id.ts'
import type { AppStore } from '../store/port.ts'
import { refused } from './check.ts'
import { filePath, partsOf } from './file-path.ts'
import { type FileResource, mostFileBytes } from './files.ts'
import type { Actor } from './happenings.ts'
import { isoOf } from './listing.ts'

/** A file whose content is still to come, and where to: the content goes as the part `file` behind the fields. */
export type PendingFile = Record<string, unknown> & {
  id: string
  status: 'pending'
  upload: { url: string; fields: Record<string, string> }
}

export interface NewUpload {
  private: boolean
  name: string
  parentDirectory: string
  contentType?: string
  fileSize?: number
}

/**
 * Uploads in two steps: whoever has the address of one sends the content, once, within 15 minutes. Until it has come nothing of the file is seen
 * anywhere, and one that is replaced stays as it was.
 */
export interface FileUploads {
  /** Throws Refusal, also when a file is there already. */
  begin(file: NewUpload): Promise<PendingFile>
  /** Throws Refusal `NotFound` for an unknown file. */
  replace(id: string, with_: { private: boolean; contentType?: string; fileSize?: number }): Promise<PendingFile>
  /** True while content is waited for under the token. */
  waits(token: string): Promise<boolean>
  /**
   * Takes the content that a token was given for; `contentType` of whoever sends it, where the flow said none. The file is written by
   * who began the upload. Throws Refusal.
   */
  finish(token: string, content: Uint8Array, contentType?: string): Promise<FileView>
}

interface Waiting {
  id: string
  private: boolean
  /** Of a file that is there. */
  replaces: boolean
  path: string
  contentType?: string
  until: number
  by: Actor
}

const space = 'file-uploads'
const mostWaiting = 1_000
const waitsMs = 15 * 60 * 1000

export function openFileUploads({
  app,
  now,
  files,
}: {
  app: AppStore
  now(): number
  files: FileResource
}): FileUploads {
  async function keep(waiting: Waiting, fileSize: number | undefined): Promise<PendingFile> {
    if (fileSize !== undefined && fileSize > mostFileBytes) {
      throw refused('fileSize', `at most ${mostFileBytes}`, fileSize)
    }
    const entries = Object.entries(await app.values.entries(space)) as [string, Waiting][]
    const over = entries.filter(([, { until }]) => until <= now())
    for (const [key] of over) await app.values.take(space, key)
    if (entries.length - over.length >= mostWaiting) {
      throw new Refusal('RateLimit', `Expected at most ${mostWaiting} uploads that wait; try again in a few minutes`)
    }
    const token = randomBytes(24).toString('base64url')
    await app.values.set(space, token, waiting)
    const { application } = app.scope
    const { id, path, contentType } = waiting
    const time = isoOf(now())
    return {
      ...{ id, type: 'file', ...partsOf(path), contentType, fileSize, status: 'pending', applicationId: application },
      ...{ creationDate: time, lastUpdated: time },
      upload: { url: `${FILES_PREFIX}${application}/?upload=${token}`, fields: { token } },
    }
  }

  const begun = () => ({ until: now() + waitsMs, by: files.actor })

  async function waitingFor(token: string): Promise<Waiting | undefined> {
    const waiting = (await app.values.get(space, token)) as Waiting | undefined
    return waiting !== undefined && waiting.until > now() ? waiting : undefined
  }

  return {
    async begin({ private: hidden, name, parentDirectory, contentType, fileSize }) {
      const path = filePath(parentDirectory, name)
      if ((await files.get({ path, private: hidden })) !== undefined) {
        throw new Refusal('AlreadyExists', `Expected a free path, but "${path}" is there already`)
      }
      const waiting = { id: newId(), private: hidden, replaces: false, path, contentType, ...begun() }
      return await keep(waiting, fileSize)
    },

    async replace(id, { private: hidden, contentType, fileSize }) {
      const file = await files.get({ id, private: hidden })
      if (file === undefined) throw new Refusal('NotFound', 'File was not found')
      const path = filePath(String(file.parentDirectory), String(file.name))
      const type = contentType ?? String(file.contentType)
      const waiting = { id: file.id, private: hidden, replaces: true, path, contentType: type, ...begun() }
      return await keep(waiting, fileSize)
    },

    waits: async (token) => (await waitingFor(token)) !== undefined,

    async finish(token, content, sentType) {
      // Taken at once: of two who send, one writes.
      const waiting = (await waitingFor(token)) && ((await app.values.take(space, token)) as Waiting | undefined)
      if (waiting === undefined) throw new Refusal('NotFound', 'Nothing waits for this upload, or no longer')
      const { id, private: hidden, replaces, contentType = sentType, by } = waiting
      const there = replaces ? await files.get({ id, private: hidden }) : undefined
      if (replaces && there === undefined) throw new Refusal('NotFound', 'The file was removed meanwhile')
      // It may have been moved meanwhile.
      const place = there
        ? { name: String(there.name), parentDirectory: String(there.parentDirectory) }
        : partsOf(waiting.path)
      return await files.write({ ...place, private: hidden, content, contentType, overwrite: replaces, id, by })
    },
  }
}
