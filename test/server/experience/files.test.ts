import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { openFileLinks } from '../../../server/experience/files.ts'
import { addApplication, applicationId, openSite, type Site } from './site.ts'

let site: Site
let time = Date.parse('2026-01-01T00:00:00Z')
beforeEach(async () => {
  site = await openSite({ now: () => time })
})

async function addFile(path: string, content: string, options: { contentType?: string; private?: boolean } = {}) {
  const blob = `blob of ${path} ${options.private ?? false}`
  await site.app.blobs.put(blob, Buffer.from(content))
  await site.app.collection('files').insert({
    ...{ path, contentType: options.contentType ?? 'text/plain', private: options.private ?? false, blob },
    sizeBytes: Buffer.byteLength(content),
    sha256: createHash('sha256').update(content).digest('hex'),
  })
}
const urlOf = (path: string) => `/_files/${applicationId}${path}`

describe('public files', () => {
  test('are served with type, length, ETag and a cache rule', async () => {
    await addFile('/css/a b.css', 'a{}', { contentType: 'text/css' })
    const answer = await site.ask(urlOf('/css/a%20b.css'))
    expect(answer).toMatchObject({ status: 200, body: 'a{}' })
    expect(answer.headers).toMatchObject({
      'content-type': 'text/css; charset=utf-8',
      'content-length': '3',
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
      'cache-control': 'public, max-age=0, must-revalidate',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String),
    })
    expect(answer.headers).not.toHaveProperty('content-security-policy')
    const head = await site.ask(urlOf('/css/a%20b.css'), { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '3' } })
  })

  test('that did not change are not sent again', async () => {
    await addFile('/a.txt', 'hello')
    const { etag = '' } = (await site.ask(urlOf('/a.txt'))).headers
    for (const value of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await site.ask(urlOf('/a.txt'), { headers: { 'if-none-match': value } })
      expect([answer.status, answer.body, answer.headers.etag]).toEqual([304, '', etag])
    }
    expect((await site.ask(urlOf('/a.txt'), { headers: { 'if-none-match': '"x"' } })).status).toBe(200)
  })

  const ranges: [range: string, status: number, body: string, contentRange: string | undefined][] = [
    ['bytes=0-1', 206, 'he', 'bytes 0-1/5'],
    ['bytes=3-', 206, 'lo', 'bytes 3-4/5'],
    ['bytes=3-99', 206, 'lo', 'bytes 3-4/5'],
    ['bytes=-2', 206, 'lo', 'bytes 3-4/5'],
    ['bytes=-99', 206, 'hello', 'bytes 0-4/5'],
    ['bytes=0-0,2-3', 200, 'hello', undefined],
    ['lines=0-1', 200, 'hello', undefined],
    ['bytes=-', 200, 'hello', undefined],
  ]
  test.each(ranges)('range %s', async (range, status, body, contentRange) => {
    await addFile('/a.txt', 'hello')
    const answer = await site.ask(urlOf('/a.txt'), { headers: { range } })
    expect([answer.status, answer.body, answer.headers['content-range']]).toEqual([status, body, contentRange])
  })

  test.each(['bytes=5-', 'bytes=9-12', 'bytes=3-1', 'bytes=-0'])('range %s lies outside', async (range) => {
    await addFile('/a.txt', 'hello')
    const answer = await site.ask(urlOf('/a.txt'), { headers: { range } })
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */5'])
  })

  test('a range of a changed file is sent whole', async () => {
    await addFile('/a.txt', 'hello')
    const answer = await site.ask(urlOf('/a.txt'), { headers: { range: 'bytes=0-1', 'if-range': '"old"' } })
    expect([answer.status, answer.body]).toEqual([200, 'hello'])
  })

  test.each([
    ['image/svg+xml', 'sandbox'],
    ['text/html', 'sandbox'],
    ['application/xhtml+xml', 'sandbox'],
    ['text/xml; charset=utf-8', 'sandbox'],
    ['text/HTML ', 'sandbox'],
    ['image/png', undefined],
    ['application/javascript', undefined],
  ])('of type %s: content security policy is %s', async (contentType, policy) => {
    await addFile('/f', '<script>1</script>', { contentType })
    expect((await site.ask(urlOf('/f'))).headers['content-security-policy']).toBe(policy)
  })

  test('with a type that is none are bytes', async () => {
    await addFile('/f', 'x', { contentType: 'text\r\nx: y' })
    expect((await site.ask(urlOf('/f'))).headers['content-type']).toBe('application/octet-stream')
  })

  test('are read and nothing else', async () => {
    await addFile('/a.txt', 'hello')
    expect((await site.ask(urlOf('/a.txt'), { method: 'DELETE' })).status).toBe(404)
    expect((await site.ask(urlOf('/a.txt'))).status).toBe(200)
  })

  const lost: [name: string, path: string, status: number][] = [
    ['unknown', urlOf('/b.txt'), 404],
    ['a folder', urlOf('/'), 404],
    ['of another application', `/_files/${'b'.repeat(24)}/a.txt`, 404],
    ['without an application', '/_files/a.txt', 404],
    ['by a way around', urlOf('/x/../a.txt'), 404],
    ['by an encoded way around', urlOf('/x/%2e%2e/a.txt'), 404],
    ['not decodable', urlOf('/%E0%A4%A'), 400],
    ['with a NUL', urlOf('/a.txt%00'), 404],
  ]
  test.each(lost)('%s: not found', async (_, path, status) => {
    await addFile('/a.txt', 'hello')
    await addApplication(site.store, { tenant: 'beta', application: 'b'.repeat(24) }, 'beta')
    const answer = await site.ask(path)
    expect([answer.status, answer.json()]).toEqual([status, { type: expect.any(String), message: expect.any(String) }])
  })

  test("a file is not served at another tenant's host", async () => {
    await addFile('/a.txt', 'hello')
    await addApplication(site.store, { tenant: 'beta', application: 'b'.repeat(24) }, 'beta')
    expect((await site.ask(urlOf('/a.txt'), { host: 'beta.localhost' })).status).toBe(404)
  })

  test('a file whose content is lost is our failure, and the server goes on', async () => {
    await addFile('/a.txt', 'hello')
    await site.app.blobs.remove('blob of /a.txt false')
    expect((await site.ask(urlOf('/a.txt'))).status).toBe(500)
    expect((await site.ask(urlOf('/b.txt'))).status).toBe(404)
  })
})

