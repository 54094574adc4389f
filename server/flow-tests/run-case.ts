import { join } from 'node:path'
import type { Logger } from 'pino'
import { FlowError } from '../../engine/errors.ts'
import { run } from '../../engine/run.ts'
import type { FunctionPool } from '../../engine/sandbox/pool.ts'
import { catalog } from '../../nodes/index.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { chooseTrigger } from '../cli/run-trigger.ts'
import { type Config, ConfigError } from '../config.ts'
import { noConnections } from '../connections/none.ts'
import type { DebugMessage } from '../flows/debug.ts'
import { openPlans, type RunnableFlow } from '../flows/plans.ts'
import { openAttempts } from '../resources/attempts.ts'
import { openRuntime, type Runtime } from '../runtime.ts'
import type { AppStore } from '../store/port.ts'
import { compareAfter, idsOf } from './after.ts'
import { caseServices } from './case-services.ts'
import { clockedCatalog } from './clocked-catalog.ts'
import { compareRun } from './compare.ts'
import type { Coverages } from './coverage.ts'
import type { Mismatch } from './match.ts'
import { rehearsal } from './rehearse.ts'
import { replyRecorder } from './replies.ts'
import { httpStandIn, type SentMail } from './stand-ins.ts'
import { casePayload, prepare, viewOf } from './start.ts'
import type { TestCase } from './test-file.ts'
import type { World } from './world.ts'

/** What became of one case. */
export interface CaseResult {
  name: string
  milliseconds: number
  /** Empty: it passed. */
  mismatches: Mismatch[]
  /** Why it could not be run at all, such as a trigger that does not exist. */
  problem?: string
}

export interface CaseRequest {
  world: World
  test: TestCase
  /** Where the wires are counted that this case takes. */
  coverages: Coverages
  /** Private to this case. */
  folder: string
  config: Config
  log: Logger
  functions: FunctionPool
}

/** Runs one case in an application of its own. Rejects only for a fault of ours. */
export async function runCase(request: CaseRequest): Promise<CaseResult> {
  const { world, folder, config, log, functions } = request
  const started = performance.now()
  const test = world.resolve(request.test)
  const clock = { now: test.clock }
  const outside = httpStandIn(test.http)
  const parts = {
    ...{ now: () => clock.now, functions, http: outside.http, attempts: openAttempts() },
    connections: { of: () => noConnections('A flow test connects to no database') },
  }
  const runtime = openRuntime({ config: { ...config, dataDir: folder }, log, parts })
  const store = await world.open(join(folder, 'case.db'))
  const end = (rest: Pick<CaseResult, 'mismatches' | 'problem'>) => {
    return { name: test.name, milliseconds: performance.now() - started, ...rest }
  }
  try {
    const stage = { ...request, test, runtime, clock, outside, app: store.app(world.scope) }
    return end({ mismatches: await perform(stage) })
  } catch (error) {
    const isTests = [ConfigError, FlowError, Refusal].some((kind) => error instanceof kind)
    if (!isTests) throw error
    return end({ mismatches: [], problem: (error as Error).message })
  } finally {
    await runtime.close()
    await store.close()
  }
}

interface Stage extends CaseRequest {
  app: AppStore
  runtime: Runtime
  clock: { now: number }
  outside: ReturnType<typeof httpStandIn>
}

async function perform(stage: Stage): Promise<Mismatch[]> {
  const { app, runtime, test, world, clock, outside } = stage
  // Compiled here and not by the runtime: their templates see the clock of the test.
  const flows = await openPlans(clockedCatalog(catalog, clock)).of(app)
  const found = flows.flows.find((one) => one.id === world.flowId)
  if (!found) throw new ConfigError('Expected a flow of a class that runs here')
  const coverage = stage.coverages.ofFlow(found.plan)
  const plan = rehearsal(found.plan, test, coverage)
  const flow = { ...found, plan }
  const resources = runtime.resources(app)
  await prepare(test, { app, resources, flowId: flow.id })
  const known = await idsOf(app, test.expect)

  const chosen = await triggerOf(test, { app, flow })
  coverage.beginAt(plan.triggers.indexOf(chosen.trigger))
  const payload = await casePayload(test, { app, flows, flow, resources, ...chosen })
  const recorder = await replyRecorder({ app, world, clock, flow, view: viewOf(payload, flows) })
  const messages: DebugMessage[] = []
  runtime.debug.listen((message) => void messages.push(message))
  const context = { runId: 'test', app, flows, flow }
  const real = runtime.services(context, () => recorder.replies)
  const mails: SentMail[] = []
  const services = caseServices(real, { flows, clock, mails, coverages: stage.coverages })
  const limits = { milliseconds: test.timeoutMs }
  const outcome = await run({ plan, entry: chosen.trigger.entry, payload, services, limits })
  // A mock that does not fit its node: the test is wrong, whatever the run made of it.
  if (outcome.error?.cause instanceof ConfigError) throw outcome.error.cause

  const { sent: requests, unanswered } = outside
  const places = plan.nodes.map(({ place }) => place)
  return [
    ...compareRun(test.expect, { outcome, reply: recorder.reply(), mails, requests, messages, places }),
    ...(await compareAfter(test.expect, { app, flowId: flow.id, resources, known })),
    ...unanswered.map((one) => ({ at: 'http', expected: 'an answer in the test', got: `the request ${one}` })),
  ]
}

async function triggerOf({ trigger: wanted }: TestCase, { app, flow }: { app: AppStore; flow: RunnableFlow }) {
  if (typeof wanted !== 'number') return chooseTrigger(app, flow, wanted)
  const { triggers } = flow.plan
  const trigger = triggers[wanted]
  if (!trigger) throw new ConfigError(`Expected "trigger" to be below ${triggers.length}, got ${wanted}`)
  // The data is that of its key; several triggers may have one key.
  return { ...(await chooseTrigger(app, flow, trigger.key || trigger.type)), trigger }
}
