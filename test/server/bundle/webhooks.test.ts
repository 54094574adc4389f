import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { exportBundle } from '../../../server/bundle/export.ts'
import { webhookTokenHash } from '../../../server/experience/webhook-token.ts'
import type { Store } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import {
  type Contents,
  cloudFlow,
  documentsOf,
  envelope,
  hostUrls,
  importContents,
  ref,
  smallApp,
} from './small-app.ts'

const hook = (more: object = {}) => ({
  ...{ id: ref('webhook', 'orders'), name: 'Orders', token: ref('webhookToken', 'orders'), responseCode: 202 },
  ...{ verificationType: 'none', verificationCode: '', waitForReply: true },
  ...more,
})

const listener = cloudFlow('orders', {
  globals: [
    { key: 'url', json: `"https://~exportplaceholderid-triggers-url~/webhooks/${ref('webhookToken', 'orders')}/x"` },
  ],
  triggers: [{ type: 'webhook', key: ref('webhook', 'orders'), config: {}, meta: {}, outputIds: [['end']] }],
})

const withHook = (more: object = {}): Contents => ({
  ...smallApp(),
  'webhooks.yaml': envelope('Webhook', hook(more)),
  'workflows/cloud/Orders.yaml': envelope('Flow', listener),
})

async function exported(store: Store, slug = 'small'): Promise<Contents> {
  const host = await store.hosts.find(slug)
  const files = await exportBundle(store.app(host!.scope), { hostUrls })
  const contents: Contents = {}
  for (const [path, content] of files)
    contents[path] = typeof content === 'string' ? content : Buffer.from(await content())
  return contents
}

test('an import gives a webhook a token that its application is told by, and puts it where texts name it', async () => {
  const store = await openTestStore()
  const report = await importContents(store, withHook())
  expect(report).toMatchObject({ imported: true, unsupported: {} })
  const [webhook] = await documentsOf(store, 'webhooks')
  expect(webhook).toMatchObject({
    ...{ name: 'Orders', responseCode: 202, waitForReply: true, verificationType: 'none', enabled: true },
    ...{
      basicAuthUsername: '',
      basicAuthPassword: '',
      isWebsocket: false,
      castBuffersAs: 'array',
      annotateMultipart: false,
    },
    tokenHash: webhookTokenHash(webhook!.token),
  })
  expect(webhook!.token).toMatch(new RegExp(`^${report.scope.application}-[\\w-]{32}$`))
  const flow = (await documentsOf(store, 'flows')).find(({ name }) => name === 'orders')
  expect(flow?.content.globals).toEqual([{ key: 'url', json: `"http://localhost:3000/webhooks/${webhook!.token}/x"` }])
  expect(flow?.content.triggers).toMatchObject([{ type: 'webhook', key: webhook!.id }])
  expect(report.webhooks).toEqual([{ name: 'Orders', url: `http://localhost:3000/webhooks/${webhook!.token}` }])
})

test('a second import keeps the token and the id; a webhook that is gone is removed', async () => {
  const store = await openTestStore()
  await importContents(store, withHook())
  const [before] = await documentsOf(store, 'webhooks')
  const report = await importContents(store, withHook({ responseCode: 200 }))
  expect(report.changes.webhooks).toEqual({ created: 0, updated: 1, removed: 0, unchanged: 0 })
  expect((await documentsOf(store, 'webhooks'))[0]).toMatchObject({
    id: before!.id,
    token: before!.token,
    responseCode: 200,
  })
  await importContents(store, smallApp())
  expect(await documentsOf(store, 'webhooks')).toEqual([])
})

test('an export holds no token, and comes back as it was', async () => {
  const store = await openTestStore()
  await importContents(store, withHook({ basicAuthUsername: 'ann', isWebsocket: false, enabled: false }))
  const [webhook] = await documentsOf(store, 'webhooks')
  const contents = await exported(store)
  expect(JSON.stringify(contents)).not.toContain(webhook!.token.slice(25))
  expect(JSON.stringify(contents)).not.toContain(webhook!.tokenHash)
  expect(parse(String(contents['webhooks.yaml']))).toMatchObject({
    resourceType: 'Webhook',
    resources: [
      { id: ref('webhook', 'orders'), token: ref('webhookToken', 'orders'), basicAuthUsername: 'ann', enabled: false },
    ],
  })
  expect(String(contents['workflows/cloud/orders.yaml'])).toContain(`/webhooks/${ref('webhookToken', 'orders')}/x`)
  const other = await openTestStore()
  await importContents(other, contents)
  expect(await exported(other)).toEqual(contents)
  const again = await importContents(store, contents)
  expect(again.changes.webhooks).toMatchObject({ updated: 0, created: 0 })
  expect((await documentsOf(store, 'webhooks'))[0]?.token).toBe(webhook!.token)
})

test('a webhook that was made by hand keeps its address when its export comes back', async () => {
  const store = await openTestStore()
  const { scope } = await importContents(store, withHook())
  const [webhook] = await documentsOf(store, 'webhooks')
  const { id: _, ...copy } = webhook!
  const token = `${scope.application}-${'h'.repeat(32)}`
  await store
    .app(scope)
    .collection('webhooks')
    .insert({ ...copy, name: 'By hand', token, tokenHash: webhookTokenHash(token) })
  const contents = await exported(store)
  expect(JSON.stringify(contents)).not.toContain('h'.repeat(32))
  await importContents(store, contents)
  const tokens = (await documentsOf(store, 'webhooks')).map((one) => one.token)
  expect(tokens.sort()).toEqual([token, webhook!.token].sort())
})

test('one without a token gets one, and two of one name are two', async () => {
  const store = await openTestStore()
  const nameless = { ...hook(), token: undefined }
  const contents = {
    ...smallApp(),
    'webhooks.yaml': envelope('Webhook', nameless, { ...nameless, id: ref('webhook', 'orders-1') }),
  }
  await importContents(store, contents)
  const webhooks = await documentsOf(store, 'webhooks')
  expect(new Set(webhooks.map(({ token }) => token)).size).toBe(2)
  await importContents(store, contents)
  expect(await documentsOf(store, 'webhooks')).toEqual(webhooks)
})

test('tells what is wrong with a webhook, and which kinds are not supported', async () => {
  const store = await openTestStore()
  const report = await importContents(store, withHook({ isWebsocket: true, verificationType: 'alexa' }))
  expect(report).toMatchObject({ imported: true, unsupported: { 'Webhook (Alexa)': 1 } })
  const wrong = await importContents(
    store,
    withHook({ responseCode: 99, verificationType: 'x', waitForReply: 'yes', token: 'abc' }),
  )
  expect(wrong.imported).toBe(false)
  const errors = wrong.problems.filter(({ severity }) => severity === 'error')
  expect(errors.map(({ pointer }) => pointer).sort()).toEqual(
    ['responseCode', 'token', 'verificationType', 'waitForReply'].map((field) => `/resources/0/${field}`),
  )
})
