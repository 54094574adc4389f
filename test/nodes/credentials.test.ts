import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { FlowError } from '../../engine/errors.ts'
import { cryptoSign } from '../../nodes/logic/crypto-sign.ts'
import { cryptoVerify } from '../../nodes/logic/crypto-verify.ts'
import { jwtCreate } from '../../nodes/logic/jwt-create.ts'
import { jwtVerify } from '../../nodes/logic/jwt-verify.ts'
import { http } from '../../nodes/network/http.ts'
import { mongo } from '../../nodes/network/mongo.ts'
import { s3Get } from '../../nodes/network/s3-get.ts'
import { sql } from '../../nodes/network/sql.ts'
import { mailgun } from '../../nodes/output/mailgun.ts'
import { sendgrid } from '../../nodes/output/sendgrid.ts'
import { twilio } from '../../nodes/output/twilio.ts'
import type { CredentialSettings, Credentials } from '../../nodes/services/credentials.ts'
import type { HttpRequest } from '../../nodes/services/http.ts'
import { runNode } from '../helpers/run-node.ts'

/** One credential, named Mine. */
function one<T extends keyof CredentialSettings>(type: T, settings: CredentialSettings[T]): Credentials {
  return {
    async get(name, wanted) {
      if (name === 'Mine' && wanted === (type as string)) return settings as never
      throw new FlowError('credential.missing', `no ${name} of ${wanted}`)
    },
  }
}

const named = { credentialNameTemplate: ' {{name}} ' }
const payload = { name: 'Mine' }
const clock = { now: () => Date.UTC(2026, 0, 1) }

/** Notes what a node asks of the web. */
function web(status = 200, headers: Record<string, string> = {}) {
  const requests: HttpRequest[] = []
  const send = async (request: HttpRequest) => {
    requests.push(request)
    return { status, headers, body: Buffer.from('{}') }
  }
  return { requests, http: { send } }
}

describe('HTTP', () => {
  const stored = { uriMatch: 'https://api.example.com/v1', authMethod: 'header', secretValue: 'hush-hush' } as const
  async function ask(
    change: Partial<CredentialSettings['http']>,
    config: Record<string, unknown> = {},
    send?: () => Promise<never>,
  ) {
    const { requests, http: client } = web()
    const settings = { authType: 'credential', ...named, responsePath: 'out', errorPath: 'e', ...config }
    const use = { http: send ? { send } : client, clock, credentials: one('http', { ...stored, ...change }) }
    const run = await runNode(http, {
      config: { uriTemplate: 'https://api.example.com/v1/items', ...settings },
      payload,
      use,
    })
    return { run, request: requests[0], requests }
  }

  test('proves who asks in each of the ways, and keeps that off the payload', async () => {
    const header = await ask({ publicValue: 'X-Key' }, { headerInfo: [{ key: 'x-key', valueTemplate: 'mine' }] })
    expect(header.request?.headers).toEqual({ 'user-agent': 'headgate', 'X-Key': 'hush-hush' })
    expect((await ask({})).request?.headers).toMatchObject({ Authorization: 'hush-hush' })
    const basic = await ask({ authMethod: 'basicAuth', publicValue: 'ann' })
    expect(basic.request?.headers.Authorization).toBe(`Basic ${Buffer.from('ann:hush-hush').toString('base64')}`)
    const query = await ask({ authMethod: 'queryParam', publicValue: 'key' }, { uriTemplate: '/items?a=1' })
    expect(query.request?.url).toBe('https://api.example.com/v1/items?a=1&key=hush-hush')
    const client = await ask({ authMethod: 'clientCertificate', publicValue: 'cert' })
    expect(client.request?.clientCert).toEqual({ cert: 'cert', key: 'hush-hush' })
    for (const { run, request } of [header, basic, query, client]) {
      expect(request).toMatchObject({ followRedirects: false })
      expect(run.payload.out).toMatchObject({ statusCode: 200 })
      expect(JSON.stringify(run.payload)).not.toMatch(/hush|aHVzaC/)
    }
  })

  test.each([
    'https://api.example.com/v10',
    'https://api.example.com/',
    'https://api.example.com.evil.example/v1/x',
    'https://api.example.com@evil.example/v1/x',
    'https://x:y@api.example.com/v1/x',
    'http://api.example.com/v1/x',
    'https://api.example.com:8443/v1/x',
    'https://api.example.com/v1/../admin',
    '../admin',
    '/../../x',
  ])('is not sent to %s, which it is not for', async (uriTemplate) => {
    const { run, requests } = await ask({}, { uriTemplate })
    expect(run.error?.code).toBe('http.credential')
    expect(requests).toEqual([])
  })

  test('is not sent to where a body is fetched from', async () => {
    const body = { method: 'POST', bodyType: 'url', bodyTemplate: 'https://files.example.com/x' }
    const { requests } = await ask({ authMethod: 'clientCertificate', publicValue: 'cert' }, body)
    expect(requests.map(({ clientCert }) => clientCert?.key)).toEqual([undefined, 'hush-hush'])
  })

  test('is in no error', async () => {
    const fail = () => Promise.reject(new FlowError('http.failed', 'No answer from https://x/?key=hush-hush'))
    const caught = await ask({ authMethod: 'queryParam', publicValue: 'key' }, { errorBehavior: 'payloadPath' }, fail)
    expect(caught.run.payload.e).toMatchObject({ error: { message: 'No answer from https://x/?key=*****' } })
    const thrown = await ask({ authMethod: 'queryParam', publicValue: 'key' }, {}, fail)
    expect(thrown.run.error?.message).toBe('No answer from https://x/?key=*****')
  })
})

