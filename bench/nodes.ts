import { compileFlow } from '../engine/compile.ts'
import type { Payload } from '../engine/payload.ts'
import { run as runPlan } from '../engine/run.ts'
import { openTemplates } from '../engine/template.ts'
import { catalog } from '../nodes/index.ts'
import { openDebugStream } from '../server/flows/debug.ts'
import { type Figure, round } from './figure.ts'
import type { Effort } from './rounds.ts'

const BUDGET_MICROSECONDS = 20

interface Case {
  what: string
  type: string
  config: Payload
  outputs: number
}

const cases: Case[] = [
  {
    ...{ what: 'conditional', type: 'ConditionalNode', outputs: 2 },
    config: { expression: '{{data.body.temperature}} > 30 && {{experience.user.id}} !== undefined' },
  },
  {
    ...{ what: 'mutate, one rule', type: 'MutateNode', outputs: 1 },
    config: {
      rules: [{ type: 'set', valueTemplate: '{{data.body.temperature}}', destination: 'working.temperature' }],
    },
  },
  {
    ...{ what: 'mutate, three rules', type: 'MutateNode', outputs: 1 },
    config: {
      rules: [
        { type: 'set', valueTemplate: 'Hello {{data.body.name}}', destination: 'working.greeting' },
        { type: 'set', valueTemplate: '{"a": 1}', valueTemplateType: 'json', destination: 'working.object' },
        { type: 'copy', source: 'experience.user', destination: 'working.user' },
      ],
    },
  },
  {
    ...{ what: 'switch, three cases', type: 'SwitchNode', outputs: 4 },
    config: {
      switchTemplate: '{{data.body.kind}}',
      cases: [{ caseTemplate: 'pump' }, { caseTemplate: 'fan' }, { caseTemplate: 'lamp' }],
    },
  },
  {
    ...{ what: 'math, one statement', type: 'MathNode', outputs: 1 },
    config: { statements: [{ expression: '({{data.body.temperature}} - 32) / 1.8', resultPath: 'working.celsius' }] },
  },
  {
    ...{ what: 'debug without a listener', type: 'DebugNode', outputs: 1 },
    config: { message: 'Temperature of {{data.body.name}}', level: 'info' },
  },
  {
    ...{ what: 'hash, SHA-256 of 1 KB', type: 'HashNode', outputs: 1 },
    config: { dataTemplate: '{{data.text}}', destinationPath: 'working.digest' },
  },
  {
    ...{ what: 'JWT decode', type: 'JWTDecodeNode', outputs: 1 },
    config: { tokenTemplate: '{{data.token}}', destinationPath: 'working.claims' },
  },
  {
    ...{ what: 'geofence, radius', type: 'GeofenceNode', outputs: 2 },
    config: { gpsCheck: '{{data.place}}', gpsCenter: '48.2,16.37', radius: '1000', resultPath: 'working.metres' },
  },
  {
    ...{ what: 'array, two operations', type: 'ArrayNode', outputs: 1 },
    config: {
      sourceArrayPath: 'data.items',
      rules: [
        { type: 'filter', inputTemplate: '{{currentItem.size}} > 1', outputPath: 'working.large' },
        { type: 'keyBy', inputTemplate: 'name', outputPath: 'working.byName' },
      ],
    },
  },
  {
    ...{ what: 'string, a split', type: 'StringNode', outputs: 1 },
    config: { sourceData: '{{data.names}}', method: 'split', methodArgs: [','], resultPath: 'working.names' },
  },
  {
    ...{ what: 'object, a merge', type: 'ObjectNode', outputs: 1 },
    config: {
      ...{ sourcePath: 'data.body', destPath: 'working.settings' },
      operations: [{ type: 'mergeDeep', inputTemplate: '{{experience.user}}' }],
    },
  },
  {
    ...{ what: 'validate payload, one property', type: 'ValidatePayloadNode', outputs: 2 },
    config: {
      schema: '{"type":"object","properties":{"temperature":{"type":"number"}},"required":["temperature"]}',
      ...{ toValidatePath: 'data.body', errorsPath: 'working.errors' },
    },
  },
  {
    ...{ what: 'date and time, a day later as text', type: 'DateTimeNode', outputs: 1 },
    config: {
      ...{ operation: 'add', sourcePath: 'data.at', numberValue: '1', unit: 'day', resultPath: 'working.next' },
      ...{ timezone: 'America/New_York', resultFormatString: 'YYYY-MM-DD HH:mm Z' },
    },
  },
  {
    ...{ what: 'time range', type: 'TimeRangeNode', outputs: 2 },
    config: { startTimeTemplate: '22:00', endTimeTemplate: '06:00', timeZoneTemplate: 'Europe/Berlin' },
  },
  {
    ...{ what: 'generate an id', type: 'GenerateIdNode', outputs: 1 },
    config: { idTypeTemplate: 'uuidv4', destinationPath: 'working.id' },
  },
  {
    ...{ what: 'random number', type: 'RandomNumberNode', outputs: 1 },
    config: { min: 1, max: '{{data.body.temperature}}', resultPath: 'working.number' },
  },
  {
    ...{ what: 'JSON decode', type: 'JsonDecodeNode', outputs: 1 },
    config: { source: 'data.json', destination: 'working.decoded' },
  },
  {
    ...{ what: 'JSON encode', type: 'JsonEncodeNode', outputs: 1 },
    config: { source: 'data.body', destination: 'working.encoded' },
  },
  {
    ...{ what: 'base64 encode, 1 KB', type: 'Base64EncodeNode', outputs: 1 },
    config: { source: 'data.text', destination: 'working.base64' },
  },
]

