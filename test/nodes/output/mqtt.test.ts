import { expect, test } from 'vitest'
import { mqtt } from '../../../nodes/output/mqtt.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const payload = { data: { floor: 2, open: { a: '<b>' } } }

async function publish(config: Record<string, unknown>, answer?: Refusal) {
  const { calls, method } = noting<unknown[], void>(answer as unknown as undefined)
  return { ...(await runNode(mqtt, { config, payload, use: { mqtt: { publish: method } } })), published: calls }
}

test.each([{}, { integrationId: '' }, { integrationId: 'losant' }])('publishes text with %j', async (broker) => {
  const config = { ...broker, topicTemplate: 'displays/{{data.floor}}', messageTemplate: 'Floor {{data.floor}}' }
  const run = await publish(config)
  expect(run).toMatchObject({ output: 'next', error: undefined, payload })
  expect(run.published).toEqual([[{ topic: 'displays/2', message: 'Floor 2' }]])
})

test.each([
  [undefined, ''],
  ['{{data.none}}', ''],
  ['{{jsonEncode data.open}}', '{"a":"<b>"}'],
  ['{{data.open}}', '[object Object]'],
])('a message of %j is %j', async (messageTemplate, message) => {
  expect((await publish({ topicTemplate: 't', messageTemplate })).published).toEqual([[{ topic: 't', message }]])
})

test.each(['local', 'external', '6521f7b20c1d4e8a9b3c5d70'])('the broker %s fails the run', async (integrationId) => {
  const run = await publish({ integrationId, topicTemplate: 't', messageTemplate: 'x' })
  expect([run.error?.code, run.published]).toEqual(['mqtt.refused', []])
})

test('a topic that renders to nothing, or is refused, fails the run', async () => {
  const blank = await publish({ topicTemplate: '{{data.none}}', messageTemplate: 'x' })
  expect(blank.error).toBeDefined()
  expect(blank.published).toEqual([])
  const refused = await publish({ topicTemplate: '$SYS/x' }, new Refusal('Validation', 'Expected another topic'))
  expect(refused.error).toMatchObject({ code: 'mqtt.refused', message: 'Expected another topic' })
})
