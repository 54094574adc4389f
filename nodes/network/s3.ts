import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import { template } from '../../engine/fields.ts'
import { credentialOf } from '../credential.ts'
import type { Credentials } from '../services/credentials.ts'
import { Refusal } from '../services/listing.ts'
import type { Clock } from '../services/run.ts'
import { needed } from './provider.ts'

/** The settings that name an object of S3, and who asks for it. */
export const s3Fields = {
  credential: template({
    key: 'credentialNameTemplate',
    label: 'Credential',
    help: 'Name of a stored one, in place of the keys and the region. Empty: those below.',
  }),
  accessKey: template({
    key: 'accessKeyIdTemplate',
    label: 'Access key ID',
    help: 'Needed where no credential is named.',
  }),
  secret: template({
    key: 'secretAccessKeyTemplate',
    label: 'Secret access key',
    help: 'Needed where no credential is named; it is not put on the payload.',
  }),
  region: template({ key: 'regionTemplate', label: 'Region', help: 'Such as us-east-1.' }),
  bucket: template({
    key: 'bucketNameTemplate',
    label: 'Bucket',
    help: '3 to 63 small letters, digits, dots and dashes.',
    required: true,
  }),
  name: template({
    key: 'fileNameTemplate',
    label: 'File',
    help: 'Its key, such as reports/today.csv.',
    required: true,
  }),
  encoding: template({
    key: 'encodingTemplate',
    label: 'Encoding',
    help: 'What the content is written in: utf8, base64, hex, latin1 and others; utf8 when empty.',
    default: 'utf8',
  }),
}

interface S3Settings {
  credential: string
  accessKey: string
  secret: string
  region: string
  bucket: string
  name: string
}

/** An object of S3 and the right to it. */
export interface S3Object {
  url: string
  secret: string
  /** The headers of a request for it, signed. */
  sign(request: {
    method: string
    headers?: Record<string, string>
    body?: Uint8Array
  }): Promise<Record<string, string>>
  /** A URL at which everybody can read it for some time. */
  signedUrl(seconds: number): Promise<string>
}

/** The object that settings name. Throws Refusal for what S3 does not know as a bucket, a region or a key; FlowError without keys. */
export async function s3Object(
  settings: S3Settings,
  { clock, credentials }: { clock: Clock; credentials: Credentials },
): Promise<S3Object> {
  const stored = await credentialOf(credentials, { name: settings.credential, type: 'aws' })
  const accessKeyId = stored?.accessKeyId ?? needed('Access key ID', settings.accessKey)
  const secretAccessKey = stored?.secretAccessKey ?? needed('Secret access key', settings.secret)
  check('an access key ID of letters and digits', accessKeyId, /^[\x21-\x7e]+$/)
  const region = settings.region.trim() || stored?.region || 'us-east-1'
  const url = urlOf({ region, bucket: settings.bucket.trim(), name: settings.name.replace(/^\/+/, '') })
  const signer = (request: { url: string; method: string; headers?: Record<string, string>; signQuery?: boolean }) => {
    const datetime = new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, '')
    return new AwsV4Signer({ ...request, accessKeyId, secretAccessKey, region, service: 's3', datetime }).sign()
  }
  return {
    url,
    secret: secretAccessKey,
    async sign({ method, headers = {}, body = new Uint8Array() }) {
      for (const value of Object.values(headers)) check('a content type such as text/csv', value, /^[\t\x20-\x7e]*$/)
      const hash = createHash('sha256').update(body).digest('hex')
      const signed = await signer({ url, method, headers: { ...headers, 'x-amz-content-sha256': hash } })
      return Object.fromEntries(signed.headers)
    },
    async signedUrl(seconds) {
      const timed = `${url}?X-Amz-Expires=${seconds}`
      return (await signer({ url: timed, method: 'GET', signQuery: true })).url.href
    },
  }
}

/** The encoding that a setting names. Throws Refusal. */
export function encodingOf(text: string): BufferEncoding {
  const name = text.trim().toLowerCase()
  if (Buffer.isEncoding(name)) return name
  throw new Refusal('Validation', `Expected an encoding such as utf8 or base64, got "${text.slice(0, 50)}"`)
}

function urlOf({ region, bucket, name }: { region: string; bucket: string; name: string }): string {
  check('a region such as us-east-1', region, /^[a-z0-9-]{1,40}$/)
  check('the name of a bucket', bucket, /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
  // A URL has no such parts: it would name another object.
  const parts = name.split('/')
  if (
    name === '' ||
    name.length > 1024 ||
    !name.isWellFormed() ||
    parts.some((part) => part === '.' || part === '..')
  ) {
    throw unknown('the key of a file without parts "." and ".."', name)
  }
  const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
  const key = parts.map(encodeURIComponent).join('/')
  // A bucket with a dot cannot be a part of the host: no certificate covers it.
  return bucket.includes('.') ? `https://${host}/${bucket}/${key}` : `https://${bucket}.${host}/${key}`
}

function check(expected: string, text: string, pattern: RegExp): void {
  if (!pattern.test(text)) throw unknown(expected, text)
}

function unknown(expected: string, text: string): Refusal {
  return new Refusal('Validation', `Expected ${expected}, got "${text.slice(0, 100)}"`)
}
