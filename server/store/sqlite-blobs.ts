import { createHash } from 'node:crypto'
import { type Blobs, StoreError } from './port.ts'
import type { AppNumber } from './sqlite-collection.ts'
import type { Database } from './sqlite-database.ts'

const chunkBytes = 256 * 1024
/** Chunks of a content, 4 MB. */
const forgetAfter = 16
const abandonedAfterMs = 24 * 60 * 60 * 1000

/**
 * Contents in rows of 256 KB. A new content is written beside the old one, row by row, then takes its place in one step; what
 * a broken upload left behind is removed by a later `put` after a day. Readers that began before the change read the old content to its
 * end, when they are of this process; those of another process fail with `unavailable`.
 */
export function openBlobs(database: Database, app: AppNumber): Blobs {
  /** Contents being read, with the number of readers, and those to remove after the last. */
  const readers = new Map<number, number>()
  const outdated = new Set<number>()

  function drop(number: number, content: number) {
    if (readers.has(content)) {
      outdated.add(content)
      // A crash before the last reader ends leaves it to the sweep.
      database.run('UPDATE contents SET kept = 0 WHERE app = ? AND content = ?', [number, content])
      return
    }
    database.run('DELETE FROM chunks WHERE app = ? AND content = ?', [number, content])
    database.run('DELETE FROM contents WHERE app = ? AND content = ?', [number, content])
  }

  function find(key: string): { number: number; content: number; size: number } | undefined {
    const number = app.known()
    const found = database.get('SELECT content, size FROM blobs WHERE app = ? AND key = ?', [number, key])
    return found === undefined ? undefined : { number, content: Number(found.content), size: Number(found.size) }
  }

  function sweep(number: number) {
    const sql = 'SELECT content FROM contents WHERE kept = 0 AND started < ? AND app = ? LIMIT 10'
    for (const row of database.all(sql, [Date.now() - abandonedAfterMs, number])) {
      const content = Number(row.content)
      if (!readers.has(content)) database.transaction(() => drop(number, content))
    }
  }

  async function* chunks(blob: { number: number; content: number }, start: number, end: number) {
    const { number, content } = blob
    readers.set(content, (readers.get(content) ?? 0) + 1)
    try {
      for (let position = Math.floor(start / chunkBytes); position * chunkBytes < end; position += 1) {
        const sql = 'SELECT data FROM chunks WHERE app = ? AND content = ? AND position = ?'
        const data = database.get(sql, [number, content, position])?.data
        if (!(data instanceof Uint8Array))
          throw new StoreError('unavailable', 'The content was replaced. Read it again.')
        const from = position * chunkBytes
        yield data.subarray(Math.max(start - from, 0), Math.min(end - from, data.length))
      }
    } finally {
      release(number, content)
    }
  }

  function release(number: number, content: number) {
    const left = (readers.get(content) ?? 1) - 1
    if (left > 0) {
      readers.set(content, left)
      return
    }
    readers.delete(content)
    if (outdated.delete(content) && database.isOpen()) database.transaction(() => drop(number, content))
  }

  return {
    async put(key, given) {
      const number = app.make()
      sweep(number)
      const content = database.run('INSERT INTO contents (app, started) VALUES (?, ?)', [number, Date.now()]).lastRow
      const hash = createHash('sha256')
      let size = 0
      let position = 0
      try {
        for await (const data of inChunks(given)) {
          hash.update(data)
          size += data.length
          const sql = 'INSERT INTO chunks (app, content, position, data) VALUES (?, ?, ?, ?)'
          database.run(sql, [number, content, position, data])
          position += 1
          // Else the cache keeps what was written, up to its limit: an archive would stand in memory once more.
          if (position % forgetAfter === 0) database.run('PRAGMA shrink_memory')
        }
        const sha256 = hash.digest('hex')
        database.transaction(() => {
          const old = find(key)
          const sql = `INSERT INTO blobs (app, key, content, size, sha256) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET content = excluded.content, size = excluded.size, sha256 = excluded.sha256`
          database.run(sql, [number, key, content, size, sha256])
          database.run('UPDATE contents SET kept = 1 WHERE app = ? AND content = ?', [number, content])
          if (old !== undefined) drop(number, old.content)
        })
        return { sizeBytes: size, sha256 }
      } catch (error) {
        if (database.isOpen()) database.transaction(() => drop(number, content))
        throw error
      }
    },

    async read(key, { start = 0, end = Number.MAX_SAFE_INTEGER } = {}) {
      const blob = find(key)
      return blob === undefined ? undefined : chunks(blob, Math.max(start, 0), Math.min(end, blob.size))
    },

    async remove(key) {
      database.transaction(() => {
        const blob = find(key)
        if (blob === undefined) return
        database.run('DELETE FROM blobs WHERE app = ? AND key = ?', [blob.number, key])
        drop(blob.number, blob.content)
      })
    },
  }
}

/** The bytes in pieces of `chunkBytes`, the last one shorter. */
export async function* inChunks(content: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces = content instanceof Uint8Array ? [content] : content
  let held: Uint8Array[] = []
  let size = 0
  for await (const piece of pieces) {
    let rest = piece
    while (size + rest.length >= chunkBytes) {
      const taken = rest.subarray(0, chunkBytes - size)
      yield Buffer.concat([...held, taken])
      rest = rest.subarray(taken.length)
      held = []
      size = 0
    }
    if (rest.length === 0) continue
    // Copied: the giver may use its buffer again.
    held.push(Buffer.from(rest))
    size += rest.length
  }
  if (size > 0) yield Buffer.concat(held)
}