test('SQL asks the server of its credential, whatever else its settings say', async () => {
  const asked: unknown[] = []
  const use = {
    connections: { sql: async (request: object) => void asked.push(request) as never },
    credentials: one('sql', {
      ...{ system: 'mysql', host: 'db.example.com', username: 'u', password: 'p', port: 3307 },
      ...{ secureConnection: true, disableSSLVerification: true, caCertificate: 'CA' },
    }),
  }
  const config = {
    ...named,
    databaseTemplate: 'plant',
    query: 'SELECT 1',
    hostTemplate: 'elsewhere',
    resultPath: 'out',
  }
  await runNode(sql, { config, payload, use })
  expect(asked).toMatchObject([
    {
      ...{ system: 'mysql', host: 'db.example.com', port: 3307, user: 'u', password: 'p', database: 'plant' },
      tls: { verify: false, ca: 'CA' },
    },
  ])
})

test('MongoDB, S3 and mail and text providers take their keys from credentials', async () => {
  const uris: string[] = []
  const mongoUse = {
    connections: { mongo: async ({ uri }: { uri: string }) => void uris.push(uri) },
    credentials: one('mongodb', { connectionUri: 'mongodb://m' }),
  }
  await runNode(mongo, { config: { ...named, collectionNameTemplate: 'c', resultPath: 'out' }, payload, use: mongoUse })
  expect(uris).toEqual(['mongodb://m'])

  const { requests, http: client } = web()
  const use = (credentials: Credentials) => ({ http: client, clock, credentials })
  const aws = one('aws', { accessKeyId: 'AKIA-EXAMPLE-1234', secretAccessKey: 'secret', region: 'eu-west-1' })
  const file = { bucketNameTemplate: 'reports', fileNameTemplate: 'a.csv', destination: 'out' }
  await runNode(s3Get, { config: { ...named, ...file }, payload, use: use(aws) })
  expect(requests.at(-1)).toMatchObject({
    url: 'https://reports.s3.eu-west-1.amazonaws.com/a.csv',
    headers: { authorization: expect.stringContaining('Credential=AKIA-EXAMPLE-1234/') },
  })
  const mail = { fromTemplate: 'a@example.com', toAddresses: ['b@example.com'], resultPath: 'out' }
  await runNode(sendgrid, { config: { ...named, ...mail }, payload, use: use(one('sendgrid', { apiKey: 'SG.1' })) })
  expect(requests.at(-1)?.headers.authorization).toBe('Bearer SG.1')
  await runNode(mailgun, { config: { ...named, ...mail }, payload, use: use(one('mailgun', { apiKey: 'key-1' })) })
  expect(requests.at(-1)?.headers.authorization).toBe(`Basic ${Buffer.from('api:key-1').toString('base64')}`)
  const account = one('twilio', { accountSid: 'AC1', apiKeySid: 'SK1', apiKeySecret: 'secret' })
  const text = { toNumbers: ['+1'], fromNumber: '+2', bodyTemplate: 'x', resultsPath: 'out' }
  await runNode(twilio, { config: { ...named, ...text }, payload, use: use(account) })
  expect(requests.at(-1)).toMatchObject({
    url: expect.stringContaining('/Accounts/AC1/'),
    headers: { authorization: `Basic ${Buffer.from('SK1:secret').toString('base64')}` },
  })
})

test('tokens are signed and checked with the secret, algorithm and issuer of a credential', async () => {
  const credentials = one('jwt', { algorithm: 'HS384', issuer: 'us', secret: 's'.repeat(48) })
  const use = { clock, credentials }
  const config = { ...named, dataTemplate: '{"a": 1}', algorithmTemplate: 'HS256', destinationPath: 'token' }
  const made = await runNode(jwtCreate, { config, payload, use })
  const [head, body] = String(made.payload.token)
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString())
  expect(JSON.parse(head!)).toMatchObject({ alg: 'HS384' })
  expect(JSON.parse(body!)).toMatchObject({ a: 1, iss: 'us' })
  const check = { ...named, tokenTemplate: '{{token}}' }
  const token = { ...payload, token: made.payload.token }
  expect((await runNode(jwtVerify, { config: check, payload: token, use })).output).toBe('valid')
  const others = { clock, credentials: one('jwt', { algorithm: 'HS384', issuer: 'them', secret: 's'.repeat(48) }) }
  expect((await runNode(jwtVerify, { config: check, payload: token, use: others })).output).toBe('invalid')
})

test('data is signed and checked with the pair of a credential', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const pair = {
    certificate: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
  const use = { credentials: one('certificateKeyPair', pair) }
  const signed = await runNode(cryptoSign, { config: { ...named, dataTemplate: 'x', resultPath: 'out' }, payload, use })
  const check = { ...named, dataTemplate: 'x', signatureTemplate: '{{out.signature}}' }
  expect((await runNode(cryptoVerify, { config: check, payload: signed.payload, use })).output).toBe('valid')
})

test('one that is missing ends the run, also where nodes put failures on the payload', async () => {
  const use = { connections: {}, credentials: one('mongodb', { connectionUri: 'mongodb://m' }) }
  const config = { query: 'SELECT 1', errorBehavior: 'payloadPath', errorPath: 'e', ...named }
  expect((await runNode(sql, { config, payload, use })).error?.code).toBe('credential.missing')
  expect((await runNode(cryptoSign, { config: named, payload })).error?.code).toBe('credential.missing')
})