describe('private files', () => {
  test('a page links them with the life it names', async () => {
    await addFile('/report.pdf', 'secret', { private: true, contentType: 'application/pdf' })
    await site.view({ id: 'b'.repeat(24), name: 'p', body: "{{{file 'report.pdf' private=true ttl=30}}}" })
    await site.endpoint({ staticReply: { type: 'page', value: 'b'.repeat(24) } })
    const link = (await site.ask('/')).body
    expect((await site.ask(link)).headers['cache-control']).toBe('private, max-age=30')
  })

  const links = openFileLinks({ id: applicationId, secret: 'secret of acme', now: () => time })

  test('are served by a signed link only, until it expires', async () => {
    await addFile('/report.pdf', 'secret', { private: true, contentType: 'application/pdf' })
    expect((await site.ask(urlOf('/report.pdf'))).status).toBe(404)
    const link = links.fileUrl('report.pdf', { private: true, ttlSeconds: 60 })
    expect(await site.ask(link)).toMatchObject({ body: 'secret', headers: { 'cache-control': 'private, max-age=60' } })
    time += 59_000
    expect((await site.ask(link)).status).toBe(200)
    time += 2_000
    expect((await site.ask(link)).status).toBe(403)
  })

  test('a link that was changed opens nothing', async () => {
    await addFile('/a', 'a', { private: true })
    await addFile('/b', 'b', { private: true })
    const link = links.fileUrl('/a', { private: true })
    expect((await site.ask(link)).body).toBe('a')
    const forged = [
      link.replace('/a?', '/b?'),
      link.replace(/expires=(\d)/, 'expires=9$1'),
      `${link}x`,
      link.replace(/signature=.*/, 'signature='),
      openFileLinks({ id: applicationId, secret: 'secret of beta', now: () => time }).fileUrl('/a', { private: true }),
      // A copy of the application that has its secret, too.
      openFileLinks({ id: 'b'.repeat(24), secret: 'secret of acme', now: () => time })
        .fileUrl('/a', { private: true })
        .replace('b'.repeat(24), applicationId),
    ]
    for (const one of forged) expect((await site.ask(one)).status).toBe(403)
    expect((await site.ask(link.replace(/\?.*/, '?expires=1&expires=2&signature=x'))).status).toBe(404)
  })

  test('a signed link does not reach a public file of the same path', async () => {
    await addFile('/a', 'public')
    expect((await site.ask(links.fileUrl('/a', { private: true }))).status).toBe(404)
  })
})

test.each([
  ['logo.png', `/_files/${applicationId}/logo.png`],
  ['/images/', `/_files/${applicationId}/images/`],
  ['/a b/ü?#.png', `/_files/${applicationId}/a%20b/%C3%BC%3F%23.png`],
  ['', ''],
  ['https://cdn.example/x.png', 'https://cdn.example/x.png'],
])('fileUrl of %j', (path, url) => {
  expect(openFileLinks({ id: applicationId, secret: 's', now: () => 0 }).fileUrl(path)).toBe(url)
})
