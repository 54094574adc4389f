import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { fromBuffer } from 'yauzl'

export interface Unzipped {
  path: string
  text: string
  sizeBytes: number
  sha256: string
}

/**
 * All files of a ZIP archive, in order. Rejects for an archive that is broken anywhere: headers, sizes, checksums. Of those that
 * `wanted` leaves out only the headers are read.
 */
export async function unzip(archive: Buffer, wanted: (path: string) => boolean = () => true): Promise<Unzipped[]> {
  const files: Unzipped[] = []
  const zip = await new Promise<import('yauzl').ZipFile>((resolve, reject) => {
    fromBuffer(archive, { lazyEntries: true, validateEntrySizes: true, strictFileNames: true }, (error, opened) =>
      error ? reject(error) : resolve(opened),
    )
  })
  await new Promise<void>((resolve, reject) => {
    zip.on('error', reject)
    zip.on('end', resolve)
    zip.on('entry', (entry) => {
      if (!wanted(entry.fileName)) {
        files.push({ path: entry.fileName, text: '', sizeBytes: entry.uncompressedSize, sha256: '' })
        return zip.readEntry()
      }
      zip.openReadStream(entry, async (error, stream) => {
        if (error) return reject(error)
        try {
          const parts: Buffer[] = []
          for await (const part of stream) parts.push(part as Buffer)
          const content = Buffer.concat(parts)
          if (crc32(content) !== entry.crc32) throw new Error(`The checksum of ${entry.fileName} is wrong`)
          const sha256 = createHash('sha256').update(content).digest('hex')
          files.push({ path: entry.fileName, text: content.toString(), sizeBytes: content.length, sha256 })
          zip.readEntry()
        } catch (cause) {
          reject(cause)
        }
      })
    })
    zip.readEntry()
  })
  return files
}

/** All bytes of a stream. */
export async function bytesOf(stream: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of stream ?? []) parts.push(part)
  return Buffer.concat(parts)
}
