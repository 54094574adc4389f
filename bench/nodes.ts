import { pathToFileURL } from 'node:url'
import { compileFlow } from '../engine/compile.ts'
import type { Payload } from '../engine/payload.ts'
import { run as runPlan } from '../engine/run.ts'
import { openTemplates } from '../engine/template.ts'
import { catalog } from '../nodes/index.ts'
import { openDebugStream } from '../server/flows/debug.ts'

/** Microseconds a visit of one kind of node, in a run without I/O. */
export interface NodeFigures {
  what: string
  microseconds: number
}

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
    ...{ what: 'base64 encode, 1 KB', type: 'Base64EncodeNode', outputs: 1 },
    config: { source: 'data.text', destination: 'working.base64' },
  },
]

const VISITS = 1_000

/** Measures each kind of node in a long chain of its like, and the turns of a loop; the best of `rounds`. */
export async function run(rounds = 40): Promise<NodeFigures[]> {
  const figures: NodeFigures[] = []
  for (const one of cases) figures.push({ what: one.what, microseconds: await best(rounds, chainOf(one), payload()) })
  for (const parallel of [false, true]) {
    const data = { ...payload(), list: Array.from({ length: VISITS }, (_, index) => ({ index })) }
    const what = `loop turn with its cap, 1,000 items${parallel ? ', parallel' : ''}`
    // A turn visits one node, the cap: what is counted is the turn.
    figures.push({ what, microseconds: await best(rounds, loopOf(parallel), data) })
  }
  return figures
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
  const { plan } = compileFlow(flow, { flowClass: 'cloud', catalog, templates: openTemplates() })
  const place = { scope: { tenant: 't', application: 'a' }, flowId: 'f', flowName: 'Bench', flowVersion: 'develop' }
  const debug = openDebugStream(() => 0).forRun({ runId: 'r', ...place })
  let lowest = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) {
    const { entry } = plan.triggers[0]!
    const outcome = await runPlan({ plan, entry, payload: structuredClone(start), services: { debug } })
    if (outcome.status !== 'done') throw new Error(outcome.error?.message)
    lowest = Math.min(lowest, (outcome.milliseconds * 1_000) / VISITS)
  }
  return lowest
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const figures = await run()
  const width = Math.max(...figures.map(({ what }) => what.length))
  for (const { what, microseconds } of figures) {
    const met = microseconds < BUDGET_MICROSECONDS ? 'yes' : 'NO'
    console.log(
      `${what.padEnd(width)}  ${microseconds.toFixed(2).padStart(7)} us  within ${BUDGET_MICROSECONDS}: ${met}`,
    )
  }
}
