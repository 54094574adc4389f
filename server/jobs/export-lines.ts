import { PassThrough } from 'node:stream'
import type { Blobs } from '../store/port.ts'
import { drained } from './archive.ts'

/** Values that are too many for memory, kept beside: written once from start to end, then read as often as needed. */
export interface Lines<T> {
  /** Throws what the store throws. */
  add(value: T): Promise<void>
  /** Nothing can be added from here on; resolves when all is in the store. */
  end(): Promise<void>
  read(): AsyncGenerator<T>
  /** Also breaks off what is being written. */
  remove(): Promise<void>
}

/** Begins lines of JSON in a blob. Remove them after use. */
export function openLines<T>(blobs: Blobs, key: string): Lines<T> {
  const stream = new PassThrough({ highWaterMark: 256 * 1024 })
  // Told by `kept`.
  stream.on('error', () => undefined)
  const kept = blobs.put(key, stream)
  kept.catch(() => undefined)
  return {
    async add(value) {
      if (stream.destroyed) await kept
      if (stream.write(`${JSON.stringify(value)}\n`)) return
      await drained(stream).catch(async () => await kept)
    },
    async end() {
      stream.end()
      await kept
    },
    async *read() {
      const bytes = await blobs.read(key)
      if (bytes === undefined) throw new Error(`Expected the blob ${key}, but it was removed`)
      for await (const line of linesOf(bytes)) yield JSON.parse(line) as T
    },
    async remove() {
      stream.destroy()
      await kept.catch(() => undefined)
      await blobs.remove(key)
    },
  }
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of bytes) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = lines.pop()!
    yield* lines
  }
}
