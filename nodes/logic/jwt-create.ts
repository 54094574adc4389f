import { errors, type JWTPayload, SignJWT } from 'jose'
import { FlowError } from '../../engine/errors.ts'
import { byType, json, path, read, template, text } from '../../engine/fields.ts'
import { credentialOf } from '../credential.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { Refusal } from '../services/listing.ts'
import { keyAlgorithms, secretAlgorithms, signingKey } from './jwt-keys.ts'
import { KeyError } from './pem.ts'

const DAY_SECONDS = 86_400
const MOST_SECONDS = 1e11

export const jwtCreate = defineNode({
  type: 'jwt-create',
  aliases: ['JWTCreateNode'],
  group: 'logic',
  title: 'JWT: Create',
  summary: 'Signs claims as a JSON web token.',
  outputs: ['next'],
  needs: ['clock', 'credentials'],
  config: {
    claims: byType({
      key: 'dataTemplate',
      label: 'Claims',
      help: 'An object: as JSON, or the path of one.',
      typeKey: 'dataTemplateType',
      required: true,
      default: 'json',
      kinds: { json: json({ required: true }), path: read({ required: true }) },
    }),
    credential: template({
      key: 'credentialNameTemplate',
      label: 'Credential',
      help: 'No credentials are stored here: a name fails. Leave it empty and give the secret.',
    }),
    secret: template({ key: 'secretTemplate', label: 'Secret', help: 'Or a private key in PEM format.' }),
    algorithm: template({
      key: 'algorithmTemplate',
      label: 'Algorithm',
      help: 'HS256, HS384 or HS512 with a secret; RS, PS or ES with 256, 384 or 512, or EdDSA with a key.',
      default: 'HS256',
    }),
    issuer: template({ key: 'issuerTemplate', label: 'Issuer', help: 'The claim iss. Empty: none.' }),
    seconds: text({
      key: 'expiresIn',
      label: 'Expires in seconds',
      help: 'Empty: never.',
      default: String(DAY_SECONDS),
      check(written) {
        if (Math.abs(Number(written)) <= MOST_SECONDS) return undefined
        return `Expected a number of seconds up to ${MOST_SECONDS}, got "${written.slice(0, 50)}"`
      },
    }),
    header: byType({
      key: 'headerTemplate',
      label: 'More header fields',
      help: 'An object: as JSON, or the path of one. The algorithm stays its own.',
      typeKey: 'headerTemplateType',
      default: 'json',
      kinds: { json: json(), path: read() },
    }),
    destination: path({
      key: 'destinationPath',
      label: 'Token',
      help: 'Where the token is put; { error: { type, message } } when it cannot be made.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A token for an hour',
      config: {
        dataTemplate: '{"sub": {{jsonEncode data.userId}} }',
        secretTemplate: '{{globals.jwt-secret}}',
        expiresIn: 3600,
        destinationPath: 'working.token',
      },
      payload: { data: { userId: '6521f7b20c1d4e8a9b3c5d70' }, globals: { 'jwt-secret': 'a secret of this flow' } },
      output: 'next',
    },
    {
      title: 'No key for the algorithm',
      config: {
        dataTemplate: '{}',
        secretTemplate: 'no key',
        algorithmTemplate: 'RS256',
        destinationPath: 'token',
      },
      payload: {},
      output: 'next',
      result: {
        token: { error: { type: 'Validation', message: 'Expected a private key in PEM format, without a password' } },
      },
    },
  ],
  async run({ config, use }) {
    const stored = await credentialOf(use.credentials, { name: config.credential, type: 'jwt' })
    const secret = stored?.secret ?? config.secret
    if (secret === '') {
      throw new FlowError('config.empty', 'Expected "Secret" to render to some text, got nothing. Check its template.')
    }
    const { algorithm } = stored ?? config
    const issuer = config.issuer || (stored?.issuer ?? '')
    const signing = { ...config, secret, algorithm, issuer }
    const token = orError(() => sign(signing, Math.floor(use.clock.now() / 1000)))
    config.destination.write(await token)
  },
})

interface Signing {
  claims: unknown
  secret: string
  algorithm: string
  issuer: string
  seconds: string
  header: unknown
}

async function sign({ claims, secret, issuer, seconds, header, ...wanted }: Signing, now: number): Promise<string> {
  const algorithm = wanted.algorithm.trim()
  const known = [...secretAlgorithms, ...keyAlgorithms]
  if (!known.some((one) => one === algorithm)) {
    throw new Refusal('Validation', `Expected an algorithm of ${known.join(', ')}, got "${algorithm.slice(0, 50)}"`)
  }
  const body: JWTPayload = { iat: now, ...toObject(claims, 'claims') }
  if (issuer !== '') body.iss = issuer
  // A time that the claims name themselves stands.
  const from = typeof body.iat === 'number' ? body.iat : now
  if (seconds.trim() !== '' && body.exp === undefined) body.exp = from + Number(seconds)
  const more = header === undefined || header === '' ? {} : toObject(header, 'header')
  try {
    const token = new SignJWT(body).setProtectedHeader({ typ: 'JWT', ...more, alg: algorithm })
    return await token.sign(signingKey(secret, algorithm))
  } catch (error) {
    if (error instanceof KeyError) throw new Refusal('Validation', error.message)
    // A key of another kind, or too short for its algorithm; or header fields that mean something else.
    if (error instanceof TypeError || error instanceof errors.JOSEError) {
      throw new Refusal('Validation', `Expected a key and header fields that fit ${algorithm}`, { cause: error })
    }
    throw error
  }
}

function toObject(value: unknown, what: string): Record<string, unknown> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)) {
    return value as Record<string, unknown>
  }
  const got = Array.isArray(value) ? 'a list' : value === undefined ? 'nothing' : typeof value
  throw new Refusal('Validation', `Expected the ${what} to be an object, got ${got}`)
}
