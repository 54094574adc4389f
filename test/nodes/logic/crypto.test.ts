import { createPublicKey, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { cryptoSign } from '../../../nodes/logic/crypto-sign.ts'
import { cryptoVerify } from '../../../nodes/logic/crypto-verify.ts'
import { hash } from '../../../nodes/logic/hash.ts'
import { runNode } from '../../helpers/run-node.ts'

const hashed = (config: object, payload = {}) =>
  runNode(hash, { config: { dataTemplate: 'abc', destinationPath: 'r', ...config }, payload })

describe('hash', () => {
  test.each<[object, string]>([
    [{}, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [{ algorithmTemplate: 'MD5' }, '900150983cd24fb0d6963f7d28e17f72'],
    [{ algorithmTemplate: ' sha-1 ' }, 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    [
      { algorithmTemplate: 'SHA512' },
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    [{ algorithmTemplate: '{{none}}' }, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [{ algorithmTemplate: 'MD5', encodingTemplate: '{{none}}' }, '900150983cd24fb0d6963f7d28e17f72'],
    [{ algorithmTemplate: 'RIPEMD' }, '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc'],
    [
      { algorithmTemplate: 'Whirlpool' },
      `4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c7181eebdb6c57e277d0e34957114cbd6c797fc9d95d8b582d225292076d4eef5`,
    ],
    [{ algorithmTemplate: 'MD5', encodingTemplate: 'base64' }, 'kAFQmDzST7DWlj99KOF/cg=='],
    [
      { algorithmTemplate: 'MD5', encodingTemplate: 'latin1' },
      Buffer.from('900150983cd24fb0d6963f7d28e17f72', 'hex').toString('latin1'),
    ],
    [
      { dataTemplate: '616263', dataEncodingTemplate: 'hex', algorithmTemplate: 'MD5' },
      '900150983cd24fb0d6963f7d28e17f72',
    ],
    [{ dataTemplate: '{{none}}', algorithmTemplate: 'MD5' }, 'd41d8cd98f00b204e9800998ecf8427e'],
    // RFC 4231, test case 2.
    [
      { dataTemplate: 'what do ya want for nothing?', secretTemplate: 'Jefe' },
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      { dataTemplate: 'what do ya want for nothing?', secretTemplate: '4a656665', secretEncodingTemplate: 'hex' },
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [{ dataTemplate: '{{one}}', algorithmTemplate: 'MD5' }, '900150983cd24fb0d6963f7d28e17f72'],
  ])('%j gives %s', async (config, expected) => {
    const run = await hashed(config, { one: 'abc' })
    expect(run).toMatchObject({ output: 'next', error: undefined, problems: [] })
    expect(run.payload.r).toBe(expected)
  })

  test('an HMAC with Whirlpool depends on the secret', async () => {
    const of = async (secretTemplate: string) =>
      (await hashed({ algorithmTemplate: 'WHIRLPOOL', secretTemplate })).payload.r
    expect(await of('a')).toMatch(/^[0-9a-f]{128}$/)
    expect(await of('a')).toBe(await of('a'))
    expect(await of('a')).not.toBe(await of('b'))
  })

  test('a secret that renders to nothing is no reason to go without one', async () => {
    expect((await hashed({ secretTemplate: '{{globals.key}}' })).error).toMatchObject({ code: 'config.empty' })
    expect((await hashed({ secretTemplate: ' ' })).error).toBeUndefined()
  })

  test.each<[object, object]>([
    [{ algorithmTemplate: 'SHA9' }, {}],
    [{ encodingTemplate: 'rot13' }, {}],
    [{ secretTemplate: 'my secret', secretEncodingTemplate: 'rot13' }, {}],
    [{ dataTemplate: '{{large}}' }, { large: 'x'.repeat((5 << 20) + 1) }],
  ])('%j fails, and tells nothing of a secret', async (config, payload) => {
    const { error } = await hashed(config, payload)
    expect(error).toMatchObject({ code: 'crypto.argument' })
    expect(error!.message).not.toContain('my secret')
  })
})

const pem = ({ publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }) => ({
  publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
})
const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }))
const ec = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const ed = pem(generateKeyPairSync('ed25519'))

const signed = (config: object, payload: Record<string, unknown>) =>
  runNode(cryptoSign, {
    config: { dataTemplate: 'hello', keyTemplate: '{{key}}', resultPath: 'r', ...config },
    payload,
  })
const verified = (config: object, payload: Record<string, unknown>) =>
  runNode(cryptoVerify, {
    config: {
      dataTemplate: 'hello',
      keyTemplate: '{{key}}',
      signatureTemplate: '{{{signature}}}',
      resultPath: 'r',
      ...config,
    },
    payload,
  })

describe('sign and verify', () => {
  test.each<[string, { publicPem: string; privatePem: string }, object]>([
    ['RSA', rsa, {}],
    ['RSA with a digest of its own', rsa, { algorithmTemplate: 'rsa-sha512', signatureEncodingTemplate: 'hex' }],
    ['RSA with other padding', rsa, { paddingTemplate: 'RSA_PKCS1_PSS_PADDING' }],
    ['EC', ec, {}],
    ['EC as two numbers', ec, { dsaEncodingTemplate: 'ieee-p1363' }],
    ['Ed25519', ed, { algorithmTemplate: '' }],
    ['data in base64', ec, { dataTemplate: 'aGVsbG8=', dataEncodingTemplate: 'base64' }],
    ['a key on the payload', ec, { keyTemplateType: 'payloadPath', keyTemplate: 'key' }],
  ])('%s: what one signs the other takes, and nothing else', async (_, { publicPem, privatePem }, config) => {
    const made = await signed(config, { key: privatePem })
    expect(made).toMatchObject({
      output: 'next',
      error: undefined,
      problems: [],
      payload: { r: { signature: expect.any(String) } },
    })
    const { signature } = made.payload.r as { signature: string }
    const taken = await verified(config, { key: publicPem, signature })
    expect(taken).toMatchObject({ output: 'valid', error: undefined })
    expect(taken.payload).not.toHaveProperty('r')
    const other = await verified({ ...config, dataTemplate: 'hellp' }, { key: publicPem, signature })
    expect(other).toMatchObject({ output: 'invalid' })
    expect(other.payload).not.toHaveProperty('r')
    for (const wrong of ['', 'AAAA', signature.slice(4)]) {
      expect(await verified(config, { key: publicPem, signature: wrong })).toMatchObject({ output: 'invalid' })
    }
  })

  test('the signature is one that others understand', async () => {
    const { payload } = await signed({}, { key: rsa.privatePem })
    const { signature } = payload.r as { signature: string }
    const verify = createVerify('SHA256').update('hello')
    expect(verify.verify(createPublicKey(rsa.publicPem), signature, 'base64')).toBe(true)
  })

  test.each<[object, string, string]>([
    [{}, 'nonsense', 'in PEM format'],
    [{}, '', 'in PEM format'],
    [{}, `-----BEGIN PRIVATE KEY-----${'A'.repeat(9_000)}`, 'at most 8192 characters'],
    [{ algorithmTemplate: 'SHA9' }, rsa.privatePem, 'Expected a digest'],
    [{ keyTemplateType: 'payloadPath', keyTemplate: 'none' }, '', 'in PEM format'],
    [{ keyTemplateType: 'payloadPath', keyTemplate: 'odd' }, '', 'in PEM format'],
  ])('%j with a key that will not do is an error at the result path, without the key', async (config, key, message) => {
    const odd = { toString: 1 }
    for (const run of [await signed(config, { key, odd }), await verified(config, { key, odd, signature: 'AAAA' })]) {
      expect(['next', 'invalid']).toContain(run.output)
      expect(run.payload.r).toEqual({ error: { message: expect.stringContaining(message) } })
      expect(JSON.stringify(run.payload.r)).not.toMatch(/nonsense|BEGIN|AAA/)
    }
  })

  test('a key for signing is no public key, and one for RSA padding is long enough for its digest', async () => {
    expect((await signed({}, { key: rsa.publicPem })).payload.r).toMatchObject({ error: {} })
    const small = pem(generateKeyPairSync('rsa', { modulusLength: 512 }))
    const long = await signed(
      { algorithmTemplate: 'SHA512', paddingTemplate: 'RSA_PKCS1_PSS_PADDING' },
      { key: small.privatePem },
    )
    expect(long.payload.r).toEqual({ error: { message: 'Expected a key, digest and padding to sign with' } })
  })

  test.each<[object, string]>([
    [{ credentialNameTemplate: 'mine' }, 'credential.missing'],
    [{ paddingTemplate: 'NONE' }, 'config.type'],
    [{ dsaEncodingTemplate: 'asn' }, 'config.type'],
    [{ dataEncodingTemplate: 'rot13' }, 'crypto.argument'],
  ])('%j fails with %s', async (config, code) => {
    expect((await signed(config, { key: ec.privatePem })).error).toMatchObject({ code })
    expect((await verified(config, { key: ec.publicPem, signature: 'AAAA' })).error).toMatchObject({ code })
  })
})
