import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { jwtCreate } from '../../../nodes/logic/jwt-create.ts'
import { jwtDecode } from '../../../nodes/logic/jwt-decode.ts'
import { jwtVerify } from '../../../nodes/logic/jwt-verify.ts'
import { runNode } from '../../helpers/run-node.ts'

const NOW = Date.UTC(2026, 0, 2)
const seconds = NOW / 1000
const clockAt = (now: number) => ({ clock: { now: () => now } })

const create = (config: object, payload = {}) =>
  runNode(jwtCreate, {
    config: { dataTemplate: '{"sub":"ada"}', secretTemplate: 's'.repeat(32), destinationPath: 'r', ...config },
    payload,
    use: clockAt(NOW),
  })
const verify = (config: object, payload = {}, now = NOW) =>
  runNode(jwtVerify, {
    config: { secretTemplate: 's'.repeat(32), errorPath: 'e', ...config },
    payload,
    use: clockAt(now),
  })
const decode = (tokenTemplate: unknown, more = {}) =>
  runNode(jwtDecode, { config: { tokenTemplate, destinationPath: 'r', ...more } })

async function tokenOf(config: object, payload = {}): Promise<string> {
  const run = await create(config, payload)
  expect(run).toMatchObject({ output: 'next', error: undefined, problems: [] })
  expect(run.payload.r).toEqual(expect.any(String))
  return run.payload.r as string
}

const pem = ({ publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }) => ({
  publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
})
const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }))
const weak = pem(generateKeyPairSync('rsa', { modulusLength: 1024 }))
const ec = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const ed = pem(generateKeyPairSync('ed25519'))

describe('create', () => {
  test.each<[object, object]>([
    [{}, { sub: 'ada', iat: seconds, exp: seconds + 86_400 }],
    [{ expiresIn: 60 }, { sub: 'ada', iat: seconds, exp: seconds + 60 }],
    [{ expiresIn: '60' }, { sub: 'ada', iat: seconds, exp: seconds + 60 }],
    [{ expiresIn: '' }, { sub: 'ada', iat: seconds }],
    [{ issuerTemplate: '{{who}}' }, { sub: 'ada', iat: seconds, exp: seconds + 86_400, iss: 'here' }],
    [{ dataTemplate: '{"exp": 5, "iat": 4}' }, { exp: 5, iat: 4 }],
    [
      { dataTemplate: '{"iat": 4}', expiresIn: 6 },
      { exp: 10, iat: 4 },
    ],
    [
      { dataTemplate: '{{claims}}', expiresIn: '' },
      { iat: seconds, a: [1] },
    ],
    [
      { dataTemplate: 'claims', dataTemplateType: 'path', expiresIn: '' },
      { iat: seconds, a: [1] },
    ],
  ])('%j gives the claims %j', async (config, claims) => {
    const token = await tokenOf(config, { who: 'here', claims: { a: [1] } })
    expect((await decode(token)).payload.r).toEqual(claims)
  })

  test('takes more header fields, from JSON or from the payload, but the algorithm is its own', async () => {
    const header = { kid: 'k1', alg: 'none' }
    for (const config of [
      { headerTemplate: '{"kid":"k1","alg":"none"}' },
      { headerTemplate: 'h', headerTemplateType: 'path' },
    ]) {
      const token = await tokenOf(config, { h: header })
      expect((await decode(token, { complete: true })).payload.r).toMatchObject({
        header: { typ: 'JWT', alg: 'HS256', kid: 'k1' },
        payload: { sub: 'ada' },
        signature: token.split('.')[2],
      })
    }
  })

  test.each<[object, string]>([
    [{ algorithmTemplate: 'none' }, 'Expected an algorithm of HS256'],
    [{ algorithmTemplate: 'RS256' }, 'Expected a private key in PEM format'],
    [{ algorithmTemplate: 'RS256', secretTemplate: '{{ec}}' }, 'fits RS256'],
    [{ algorithmTemplate: 'ES384', secretTemplate: '{{ec}}' }, 'fits ES384'],
    [{ algorithmTemplate: 'RS256', secretTemplate: '{{rsaPublic}}' }, 'Expected a private key'],
    [{ algorithmTemplate: 'RS256', secretTemplate: '{{large}}' }, 'at most 8192 characters'],
    [{ algorithmTemplate: 'RS256', secretTemplate: '{{weak}}' }, 'fit RS256'],
    [{ dataTemplate: '[1]' }, 'Expected the claims to be an object, got a list'],
    [{ dataTemplate: 'none', dataTemplateType: 'path' }, 'Expected the claims to be an object, got nothing'],
    [{ headerTemplate: '5' }, 'Expected the header to be an object, got number'],
    [{ headerTemplate: '{"crit":["x"]}' }, 'fit HS256'],
  ])('%j is refused at the result path, without any of the key', async (config, message) => {
    const large = `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(9_000)}`
    const run = await create(config, { ec: ec.privatePem, weak: weak.privatePem, rsaPublic: rsa.publicPem, large })
    expect(run).toMatchObject({ output: 'next', error: undefined })
    expect(run.payload.r).toEqual({ error: { type: 'Validation', message: expect.stringContaining(message) } })
    expect(JSON.stringify(run.payload.r)).not.toMatch(/BEGIN|sss/)
  })

  test.each<[object, string]>([
    [{ credentialNameTemplate: 'my-jwt' }, 'credential.missing'],
    [{ secretTemplate: '{{none}}' }, 'config.empty'],
    [{ dataTemplate: '{"a": {{none}} }' }, 'template.not-json'],
    [{ expiresIn: 'soon' }, 'config.type'],
  ])('%j fails with %s', async (config, code) => {
    expect((await create(config)).error).toMatchObject({ code })
  })
})

