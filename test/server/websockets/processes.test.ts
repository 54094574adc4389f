import { describe, expect, test, vi } from 'vitest'
import { shared } from '../../helpers/stacks.ts'
import { addWebhook, connect, openSocketWorld } from './world.ts'

describe.skipIf(shared === undefined).each([
  ['with Redis', true],
  ['without Redis', false],
])('two processes %s', (_how, withRedis) => {
  test('a flow that runs in one answers a client of the other, once, by its kept id', async () => {
    const { REDIS_URL, ...env } = shared!.env()
    const stack = { ...shared!, env: () => ({ ...env, ...(withRedis ? { REDIS_URL: REDIS_URL! } : {}) }) }
    const config = { redisUrl: withRedis ? REDIS_URL : undefined, storeUrl: env.STORE_URL }
    const one = await openSocketWorld({ stack, config })
    const two = await openSocketWorld({ stack, config, joins: true })
    const webhook = await addWebhook(one.app)
    const hook = await addWebhook(one.app, { isWebsocket: false, waitForReply: true })
    const trigger = (key: string, next: string) => ({ type: 'webhook', key, config: {}, outputIds: [[next]] })
    const content = {
      triggers: [trigger(webhook.id, 'keep'), trigger(hook.id, 'get')],
      nodes: [
        {
          ...{ id: 'keep', type: 'StoreValueNode', outputIds: [[]] },
          config: { keyName: 'client', valueType: 'path', value: 'data.replyId' },
        },
        {
          ...{ id: 'get', type: 'GetValueNode', outputIds: [['say']] },
          config: { keyName: 'client', valuePath: 'working.client' },
        },
        {
          ...{ id: 'say', type: 'WebhookReplyNode', outputIds: [['done']] },
          config: { isWebsocketMessage: true, replyIdPath: 'working.client', bodyTemplate: '{{data.body}}' },
        },
        { id: 'done', type: 'WebhookReplyNode', config: { bodyTemplate: 'ok' }, outputIds: [[]] },
      ],
      globals: [],
    }
    const { id } = await one.app
      .collection('flows')
      .insert({ name: 'Talk', flowClass: 'cloud', enabled: true, content })
    const client = await connect(one.port, `/webhooks/${webhook.token}`)
    await vi.waitFor(async () => expect(await one.app.values.entries(`flow:${id}`)).toHaveProperty('client'), 10_000)
    const say = async (port: number, body: string) => {
      const url = `http://127.0.0.1:${port}/webhooks/${hook.token}`
      const headers = { 'content-type': 'text/plain' }
      expect(await (await fetch(url, { method: 'POST', body, headers })).text()).toBe('ok')
    }
    await say(two.port, 'from afar')
    await vi.waitFor(() => expect(client.heard).toEqual(['from afar']), 15_000)
    await say(one.port, 'from here')
    await vi.waitFor(() => expect(client.heard).toEqual(['from afar', 'from here']), 15_000)
  })
})
