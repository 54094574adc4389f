import { FlowError } from '../../engine/errors.ts'
import { byType, choice, json, lazy, numberTemplate, path, read, template, text } from '../../engine/fields.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { readDate } from '../logic/read-date.ts'
import { orError } from '../refusal.ts'
import type { Flows } from '../services/flows.ts'
import { Refusal } from '../services/listing.ts'
import type { Clock } from '../services/run.ts'

export const workflowTrigger = defineNode({
  type: 'workflow-trigger',
  aliases: ['WorkflowTriggerNode'],
  group: 'output',
  title: 'Workflow Trigger',
  summary: 'Presses a virtual button of a flow, now or later, and does not wait for its run.',
  outputs: ['next'],
  needs: ['flows', 'clock'],
  config: {
    behavior: choice({
      key: 'behavior',
      label: 'Do',
      help: 'immediate: starts a run now. schedule: starts it later. cancel: drops one that was scheduled.',
      of: ['immediate', 'schedule', 'cancel'],
    }),
    flow: text({ key: 'triggerWorkflowId', label: 'Flow', help: 'Id of the flow to start.' }),
    button: text({
      key: 'triggerVirtualButtonId',
      label: 'Virtual button',
      help: 'Id or key of the virtual button of that flow.',
    }),
    version: template({ key: 'flowVersionTemplate', label: 'Version', help: 'default, develop or a name.' }),
    data: lazy(
      byType({
        key: 'payloadTemplate',
        label: 'Payload',
        help: 'Empty: what stands at the button.',
        typeKey: 'payloadTemplateType',
        default: 'json',
        kinds: { json: json(), string: template(), path: read() },
      }),
    ),
    scheduling: choice({
      key: 'scheduling',
      label: 'When',
      help: 'relative: after some seconds. absolute: at a date.',
      of: ['relative', 'absolute'],
    }),
    seconds: lazy(
      numberTemplate({ key: 'secondsTemplate', label: 'Seconds from now', help: 'With relative: a number from 0.' }),
    ),
    date: lazy(
      template({ key: 'dateTemplate', label: 'Date', help: 'With absolute: ISO text, or milliseconds since 1970.' }),
    ),
    runId: lazy(
      template({
        key: 'runIdTemplate',
        label: 'Run to cancel',
        help: 'With cancel: as it was given when the run was scheduled.',
      }),
    ),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ runId }, or { error }; without a path an error fails the run.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'With a payload',
      config: {
        ...{ triggerWorkflowId: '5f7f96d80c1d4e8a9b3c5d70', triggerVirtualButtonId: 'start' },
        ...{
          payloadTemplateType: 'json',
          payloadTemplate: '{"device": {{jsonEncode data.id}}}',
          resultPath: 'working.run',
        },
      },
      payload: { data: { id: 'pump' } },
      output: 'next',
    },
  ],
  async run({ config, use }) {
    const done = await orError(() => act(config, use))
    if ('error' in done && !config.result.given) throw new FlowError('flow.refused', done.error.message)
    config.result.write(done)
  },
})

interface Settings {
  behavior: 'immediate' | 'schedule' | 'cancel'
  flow: string
  button: string
  version: string
  data: () => unknown
  scheduling: 'relative' | 'absolute'
  seconds: () => number | undefined
  date: () => string
  runId: () => string
}

async function act(settings: Settings, { flows, clock }: { flows: Flows; clock: Clock }) {
  if (settings.behavior === 'cancel') {
    const runId = settings.runId().trim()
    return { runId, canceled: runId !== '' && (await flows.cancel(runId)) }
  }
  const { flow, button } = settings
  const version = settings.version.trim() || 'default'
  // A copy: the other run has its payload to itself. A blank template is nothing, and leaves the word to the button.
  const data = settings.data()
  const given = data === undefined || data === '' ? {} : { data: copyBounded(data) }
  const dueAt = settings.behavior === 'schedule' ? { dueAt: dueAtOf(settings, clock.now()) } : {}
  return flows.press({ flow, button, version, ...given, ...dueAt })
}

function dueAtOf({ scheduling, seconds, date }: Settings, now: number): number {
  if (scheduling === 'absolute') return readDate(date().trim())
  const wait = seconds()
  if (wait === undefined || !Number.isFinite(wait) || wait < 0) {
    throw new Refusal('Validation', `Expected "Seconds from now" to be a number from 0, got ${wait ?? 'nothing'}`)
  }
  return now + wait * 1_000
}