const VISITS = 1_000

/** Microseconds a visit of the commonest kinds of nodes without I/O, each in a long chain of its like, and of a turn of a loop. */
export async function run({ quick }: Effort): Promise<Figure[]> {
  const rounds = quick ? 15 : 60
  const figures: Figure[] = []
  for (const one of cases) figures.push(figureOf(one.what, await best(rounds, chainOf(one), payload())))
  for (const parallel of [false, true]) {
    const data = { ...payload(), list: Array.from({ length: VISITS }, (_, index) => ({ index })) }
    const what = `loop turn with its cap, 1,000 items${parallel ? ', parallel' : ''}`
    // A turn visits one node, the cap: what is counted is the turn.
    figures.push(figureOf(what, await best(rounds, loopOf(parallel), data)))
  }
  return figures
}

function figureOf(what: string, microseconds: number): Figure {
  const met = microseconds <= BUDGET_MICROSECONDS
  return { what: `node: ${what}`, figure: `${round(microseconds)} us`, budget: `<= ${BUDGET_MICROSECONDS} us`, met }
}

function payload(): Payload {
  return {
    time: new Date(0),
    data: {
      ...{ body: { temperature: 31, name: 'Generator 9', kind: 'lamp' }, replyId: 'e.1', headers: {} },
      ...{
        text: 'x'.repeat(1_024),
        token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl',
        place: '48.205,16.371',
        ...{ names: 'Ada,Grace,Edith', at: '2024-03-09T17:00:00Z', json: '{"id":7,"tags":["a","b"]}' },
        items: [1, 2, 3].map((size) => ({ name: `pump ${size}`, size })),
      },
    },
    experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70', email: 'ada@example.com', experienceGroups: [] } },
    globals: {},
  }
}

function chainOf({ type, config, outputs }: Case): unknown {
  const nodes = Array.from({ length: VISITS }, (_, index) => {
    const next = index + 1 < VISITS ? [`n${index + 1}`] : []
    return { id: `n${index}`, type, config, outputIds: Array.from({ length: outputs }, () => next) }
  })
  return { triggers: [{ type: 'virtualButton', outputIds: [['n0']] }], nodes }
}

function loopOf(parallel: boolean): unknown {
  const config = { loopSourcePath: 'list', currentItemPath: 'working.current', parallel }
  const cap = { id: 'cap', type: 'LoopCapNode', config: { loopNodeId: 'loop' }, meta: { groupId: 'loop' } }
  const nodes = [{ id: 'loop', type: 'LoopNode', config, outputIds: [[], ['cap']] }, cap]
  return { triggers: [{ type: 'virtualButton', outputIds: [['loop']] }], nodes }
}

// The best of several rounds: what other work on the machine adds is no cost of a visit.
async function best(rounds: number, flow: unknown, start: Payload): Promise<number> {
  const { plan, problems } = compileFlow(flow, { flowClass: 'cloud', catalog, templates: openTemplates() })
  if (problems.length > 0) throw new Error(problems[0]!.message)
  const place = { scope: { tenant: 't', application: 'a' }, flowId: 'f', flowName: 'Bench', flowVersion: 'develop' }
  const debug = openDebugStream(() => 0).forRun({ runId: 'r', ...place })
  const clock = { now: () => 0 }
  let lowest = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) {
    const { entry } = plan.triggers[0]!
    const outcome = await runPlan({ plan, entry, payload: structuredClone(start), services: { debug, clock } })
    if (outcome.status !== 'done') throw new Error(outcome.error?.message)
    lowest = Math.min(lowest, (outcome.milliseconds * 1_000) / VISITS)
  }
  return lowest
}
