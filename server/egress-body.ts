import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib'
import { FlowError } from '../engine/errors.ts'

type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>

const unpackers: Record<string, Unpack> = {
  gzip: promisify(gunzip) as Unpack,
  'x-gzip': promisify(gunzip) as Unpack,
  // Some servers leave out the header of zlib.
  deflate: (bytes, options) =>
    ((bytes[0]! & 0x0f) === 8 ? (promisify(inflate) as Unpack) : (promisify(inflateRaw) as Unpack))(bytes, options),
  br: promisify(brotliDecompress) as Unpack,
  zstd: promisify(zstdDecompress) as Unpack,
}

/** The bytes of an answer, unpacked. Throws `http.too-large` above `mostBytes`, packed or unpacked, and `http.failed`. */
export async function readBody(
  stream: AsyncIterable<Uint8Array>,
  { encoding, mostBytes }: { encoding: string | string[] | undefined; mostBytes: number },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > mostBytes) throw tooLarge(mostBytes)
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  const name = String(encoding ?? 'identity')
    .trim()
    .toLowerCase()
  if (bytes.length === 0 || name === 'identity' || name === '') return bytes
  // Packed in a way that is not known here, or several times: the flow gets what came.
  if (!Object.hasOwn(unpackers, name)) return bytes
  try {
    return await unpackers[name]!(bytes, { maxOutputLength: mostBytes })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(mostBytes)
    throw new FlowError('http.failed', `The answer says that it is packed as ${name}, but cannot be unpacked`, {
      cause: error,
    })
  }
}

function tooLarge(mostBytes: number): FlowError {
  return new FlowError('http.too-large', `Expected an answer of at most ${mostBytes} bytes, got a larger one`)
}
