import { expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { workflowTrigger } from '../../../nodes/output/workflow-trigger.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const NOW = Date.UTC(2026, 0, 1)
const target = { triggerWorkflowId: 'f1', triggerVirtualButtonId: 'b1' }

async function run(config: Payload, answer: unknown = { runId: 'r1' }) {
  const press = noting<[Payload], unknown>(answer)
  const cancel = noting<[string], boolean>(true)
  const outcome = await runNode(workflowTrigger, {
    config: { ...target, ...config },
    payload: { data: { n: 1, deep: { list: [1] } } },
    use: { flows: { press: press.method as never, cancel: cancel.method }, clock: { now: () => NOW } },
  })
  return { ...outcome, pressed: press.calls.map(([one]) => one), canceled: cancel.calls }
}

test.each([
  [{ payloadTemplate: '{"n": {{data.n}} }' }, { n: 1 }],
  [{ payloadTemplateType: 'json', payloadTemplate: '[1]' }, [1]],
  [{ payloadTemplateType: 'string', payloadTemplate: 'n is {{data.n}}' }, 'n is 1'],
  [{ payloadTemplateType: 'path', payloadTemplate: 'data.deep' }, { list: [1] }],
])('with %j the data is %j', async (config, data) => {
  expect((await run(config)).pressed).toEqual([{ flow: 'f1', button: 'b1', version: 'default', data }])
})

test.each([
  {},
  { payloadTemplate: '' },
  { payloadTemplateType: 'string', payloadTemplate: '{{data.none}}' },
  { payloadTemplateType: 'path', payloadTemplate: 'data.none' },
])('with %j it leaves the data to the button', async (config) => {
  expect((await run(config)).pressed).toEqual([{ flow: 'f1', button: 'b1', version: 'default' }])
})

test('gives the other run a payload of its own, and puts the id of the run at the result path', async () => {
  const { pressed, payload, output } = await run({
    ...{
      payloadTemplateType: 'path',
      payloadTemplate: 'data.deep',
      flowVersionTemplate: 'v{{data.n}}',
      resultPath: 'working.run',
    },
  })
  const [given] = pressed as [{ data: { list: number[] }; version: string }]
  expect(given.version).toBe('v1')
  given.data.list.push(2)
  expect(payload).toEqual({ data: { n: 1, deep: { list: [1] } }, working: { run: { runId: 'r1' } } })
  expect(output).toBe('next')
})

test('presses later: some seconds from now, or at a date', async () => {
  const relative = await run({ behavior: 'schedule', scheduling: 'relative', secondsTemplate: '{{data.n}}5' })
  expect(relative.pressed).toMatchObject([{ dueAt: NOW + 15_000 }])
  const absolute = await run({ behavior: 'schedule', scheduling: 'absolute', dateTemplate: '2026-02-01T00:00:00Z' })
  expect(absolute.pressed).toMatchObject([{ dueAt: Date.UTC(2026, 1, 1) }])
  expect((await run({ behavior: 'schedule', secondsTemplate: '' })).error?.code).toBe('flow.refused')
  expect((await run({ behavior: 'schedule', scheduling: 'absolute', dateTemplate: 'soon' })).error?.code).toBe(
    'date.unreadable',
  )
})

test('takes back what was to be pressed', async () => {
  const { canceled, pressed, payload } = await run({
    behavior: 'cancel',
    runIdTemplate: ' r{{data.n}} ',
    resultPath: 'out',
  })
  expect(canceled).toEqual([['r1']])
  expect(pressed).toEqual([])
  expect(payload.out).toEqual({ runId: 'r1', canceled: true })
  expect((await run({ behavior: 'cancel', resultPath: 'out' })).payload.out).toEqual({ runId: '', canceled: false })
})

test('a refusal stands at the result path; without one it fails the run', async () => {
  const refusal = new Refusal('NotFound', 'No such button')
  expect((await run({ resultPath: 'out' }, refusal)).payload.out).toEqual({
    error: { type: 'NotFound', message: 'No such button' },
  })
  expect((await run({}, refusal)).error).toMatchObject({ code: 'flow.refused', message: 'No such button' })
})
