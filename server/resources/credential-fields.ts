import type { CredentialSettings, CredentialType } from '../../nodes/services/credentials.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { refused } from './check.ts'

interface Field {
  secret?: true
  optional?: true
  kind?: 'integer' | 'boolean'
  of?: readonly string[]
  /** Of a text; default 1. */
  least?: number
  /** Of a text, or the number. */
  most: number
}

const secret = (most: number, least = 1): Field => ({ secret: true, least, most })
const text = (most: number, least = 1): Field => ({ least, most })
const optional = (most: number): Field => ({ optional: true, most })
const flag: Field = { optional: true, kind: 'boolean', most: 0 }

/** The settings of each type, as they are published. Those marked secret are never shown. */
const fieldsOf: { [T in CredentialType]: Record<keyof CredentialSettings[T], Field> } = {
  aws: { accessKeyId: text(128, 16), secretAccessKey: secret(128, 4), region: text(128) },
  certificateKeyPair: { certificate: text(8_192), privateKey: secret(8_196) },
  http: {
    uriMatch: text(1_024, 8),
    authMethod: { ...text(20), of: ['header', 'queryParam', 'basicAuth', 'clientCertificate'] },
    publicValue: optional(8_196),
    secretValue: secret(8_196),
  },
  jwt: {
    issuer: optional(1_024),
    algorithm: {
      ...text(5),
      of: ['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
    },
    secret: secret(4_096),
  },
  mailgun: { apiKey: secret(128, 4) },
  mongodb: { connectionUri: secret(2_048) },
  sendgrid: { apiKey: secret(128, 4) },
  sql: {
    system: { ...text(5), of: ['mssql', 'mysql', 'pg'] },
    ...{ host: text(256), username: text(256), password: secret(256) },
    port: { kind: 'integer', optional: true, most: 65_535 },
    ...{ secureConnection: flag, disableSSLVerification: flag, caCertificate: optional(8_196) },
  },
  twilio: { accountSid: text(128, 4), apiKeySid: text(128, 4), apiKeySecret: secret(128, 4) },
}

export const credentialTypes = Object.keys(fieldsOf).sort() as CredentialType[]

/** The type that a word names. Throws Refusal. */
export function credentialType(word: string): CredentialType {
  const found = credentialTypes.find((type) => type === word)
  if (found !== undefined) return found
  throw refused('type', `one of ${credentialTypes.join(', ')}`, word)
}

/** The one setting of a type that has no other: its value needs no name. */
export function soleField(type: CredentialType): string | undefined {
  const names = Object.keys(fieldsOf[type])
  return names.length === 1 ? names[0] : undefined
}

/** Settings, checked. Throws Refusal, which tells no value. */
export function checkSettings<T extends CredentialType>(type: T, given: unknown): CredentialSettings[T] {
  const fields = fieldsOf[type] as Record<string, Field>
  const expected = Object.entries(fields).map(([name, field]) => (field.optional ? `${name}?` : name))
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new Refusal('Validation', `Expected the settings of "${type}" to be an object of ${expected.join(', ')}`)
  }
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name))
  if (unknown !== undefined) {
    throw new Refusal('Validation', `Expected only ${expected.join(', ')}, got "${unknown.slice(0, 80)}" as well`)
  }
  for (const [name, field] of Object.entries(fields)) {
    const value = (given as Record<string, unknown>)[name]
    if (value === undefined ? !field.optional : !fits(value, field)) {
      throw new Refusal('Validation', `Expected "${name}" to be ${described(field)}, got ${kindOf(value)}`)
    }
  }
  return given as CredentialSettings[T]
}

/** What of the settings may be shown. */
export function shownSettings(type: CredentialType, settings: object): Record<string, unknown> {
  const fields = fieldsOf[type] as Record<string, Field>
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !fields[name]?.secret))
}

function fits(value: unknown, { kind, of, least = 1, most }: Field): boolean {
  if (kind === 'boolean') return typeof value === 'boolean'
  if (kind === 'integer') return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most
  return typeof value === 'string' && value.length >= least && value.length <= most && (of?.includes(value) ?? true)
}

function described({ kind, of, least = 1, most }: Field): string {
  if (kind === 'boolean') return 'true or false'
  if (kind === 'integer') return `a whole number from 1 to ${most}`
  return of ? `one of ${of.join(', ')}` : `text of ${least} to ${most} characters`
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  return typeof value === 'string' ? `text of ${value.length} characters` : `another ${typeof value}`
}
