import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DebugMessage } from '../../server/flows/debug.ts'
import type { AppStore } from '../../server/store/port.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

let running: TestServer
let app: AppStore
const messages: DebugMessage[] = []

beforeAll(async () => {
  running = await startServer({ folders: ['examples/one-to-many'] })
  app = running.store.app(running.applications[0]!.scope)
  running.server.debug.listen((message) => void messages.push(message))
})
afterAll(() => running.close())

const button = (key: string, next: string) => ({
  type: 'virtualButton',
  key,
  meta: { uiId: 'ui-1' },
  outputIds: [[next]],
})

async function addFlow(name: string, triggers: unknown[], nodes: unknown[]): Promise<string> {
  const content = { triggers, nodes, globals: [] }
  return (await app.collection('flows').insert({ name, flowClass: 'cloud', enabled: true, content })).id
}

test.each([
  ['at once', { behavior: 'immediate' }],
  ['later, as a job', { behavior: 'schedule', secondsTemplate: '0.05' }],
])('a timer flow presses the button of another flow %s', async (what, config) => {
  const say = { id: 'say', type: 'DebugNode', config: { message: `${what}: {{data.n}}` }, outputIds: [[]] }
  const target = await addFlow(`Target ${what}`, [button('b', 'say')], [say])
  const press = {
    ...{ id: 'press', type: 'WorkflowTriggerNode', outputIds: [['told']] },
    config: {
      ...{ triggerWorkflowId: target, triggerVirtualButtonId: 'ui-1', payloadTemplate: '{"n": 7}' },
      ...{ ...config, resultPath: 'result' },
    },
  }
  const told = {
    id: 'told',
    type: 'DebugNode',
    config: { message: `told ${what}`, property: 'result' },
    outputIds: [[]],
  }
  const timer = { type: 'timer', key: what, config: { seconds: 1 }, outputIds: [['press']] }
  const caller = await addFlow(`Caller ${what}`, [timer], [press, told])
  await running.server.refresh()
  await expect.poll(() => messages.map(({ message }) => message), { timeout: 15_000 }).toContain(`${what}: 7`)
  expect(messages.find(({ message }) => message === `told ${what}`)?.value).toEqual({ runId: expect.any(String) })
  expect(messages.find(({ flowId }) => flowId === target)?.value).toMatchObject({
    ...{ relayType: 'flow', relayId: caller, triggerId: 'b', triggerType: 'virtualButton', data: { n: 7 } },
  })
  await app.collection('flows').update(caller, { enabled: false })
})
