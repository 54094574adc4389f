import { createHash } from 'node:crypto'
import { PassThrough, type Writable } from 'node:stream'
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib'
import { centralRecord, directoryEnd, type Entry, entryEnd, localHeader } from './archive-records.ts'

/** What was put into an archive: before it was packed. `sha256` in hex. */
export interface ArchivedFile {
  sizeBytes: number
  sha256: string
}

/**
 * A ZIP archive as it is written, for any size and number of files. What is held in memory grows by about 130 bytes a file (its
 * record in the directory at the end), and by nothing else. (yazl keeps 1,500 bytes a file and looks all of them through for
 * each: with 100,000 files that is a minute.)
 */
export interface Archive {
  /** The archive, to be read once; who stops reading ends `add` and `end` with an error. */
  bytes: AsyncIterable<Uint8Array>
  /**
   * Adds a file, one at a time, as fast as the archive is read. `path`: relative, with `/`, at most 65,535 bytes. Content
   * without a byte adds no file: undefined.
   */
  add(path: string, content: AsyncIterable<Uint8Array>): Promise<ArchivedFile | undefined>
  /** Writes the directory: nothing can be added after it. */
  end(): Promise<void>
  /** Breaks off: whoever reads gets the error. */
  destroy(error: Error): void
}

/** Files up to here are packed at once: to set up a stream for each small file takes longer than to pack it. */
const smallBytes = 64 * 1024
const utf8 = 0x0800
const sizesFollow = 0x0008

/** Begins an archive. `time`, milliseconds since the epoch, is what its files are dated with. */
export function openArchive(time: number): Archive {
  const output = new PassThrough({ highWaterMark: 256 * 1024 })
  // Who reads hears of it, and so does who adds: nobody else has to.
  output.on('error', () => undefined)
  const directory: Buffer[] = []
  const latest: Buffer[] = []
  let files = 0
  let offset = 0

  async function write(bytes: Buffer): Promise<void> {
    if (output.destroyed) throw brokenOff(output)
    offset += bytes.length
    if (!output.write(bytes)) await drained(output)
  }

  function keep(entry: Entry): void {
    files += 1
    // Many small buffers take more than what is in them.
    if (latest.push(centralRecord(entry)) === 1_000) directory.push(Buffer.concat(latest.splice(0)))
  }

  const entryOf = (path: string, flags: number): Entry => ({
    ...{ name: Buffer.from(path), flags, time, offset, crc: 0, packedBytes: 0, sizeBytes: 0 },
  })

  /** Sizes are known before the header is written. */
  async function addSmall(path: string, content: Buffer): Promise<void> {
    // As much room as is needed: the default is 16 KB a call, most of it waste that piles up.
    const packed = deflateRawSync(content, { chunkSize: content.length + 64 })
    const sizes = { crc: crc32(content), packedBytes: packed.length, sizeBytes: content.length }
    const entry = { ...entryOf(path, utf8), ...sizes }
    await write(Buffer.concat([localHeader(entry), packed]))
    keep(entry)
  }

  /** Sizes follow the content. */
  async function addLarge(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const entry = entryOf(path, utf8 | sizesFollow)
    await write(localHeader(entry))
    const deflate = createDeflateRaw({ chunkSize: smallBytes })
    // Told by `packing`.
    deflate.on('error', () => undefined)
    const packing = pack(deflate)
    packing.catch(() => undefined)
    try {
      for await (const piece of pieces) {
        entry.crc = crc32(piece, entry.crc)
        entry.sizeBytes += piece.length
        // Closed: packing has failed, and is asked why below.
        if (
          !deflate.write(piece) &&
          !(await drained(deflate).then(
            () => true,
            () => false,
          ))
        )
          break
      }
      deflate.end()
      entry.packedBytes = await packing
    } finally {
      deflate.destroy()
    }
    await write(entryEnd(entry))
    keep(entry)
  }

  async function pack(deflate: AsyncIterable<Buffer>): Promise<number> {
    let bytes = 0
    for await (const packed of deflate) {
      bytes += packed.length
      await write(packed)
    }
    return bytes
  }

  return {
    bytes: output,
    async add(path, content) {
      const { pieces, sums } = summed(content)
      try {
        const { first, bytes, ended } = await firstOf(pieces)
        if (ended && bytes === 0) return undefined
        if (ended) await addSmall(path, Buffer.concat(first))
        else await addLarge(path, joined(first, pieces))
        return sums()
      } finally {
        await pieces.return(undefined)
      }
    },
    async end() {
      const start = offset
      for (const records of [...directory, ...latest]) await write(records)
      await write(directoryEnd({ files, start, end: offset }))
      output.end()
    },
    destroy(error) {
      output.destroy(error)
    },
  }
}

/** Resolves when a stream takes more; rejects when it closes before. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    const onDrain = () => {
      stream.off('close', onClose)
      resolve()
    }
    const onClose = () => {
      stream.off('drain', onDrain)
      reject(brokenOff(stream))
    }
    stream.once('drain', onDrain)
    stream.once('close', onClose)
    if (stream.closed) onClose()
  })
}

function brokenOff(stream: Writable): Error {
  return stream.errored ?? new Error('Nobody reads what is written any more')
}

function summed(content: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256')
  let sizeBytes = 0
  async function* pieces() {
    for await (const piece of content) {
      hash.update(piece)
      sizeBytes += piece.length
      yield piece
    }
  }
  return { pieces: pieces(), sums: (): ArchivedFile => ({ sizeBytes, sha256: hash.digest('hex') }) }
}

/** What comes first, up to a little over `smallBytes`; the rest is left. */
async function firstOf(pieces: AsyncIterator<Uint8Array>) {
  const first: Uint8Array[] = []
  let bytes = 0
  // Not a loop over the pieces: to leave one would end them.
  while (bytes <= smallBytes) {
    const next = await pieces.next()
    if (next.done) return { first, bytes, ended: true }
    first.push(next.value)
    bytes += next.value.length
  }
  return { first, bytes, ended: false }
}

async function* joined(first: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first
  yield* rest
}
