import busboy from 'busboy'
import type { ParsedQs } from 'qs'
import { HttpError } from '../errors.ts'
import { parseForm } from './form.ts'

/** A file in a multipart body. */
export interface FilePart {
  filename: string
  contentType: string
  /** Its content, base64 unless it was asked for otherwise. */
  data: string | number[]
}

/** How the parts of a multipart body are shown. */
export interface PartStyle {
  /** What the content of a file becomes: text in this encoding, or with `array` a list of its bytes. Default `base64`. */
  castBuffersAs?: 'array' | 'binary' | 'utf8' | 'base64' | 'hex'
  /** Fields become `{ contentType, data }` too. Default false: a field is its text. */
  annotateMultipart?: boolean
}

/**
 * Parses a multipart body that is in memory: fields are strings, files are FileParts, and keys mean what they mean in a
 * form. Throws HttpError `request.body`.
 */
export async function readMultipart(
  bytes: Buffer,
  contentType: string,
  options: PartStyle & { parts: number },
): Promise<unknown> {
  const parts = await split(bytes, contentType, options)
  // The keys are read as those of a form whose values are places in the list of parts: one rule for both kinds.
  const form = parseForm(parts.map(({ name }, index) => `${encodeKey(name)}=${index}`).join('&'))
  return withValues(form, parts)
}

interface Part {
  name: string
  value: string | FilePart | Omit<FilePart, 'filename'>
}

function split(
  bytes: Buffer,
  contentType: string,
  { parts: most, castBuffersAs = 'base64', annotateMultipart = false }: PartStyle & { parts: number },
): Promise<Part[]> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown) =>
      reject(
        cause instanceof HttpError
          ? cause
          : new HttpError('request.body', `Expected a multipart body: ${(cause as Error).message}`, { cause }),
      )
    const tooMany = () => refuse(new HttpError('request.body', `Expected a multipart body of at most ${most} parts`))
    const parts: Part[] = []
    try {
      const limits = { parts: most, fieldSize: bytes.length, fileSize: bytes.length, fieldNameSize: 1_000 }
      const reader = busboy({ headers: { 'content-type': contentType }, limits, defParamCharset: 'utf8' })
      reader.on('field', (name, value, info) => {
        if (info.nameTruncated) refuse(new Error('a field name is longer than 1000 characters'))
        else
          parts.push({
            name: name ?? '',
            value: annotateMultipart ? { contentType: info.mimeType, data: value } : value,
          })
      })
      reader.on('file', (name, stream, info) => {
        const part: Part = { name: name ?? '', value: '' }
        parts.push(part)
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('error', refuse)
        stream.on('end', () => {
          const content = Buffer.concat(chunks)
          const data = castBuffersAs === 'array' ? [...content] : content.toString(castBuffersAs)
          part.value = { filename: info.filename ?? '', contentType: info.mimeType, data }
        })
      })
      reader.on('partsLimit', tooMany)
      reader.on('error', refuse)
      reader.on('close', () => resolve(parts))
      reader.end(bytes)
    } catch (cause) {
      refuse(cause)
    }
  })
}

function withValues(form: ParsedQs, parts: readonly Part[]): unknown {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return parts[Number(value)]!.value
    if (Array.isArray(value)) return value.map(fill)
    return Object.fromEntries(Object.entries(value as ParsedQs).map(([key, child]) => [key, fill(child)]))
  }
  return fill(form)
}

// Brackets stay: they are what the form reader understands.
function encodeKey(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll('%5B', '[').replaceAll('%5D', ']')
}
