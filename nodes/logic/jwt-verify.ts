import { errors, jwtVerify as verifyToken } from 'jose'
import { FlowError } from '../../engine/errors.ts'
import { path, template } from '../../engine/fields.ts'
import { credentialOf } from '../credential.ts'
import { defineNode } from '../define.ts'
import { verifyingKey } from './jwt-keys.ts'
import { KeyError } from './pem.ts'

export const jwtVerify = defineNode({
  type: 'jwt-verify',
  aliases: ['JWTVerifyNode'],
  group: 'logic',
  title: 'JWT: Verify',
  summary: 'Takes one of two ways by whether a JSON web token is signed with a key and has not ended.',
  outputs: ['invalid', 'valid'],
  needs: ['clock', 'credentials'],
  config: {
    token: template({
      key: 'tokenTemplate',
      label: 'Token',
      help: 'Nothing at all fails the run; a blank is an invalid token.',
      required: true,
    }),
    credential: template({
      key: 'credentialNameTemplate',
      label: 'Credential',
      help: 'No credentials are stored here: a name fails. Leave it empty and give the secret.',
    }),
    secret: template({ key: 'secretTemplate', label: 'Secret', help: 'Or a public key in PEM format.' }),
    issuer: template({ key: 'issuerTemplate', label: 'Issuer', help: 'Empty: any.' }),
    error: path({
      key: 'errorPath',
      label: 'Error',
      help: 'Where { type, message } is put when the token is invalid.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Not signed with this secret',
      config: { tokenTemplate: '{{data.token}}', secretTemplate: 'another secret', errorPath: 'working.error' },
      payload: { data: { token: 'eyJhbGciOiJIUzI1NiJ9.e30.XmNK3GpH3Ys_7wsYBfq4C3M6goz71I7dTgUkuIa5lyQ' } },
      output: 'invalid',
      result: {
        data: { token: 'eyJhbGciOiJIUzI1NiJ9.e30.XmNK3GpH3Ys_7wsYBfq4C3M6goz71I7dTgUkuIa5lyQ' },
        working: { error: { type: 'JsonWebTokenError', message: 'The signature does not fit the key' } },
      },
    },
  ],
  async run({ config, use }) {
    const stored = await credentialOf(use.credentials, { name: config.credential, type: 'jwt' })
    const secret = stored?.secret ?? config.secret
    if (secret === '') {
      throw new FlowError('config.empty', 'Expected "Secret" to render to some text, got nothing. Check its template.')
    }
    const problem = await problemOf(
      { ...config, secret, issuer: config.issuer || (stored?.issuer ?? '') },
      new Date(use.clock.now()),
    )
    if (problem === undefined) return 'valid'
    config.error.write(problem)
    return 'invalid'
  },
})

const MOST_TOKEN_CHARS = 65_536

interface Checked {
  token: string
  secret: string
  issuer: string
}

/** What is wrong with a token, in the published names; undefined for one that is good. */
async function problemOf({ token, secret, issuer }: Checked, currentDate: Date) {
  if (token.length > MOST_TOKEN_CHARS) return described(new errors.JWTInvalid('too long'))
  try {
    const { key, algorithms } = verifyingKey(secret)
    await verifyToken(token.trim(), key, { algorithms, currentDate, ...(issuer === '' ? {} : { issuer }) })
    return undefined
  } catch (error) {
    if (error instanceof KeyError) return { type: 'JsonWebTokenError', message: error.message }
    if (error instanceof errors.JOSEError || error instanceof TypeError) return described(error)
    throw error
  }
}

function described(error: Error): { type: string; message: string } {
  if (error instanceof errors.JWTExpired) return { type: 'TokenExpiredError', message: 'The token has expired' }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf') return { type: 'NotBeforeError', message: 'The token is not active yet' }
    return { type: 'JsonWebTokenError', message: `The claim "${error.claim}" is not as expected` }
  }
  const message =
    error instanceof errors.JWSSignatureVerificationFailed
      ? 'The signature does not fit the key'
      : error instanceof errors.JOSEAlgNotAllowed || error instanceof TypeError
        ? 'The algorithm of the token does not fit the key'
        : 'Expected a signed JSON web token'
  return { type: 'JsonWebTokenError', message }
}
