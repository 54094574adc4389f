import { FlowError } from '../../engine/errors.ts'
import { choice, path } from '../../engine/fields.ts'
import type { ConnectionTls } from '../services/connections.ts'
import { Refusal } from '../services/listing.ts'

/** The settings that say what becomes of a failure. */
export const failureFields = {
  onError: choice({
    key: 'errorBehavior',
    label: 'When it fails',
    help: 'payloadPath: puts { type, message } at the path below, and the flow goes on.',
    of: ['throw', 'payloadPath'],
  }),
  errorPlace: path({
    key: 'errorPath',
    label: 'Error',
    help: 'With payloadPath: where { type, message } is put.',
    writes: true,
  }),
}

/** Handles a failure as the settings say; what is no refusal of the service still ends the run. Throws `service.failed`. */
export function failed(
  error: unknown,
  { onError, errorPlace }: { onError: 'throw' | 'payloadPath'; errorPlace: { write(value: unknown): void } },
): void {
  if (!(error instanceof Refusal)) throw error
  if (onError === 'throw') throw new FlowError('service.failed', error.message)
  errorPlace.write({ type: error.type, message: error.message })
}

/** TLS from a setting: an object, or its JSON, with `ca`, `cert`, `key` and `rejectUnauthorized`; or the PEM text of an authority. */
export function tlsFrom(given: unknown): ConnectionTls {
  const text = typeof given === 'string' ? given.trim() : undefined
  if (text === undefined || text.startsWith('{')) return fromObject(text === undefined ? given : parse(text))
  return { verify: true, ...(text === '' ? {} : { ca: text }) }
}

function fromObject(given: unknown): ConnectionTls {
  if (given === undefined || given === null) return { verify: true }
  if (typeof given !== 'object' || Array.isArray(given)) throw unusable()
  const { ca, cert, key, rejectUnauthorized } = given as Record<string, unknown>
  const texts = Object.entries({ ca, cert, key }).filter(([, text]) => text !== undefined && text !== null)
  if (texts.some(([, text]) => typeof text !== 'string')) throw unusable()
  return { verify: rejectUnauthorized !== false, ...(Object.fromEntries(texts) as Record<string, string>) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What it is, is told; what it says may be a private key.
    throw unusable()
  }
}

function unusable(): FlowError {
  return new FlowError(
    'config.type',
    'Expected TLS data to be a certificate in PEM form, or an object with ca, cert and key',
  )
}
