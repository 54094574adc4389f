import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { openEgress } from '../../../server/egress.ts'
import { type CallbackInput, exportCallbackJob } from '../../../server/jobs/export-callback.ts'
import type { JobContext } from '../../../server/jobs/port.ts'

const body = { success: true, downloadUrl: 'https://a.example/_exports/1', jobId: 'j', applicationId: 'a' } as const

/** A server that answers with each status in turn; `got` is what it was sent. */
async function openTarget(statuses: number[]) {
  const got: { url?: string; type?: string; method?: string; body: unknown }[] = []
  const server = createServer(async (request, response) => {
    const text = (await Array.fromAsync(request)).join('')
    got.push({
      url: request.url,
      type: request.headers['content-type'],
      method: request.method,
      body: JSON.parse(text),
    })
    response.writeHead(statuses.shift() ?? 200, { location: '/elsewhere' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?iterationId=1`, got }
}

function call(url: string, { attempt = 1, allowPrivate = true } = {}) {
  const http = openEgress({ allowPrivate })
  onTestFinished(() => http.close())
  const input: CallbackInput = { url, body }
  const context = { input, attempt, signal: new AbortController().signal } as JobContext
  return exportCallbackJob({ http }).run(context)
}

test('posts the link as JSON, and keeps the query of the address', async () => {
  const { url, got } = await openTarget([])
  expect(await call(url)).toEqual({ output: { status: 200 } })
  expect(got).toEqual([{ url: '/hook?iterationId=1', type: 'application/json', method: 'POST', body }])
})

test.each([
  [500, 1, { name: 'Error' }],
  [503, 3, { code: 'export.callback' }],
  [404, 1, { code: 'export.callback' }],
  [302, 1, { code: 'export.callback' }],
])('after the answer %i in attempt %i the job ends with %o', async (status, attempt, wanted) => {
  const { url, got } = await openTarget([status])
  await expect(call(url, { attempt })).rejects.toMatchObject(wanted)
  expect(got).toHaveLength(1)
})

test('tries again when nobody answers, but not forever', async () => {
  const closed = 'http://127.0.0.1:1/'
  await expect(call(closed)).rejects.toMatchObject({ code: 'http.failed' })
  await expect(call(closed, { attempt: 3 })).rejects.toMatchObject({ code: 'export.callback' })
})

test('reaches no private address', async () => {
  const { url, got } = await openTarget([])
  await expect(call(url, { allowPrivate: false })).rejects.toMatchObject({ code: 'export.callback' })
  expect(got).toEqual([])
})
