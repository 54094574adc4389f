import { createHash, createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { s3Get } from '../../../nodes/network/s3-get.ts'
import { s3Put } from '../../../nodes/network/s3-put.ts'
import { openProvider, type ProviderAnswer, type ProviderStandIn, type Seen } from '../../helpers/provider.ts'
import { runNode } from '../../helpers/run-node.ts'

const accessKey = 'AKIDEXAMPLE'
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const now = Date.UTC(2024, 0, 2, 3, 4, 5)

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

/** What S3 computes from a request that it gets, by the published description of Signature Version 4. */
function signatureOf(
  { method, url, headers }: Seen,
  { region, signed, stamp, payload }: { region: string; signed: string[]; stamp: string; payload: string },
): string {
  const { pathname, searchParams } = new URL(url, 'http://x')
  const query = [...searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
  const path = pathname.split('/').map((part) => encode(decodeURIComponent(part)))
  const lines = signed.map((name) => `${name}:${String(headers[name]).trim()}\n`)
  const canonical = [method, path.join('/'), query.join('&'), lines.join(''), signed.join(';'), payload].join('\n')
  const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`
  const key = scope.split('/').reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${secret}`)
  return hmac(key, ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n')).toString('hex')
}

/** Answers as S3 does to whoever is not who he says. */
function refusal(seen: Seen, region: string): ProviderAnswer | undefined {
  const forbidden = {
    status: 403,
    body: `<Error><Code>SignatureDoesNotMatch</Code><Message>The signature is wrong for ${secret}</Message></Error>`,
  }
  const [, credential, signed, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=(\w+)$/.exec(
      seen.headers.authorization ?? '',
    ) ?? []
  const stamp = String(seen.headers['x-amz-date'])
  const payload = String(seen.headers['x-amz-content-sha256'])
  const names = signed?.split(';') ?? []
  const whole = ['host', 'x-amz-content-sha256', 'x-amz-date'].every((name) => names.includes(name))
  if (credential !== `${accessKey}/${stamp.slice(0, 8)}/${region}/s3/aws4_request` || !whole) return forbidden
  if (sha256(seen.body) !== payload) return forbidden
  return signature === signatureOf(seen, { region, signed: names, stamp, payload }) ? undefined : forbidden
}

let provider: ProviderStandIn
let region = 'us-east-1'
let answer: ProviderAnswer = {}
beforeAll(async () => {
  provider = await openProvider((seen) =>
    seen.origin.includes('amazonaws')
      ? (refusal(seen, region) ?? answer)
      : { body: 'fetched', headers: { 'content-type': 'image/png' } },
  )
})
afterEach(() => {
  provider.take()
  region = 'us-east-1'
  answer = {}
})
afterAll(() => provider.close())

const settings = {
  accessKeyIdTemplate: accessKey,
  secretAccessKeyTemplate: '{{secret}}',
  bucketNameTemplate: 'reports',
  fileNameTemplate: 'a folder/ü (1)+*.txt',
  destination: 'out',
}

async function run(node: typeof s3Put | typeof s3Get, config: object = {}) {
  const use = { http: provider.http, clock: { now: () => now } }
  const outcome = await runNode(node as typeof s3Put, { config: { ...settings, ...config }, payload: { secret }, use })
  return { outcome, out: outcome.payload.out as Record<string, unknown>, requests: provider.take() }
}

test('writes a text under a signature that S3 computes, too', async () => {
  answer = { headers: { etag: '"1"' } }
  const { outcome, out, requests } = await run(s3Put, {
    fileContentsTemplate: 'hello',
    contentTypeTemplate: 'text/csv',
  })
  expect(outcome).toMatchObject({ output: 'next', problems: [], error: undefined })
  const url = 'https://reports.s3.us-east-1.amazonaws.com/a%20folder/%C3%BC%20(1)%2B*.txt'
  expect(out).toEqual({ success: true, url, etag: '"1"' })
  expect(requests).toMatchObject([
    { method: 'PUT', headers: { 'content-type': 'text/csv', 'x-amz-date': '20240102T030405Z' } },
  ])
  expect(String(requests[0]!.body)).toBe('hello')
})

test('writes what a URL gives, and bytes from base64', async () => {
  const fetched = await run(s3Put, { fileUrlTemplate: 'https://files.example.com/x' })
  expect(fetched.out).toMatchObject({ success: true })
  expect(fetched.requests).toMatchObject([{ method: 'GET', url: '/x' }, { headers: { 'content-type': 'image/png' } }])
  expect(fetched.requests[0]!.headers.authorization).toBeUndefined()
  expect(String(fetched.requests[1]!.body)).toBe('fetched')
  const bytes = await run(s3Put, { fileContentsTemplate: '/wA=', encodingTemplate: 'base64' })
  expect([...bytes.requests[0]!.body]).toEqual([255, 0])
})

test('reads a file with what is known of it', async () => {
  region = 'eu-central-1'
  answer = {
    body: Buffer.from([255, 1]),
    headers: { 'content-type': 'image/x', etag: '"2"', 'x-amz-meta-kind': 'pump' },
  }
  const { out, requests } = await run(s3Get, { regionTemplate: region, encodingTemplate: 'hex' })
  expect(out).toMatchObject({ value: 'ff01', metadata: { contentType: 'image/x', etag: '"2"', kind: 'pump' } })
  expect(requests[0]).toMatchObject({ method: 'GET', origin: 'https://reports.s3.eu-central-1.amazonaws.com' })
})

test('gives a URL that S3 takes for an hour', async () => {
  const { out, requests } = await run(s3Get, { isDownloadURL: true })
  expect(requests).toMatchObject([{ method: 'HEAD' }])
  const url = new URL(out.value as string)
  const query = Object.fromEntries(url.searchParams)
  expect(query).toMatchObject({
    'X-Amz-Expires': '3600',
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Date': '20240102T030405Z',
  })
  const seen = { method: 'GET', url: url.pathname + url.search, headers: { host: url.host }, body: Buffer.alloc(0) }
  const wanted = { region, signed: ['host'], stamp: '20240102T030405Z', payload: 'UNSIGNED-PAYLOAD' }
  expect(query['X-Amz-Signature']).toBe(signatureOf(seen, wanted))
  expect(out.value).not.toContain(encodeURIComponent(secret))
})

test('a bucket with a dot stands in the path, one in China at its own host', async () => {
  const dotted = await run(s3Get, { bucketNameTemplate: 'my.reports', fileNameTemplate: '/a' })
  expect(dotted.requests[0]).toMatchObject({ origin: 'https://s3.us-east-1.amazonaws.com', url: '/my.reports/a' })
  region = 'cn-north-1'
  expect((await run(s3Get, { regionTemplate: region })).requests[0]!.origin).toBe(
    'https://reports.s3.cn-north-1.amazonaws.com.cn',
  )
})

test('what S3 refuses is in the result, and never with a secret', async () => {
  const { out } = await run(s3Put, { regionTemplate: 'eu-west-1', fileContentsTemplate: 'x' })
  expect(out).toEqual({
    error: { type: 'Validation', message: 'S3 answered 403: The signature is wrong for *****' },
  })
  answer = { status: 404, body: '<Error><Code>NoSuchKey</Code><Message>No such key.</Message></Error>' }
  expect((await run(s3Get)).out).toEqual({ error: { type: 'NotFound', message: 'S3 answered 404: No such key.' } })
})

test.each([
  [{ bucketNameTemplate: 'evil.example.com/' }],
  [{ bucketNameTemplate: 'A' }],
  [{ regionTemplate: 'x.evil.example.com#' }],
  [{ fileNameTemplate: 'a/../b' }],
  [{ fileNameTemplate: '..' }],
  [{ fileNameTemplate: './b' }],
  [{ fileNameTemplate: 'a\n/../b' }],
  [{ fileNameTemplate: '\ud800' }],
  [{ encodingTemplate: 'klingon' }],
  [{ accessKeyIdTemplate: 'AK\u0000' }],
  [{ accessKeyIdTemplate: 'AK\ud800' }],
])('%j names nothing that S3 has', async (config) => {
  for (const node of [s3Get, s3Put]) {
    const { out, requests } = await run(node, config)
    expect(out).toMatchObject({ error: { type: 'Validation' } })
    expect(requests).toEqual([])
  }
})

test.each(['text/\u0000', 'text/\ud800', 'text/ü'])('a file is not written as %j', async (contentTypeTemplate) => {
  const { out, requests } = await run(s3Put, { contentTypeTemplate })
  expect(out).toMatchObject({ error: { type: 'Validation', message: expect.stringContaining('content type') } })
  expect(requests).toEqual([])
})

test('without keys, or with a stored credential, the run ends', async () => {
  expect((await run(s3Get, { secretAccessKeyTemplate: '' })).outcome.error?.code).toBe('config.empty')
  expect((await run(s3Put, { credentialNameTemplate: 'x' })).outcome.error?.code).toBe('credential.missing')
})