describe('verify', () => {
  test.each([
    ['HS256', 's'.repeat(32), 's'.repeat(32)],
    ['HS512', 'short', 'short'],
    ['RS256', rsa.privatePem, rsa.publicPem],
    ['RS256', rsa.privatePem, rsa.privatePem],
    ['PS384', rsa.privatePem, rsa.publicPem],
    ['ES256', ec.privatePem, ec.publicPem],
    ['EdDSA', ed.privatePem, ed.publicPem],
  ])('a token made with %s is valid, and with another key it is not', async (algorithmTemplate, own, theirs) => {
    const token = await tokenOf({ algorithmTemplate, secretTemplate: '{{own}}' }, { own })
    expect(await verify({ tokenTemplate: token, secretTemplate: '{{theirs}}' }, { theirs })).toMatchObject({
      output: 'valid',
      payload: { theirs },
    })
    for (const other of ['another secret', rsa.publicPem, ec.publicPem, ed.publicPem, 'x -----BEGIN nonsense']) {
      if (other === theirs || (theirs === rsa.privatePem && other === rsa.publicPem)) continue
      const run = await verify({ tokenTemplate: token, secretTemplate: '{{other}}' }, { other })
      expect(run).toMatchObject({ output: 'invalid', payload: { e: { type: 'JsonWebTokenError' } } })
      expect(JSON.stringify(run.payload.e)).not.toContain(other)
    }
  })

  test('a public key never counts as the secret of a token', async () => {
    const head = Buffer.from('{"alg":"HS256"}').toString('base64url')
    const body = Buffer.from('{"sub":"mallory"}').toString('base64url')
    const signature = createHmac('sha256', rsa.publicPem).update(`${head}.${body}`).digest('base64url')
    const forged = { tokenTemplate: `${head}.${body}.${signature}`, secretTemplate: '{{key}}' }
    expect(await verify(forged, { key: rsa.publicPem })).toMatchObject({
      output: 'invalid',
      payload: { e: { message: 'The algorithm of the token does not fit the key' } },
    })
  })

  test('a token ends, begins, and is of an issuer', async () => {
    const token = await tokenOf({ expiresIn: 60, issuerTemplate: 'here' })
    expect(await verify({ tokenTemplate: token, issuerTemplate: 'here' }, {}, NOW + 59_000)).toMatchObject({
      output: 'valid',
    })
    expect((await verify({ tokenTemplate: token }, {}, NOW + 60_000)).payload.e).toEqual({
      type: 'TokenExpiredError',
      message: 'The token has expired',
    })
    expect((await verify({ tokenTemplate: token, issuerTemplate: 'there' })).payload.e).toEqual({
      type: 'JsonWebTokenError',
      message: 'The claim "iss" is not as expected',
    })
    const later = await tokenOf({ dataTemplate: `{"nbf": ${seconds + 10}}` })
    expect((await verify({ tokenTemplate: later })).payload.e).toMatchObject({ type: 'NotBeforeError' })
    expect((await verify({ tokenTemplate: later }, {}, NOW + 10_000)).output).toBe('valid')
  })

  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`
  test.each([' ', 'x', 'a.b.c', unsigned, 'e30.e30.e30', `${'x'.repeat(70_000)}.e30.x`])(
    '"%.30s" is invalid',
    async (token) => {
      expect(await verify({ tokenTemplate: '{{token}}' }, { token })).toMatchObject({
        output: 'invalid',
        error: undefined,
        payload: { e: { type: 'JsonWebTokenError' } },
      })
    },
  )

  test('asks for a token, a secret, and no credential', async () => {
    expect((await verify({ tokenTemplate: '{{none}}' })).error).toMatchObject({ code: 'config.empty' })
    expect((await verify({ tokenTemplate: 'x', secretTemplate: '' })).error).toMatchObject({ code: 'config.empty' })
    const named = await verify({ tokenTemplate: 'x', credentialNameTemplate: 'my-jwt' })
    expect(named.error).toMatchObject({ code: 'credential.missing' })
  })
})

describe('decode', () => {
  const part = (text: string) => Buffer.from(text).toString('base64url')
  test.each([
    'x',
    'a.b',
    'e30.e30',
    'e30.e30.s.t',
    'e30.{}.s',
    `e30.${part('[1]')}.s`,
    `e30.${part('{"a":')}.s`,
    `e30.${part(`{"a":${'['.repeat(600)}${']'.repeat(600)}}`)}.s`,
  ])('"%.40s" gives null, complete or not', async (token) => {
    expect((await decode(token)).payload).toEqual({ r: null })
    expect((await decode(token, { complete: true })).payload).toEqual({ r: null })
  })

  test('asks for a token', async () => {
    expect((await decode('{{none}}')).error).toMatchObject({ code: 'config.empty' })
  })
})
