import { createHash } from 'node:crypto'
import { Binary, ObjectId } from 'mongodb'
import { type Connection, isDuplicate } from './mongo-client.ts'
import { keyOf } from './mongo-document.ts'
import type { Turns } from './mongo-turns.ts'
import { type Blobs, StoreError } from './port.ts'
import { inChunks } from './sqlite-blobs.ts'

const chunkBytes = 256 * 1024
const abandonedAfterMs = 24 * 60 * 60 * 1000

interface Pointer {
  _id: string
  app: string
  file: ObjectId
  size: number
  sha256: string
}

interface StoredFile {
  _id: ObjectId
  length: number
  chunkSize: number
  uploadDate: Date
  filename: string
  metadata: { app: string }
}

interface Chunk {
  _id: string
  files_id: ObjectId
  n: number
  data: Binary
}

/** A content that is being written in the place of another one. Whatever of the two is not pointed at after a day is removed. */
interface Upload {
  _id: ObjectId
  app: string
  pointer: string
  startedAt: number
  replaces: ObjectId[]
}

/**
 * Contents in the layout of GridFS (`blobs.files`, `blobs.chunks` of 256 KB; the `_id` of a chunk is its file and position). A
 * new content is written beside the old one, then the key points at it in one step; what a broken upload left behind is removed
 * by a later `put` after a day. Readers that began before the change read the old content to its end when they are of this
 * process; those of another process fail with `unavailable`.
 */
export function openBlobs(connection: Connection, appKey: string, turns: Turns): Blobs {
  const pointers = () => connection.collection<Pointer>('blobs')
  const files = () => connection.collection<StoredFile>('blobs.files')
  const chunks = () => connection.collection<Chunk>('blobs.chunks')
  const uploads = () => connection.collection<Upload>('blobs.uploads')
  /** Contents being read, with the number of readers, and those to remove after the last. */
  const readers = new Map<string, number>()
  const outdated = new Map<string, Upload['_id']>()
  const pointerOf = (key: string) => keyOf(appKey, 'blob', key)

  async function drop(file: ObjectId) {
    await files().deleteOne({ _id: file })
    await chunks().deleteMany({ files_id: file })
  }

  /** Removes what is pointed at no more, unless it is being read; `upload` is forgotten when nothing of it is left. */
  async function settle(upload: Upload) {
    const pointed = (await pointers().findOne({ _id: upload.pointer }, { projection: { file: 1 } }))?.file
    let left = false
    for (const file of [upload._id, ...upload.replaces]) {
      if (pointed?.equals(file)) continue
      if (readers.has(file.toHexString())) {
        outdated.set(file.toHexString(), upload._id)
        left = true
      } else await drop(file)
    }
    if (!left) await uploads().deleteOne({ _id: upload._id })
  }

  async function sweep() {
    const before = Date.now() - abandonedAfterMs
    const abandoned = await uploads()
      .find({ app: appKey, startedAt: { $lt: before } }, { limit: 10 })
      .toArray()
    for (const upload of abandoned) await settle(upload)
  }

  /** False when the key points at another content than `old` by now: who replaces that one must know it, to remove it. */
  async function point(_id: string, old: ObjectId | undefined, pointer: Omit<Pointer, '_id'>): Promise<boolean> {
    if (old !== undefined) return (await pointers().replaceOne({ _id, file: old }, pointer)).matchedCount > 0
    try {
      await pointers().insertOne({ _id, ...pointer })
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  async function writeChunks(file: ObjectId, content: Parameters<Blobs['put']>[1]) {
    const hash = createHash('sha256')
    let size = 0
    let n = 0
    for await (const data of inChunks(content)) {
      hash.update(data)
      size += data.length
      const chunk = { _id: chunkKey(file, n), files_id: file, n, data: new Binary(data) }
      await connection.ask(() => chunks().insertOne(chunk))
      n += 1
    }
    return { sizeBytes: size, sha256: hash.digest('hex') }
  }

  async function* readChunks({ file, size }: Pointer, start: number, end: number) {
    const name = file.toHexString()
    readers.set(name, (readers.get(name) ?? 0) + 1)
    try {
      for (let n = Math.floor(start / chunkBytes); n * chunkBytes < Math.min(end, size); n += 1) {
        const chunk = await connection.ask(() => chunks().findOne({ _id: chunkKey(file, n) }))
        if (chunk === null) throw new StoreError('unavailable', 'The content was replaced. Read it again.')
        const data = chunk.data.buffer
        const from = n * chunkBytes
        yield data.subarray(Math.max(start - from, 0), Math.min(end - from, data.length))
      }
    } finally {
      await release(name)
    }
  }

  async function release(name: string) {
    const left = (readers.get(name) ?? 1) - 1
    if (left > 0) {
      readers.set(name, left)
      return
    }
    readers.delete(name)
    const upload = outdated.get(name)
    if (upload === undefined) return
    outdated.delete(name)
    await connection.ask(async () => {
      const found = await uploads().findOne({ _id: upload })
      if (found !== null) await settle(found)
    })
  }

  return {
    async put(key, content) {
      const _id = pointerOf(key)
      const upload: Upload = { _id: new ObjectId(), app: appKey, pointer: _id, startedAt: Date.now(), replaces: [] }
      await connection.ask(async () => {
        await sweep()
        await uploads().insertOne(upload)
      })
      try {
        const written = await writeChunks(upload._id, content)
        await turns.alone(_id, async () => {
          const file = fileOf(upload, key, written.sizeBytes)
          await files().insertOne(file)
          const pointer = { app: appKey, file: upload._id, size: written.sizeBytes, sha256: written.sha256 }
          for (;;) {
            const old = (await pointers().findOne({ _id }, { projection: { file: 1 } }))?.file
            if (old !== undefined) {
              upload.replaces = [old]
              await uploads().updateOne({ _id: upload._id }, { $set: { replaces: upload.replaces } })
            }
            if (await point(_id, old, pointer)) return
          }
        })
        await connection.ask(() => settle(upload))
        return written
      } catch (error) {
        // The first failure is what matters; what cannot be removed now is swept later.
        await connection.ask(() => settle(upload)).catch(() => undefined)
        throw error
      }
    },

    read: (key, { start = 0, end = Number.MAX_SAFE_INTEGER } = {}) =>
      connection.ask(async () => {
        const pointer = await pointers().findOne({ _id: pointerOf(key) })
        return pointer === null ? undefined : readChunks(pointer, Math.max(start, 0), Math.min(end, pointer.size))
      }),

    async remove(key) {
      const _id = pointerOf(key)
      const upload: Upload = { _id: new ObjectId(), app: appKey, pointer: _id, startedAt: Date.now(), replaces: [] }
      await turns.alone(_id, async () => {
        const old = await pointers().findOne({ _id })
        if (old === null) return
        upload.replaces = [old.file]
        await uploads().insertOne(upload)
        await pointers().deleteOne({ _id, file: old.file })
        await settle(upload)
      })
    },
  }
}

function chunkKey(file: ObjectId, n: number): string {
  return `${file.toHexString()}\n${n}`
}

function fileOf({ _id, app }: Upload, filename: string, length: number): StoredFile {
  return { _id, length, chunkSize: chunkBytes, uploadDate: new Date(), filename, metadata: { app } }
}
