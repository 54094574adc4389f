import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { parse } from 'yaml'
import type { PlanTrigger } from '../../engine/compile.ts'
import type { Payload } from '../../engine/payload.ts'
import { run } from '../../engine/run.ts'
import type { Reply } from '../../nodes/services.ts'
import { importFolder } from '../bundle/import-folder.ts'
import { ConfigError, readConfig } from '../config.ts'
import { startPayload } from '../flows/payload.ts'
import type { RunnableFlow } from '../flows/plans.ts'
import { now, openRuntime } from '../runtime.ts'
import type { FlowContent } from '../store/documents.ts'
import type { Scope, Store } from '../store/port.ts'
import { openSqlite } from '../store/sqlite.ts'
import type { CommandIo } from './io.ts'

const usage = 'run FLOW --payload JSON|@FILE [--trigger KEY] [--app DIR] [--json]'

/**
 * `run FLOW`: runs a flow once, in a store of its own that is thrown away, and prints its trace. FLOW is a flow file, or
 * the name of a flow of the application given by `--app`. Exit code 1 when the run fails.
 */
export async function runCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      payload: { type: 'string', default: '{}' },
      trigger: { type: 'string' },
      app: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [flow] = positionals
  if (flow === undefined || positionals.length > 1) throw new ConfigError(`Expected one flow: ${usage}`)
  const payload = await readPayload(values.payload)
  const dataDir = await mkdtemp(join(tmpdir(), 'headgate-run-'))
  try {
    const config = readConfig({ ...io.env, DATA_DIR: dataDir })
    const store = await openSqlite({ file: config.storeFile })
    try {
      const log = pino({ level: 'error' }, pino.destination(2))
      return await runOnce({ ...values, flow, payload, store, runtime: openRuntime({ config, log }), io })
    } finally {
      await store.close()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

interface Once {
  flow: string
  payload: Payload
  trigger?: string
  app?: string
  json: boolean
  store: Store
  runtime: ReturnType<typeof openRuntime>
  io: CommandIo
}

async function runOnce({ flow: wanted, payload: given, trigger: key, app: folder, json, store, runtime, io }: Once) {
  const messages: { node: string; level: string; message: string; value: unknown }[] = []
  const replies: Reply[] = []
  runtime.debug.listen(({ nodeId: node, level, message, value }) => messages.push({ node, level, message, value }))
  try {
    const scope =
      folder === undefined ? await emptyApplication(store) : (await importFolder({ store, folder, io })).scope
    const app = store.app(scope)
    const id = await flowId(store, scope, wanted)
    const flows = await runtime.plans.of(app)
    const flow = flows.flows.find((one) => one.id === id)
    if (!flow) throw new ConfigError(`Expected a flow file, or the name of an enabled flow with --app, got "${wanted}"`)
    const trigger = chooseTrigger(flow, key)
    const time = new Date(now())
    const relay = { type: 'user', id: '0'.repeat(24) }
    const start = { triggerId: trigger.key, triggerType: trigger.published, time, data: {}, relay }
    const payload = { ...startPayload(flows, flow, start), ...given }
    const context = { runId: 'run', app, flows, flow }
    const services = runtime.services(context, () => ({ send: async (_replyId, reply) => void replies.push(reply) }))
    const outcome = await run({
      plan: flow.plan,
      entry: trigger.entry,
      payload,
      services: services as unknown as Record<string, unknown>,
    })
    const { cause: _, ...error } = outcome.error ?? { cause: undefined }
    const trace = { ...outcome, ...(outcome.error ? { error } : {}), messages, replies }
    if (json) io.out(JSON.stringify(trace, null, 2))
    else print(trace, flow, io)
    return outcome.status === 'done' ? 0 : 1
  } finally {
    await runtime.close()
  }
}

async function readPayload(given: string): Promise<Payload> {
  const source = given.startsWith('@') ? await readText(given.slice(1)) : given
  try {
    const payload: unknown = JSON.parse(source)
    if (payload !== null && typeof payload === 'object' && !Array.isArray(payload)) return payload as Payload
  } catch (error) {
    throw new ConfigError(`--payload: expected JSON, or @FILE with JSON: ${(error as Error).message}`)
  }
  throw new ConfigError(`--payload: expected a JSON object, got ${source.slice(0, 100)}`)
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error) => {
    throw new ConfigError(`Expected a file that can be read, got ${file} (${(error as Error).message})`)
  })
}

async function emptyApplication(store: Store): Promise<Scope> {
  const scope = { tenant: 'local', application: randomBytes(12).toString('hex') }
  const secret = randomBytes(32).toString('hex')
  const document = { id: scope.application, name: 'Run', globals: [], secret }
  await store.app(scope).collection('application').insert(document)
  return scope
}

// A file becomes one more flow of the application; anything else is the name of a flow that it has.
async function flowId(store: Store, scope: Scope, wanted: string): Promise<string> {
  const flows = store.app(scope).collection('flows')
  if (!/\.(json|ya?ml)$/i.test(wanted)) {
    const named = await flows.first({ field: 'name', op: 'eq', value: wanted })
    return named?.id ?? ''
  }
  const content = contentOf(parse(await readText(wanted)), wanted)
  const flowClass = (content.flowClass as 'cloud' | undefined) ?? 'cloud'
  const name = typeof content.name === 'string' ? content.name : wanted
  const { id } = await flows.insert({
    name,
    flowClass: flowClass === 'cloud' ? 'cloud' : flowClass,
    enabled: true,
    content,
  })
  return id
}

function contentOf(raw: unknown, file: string): FlowContent {
  const resources = (raw as { resources?: unknown[] } | null)?.resources
  const flow = Array.isArray(resources) ? resources[0] : raw
  if (flow === null || typeof flow !== 'object') throw new ConfigError(`Expected a flow in ${file}, got ${typeof flow}`)
  return { triggers: [], nodes: [], globals: [], ...flow }
}

function chooseTrigger(flow: RunnableFlow, key: string | undefined): PlanTrigger {
  const { triggers } = flow.plan
  const found = key === undefined ? triggers[0] : triggers.find((one) => one.key === key || one.type === key)
  if (found) return found
  const known = triggers.map((one) => one.key || one.type).join(', ') || 'none'
  throw new ConfigError(`--trigger: expected one of ${known}, got ${key ?? 'nothing'}`)
}

function print(
  trace: Pick<Awaited<ReturnType<typeof run>>, 'status' | 'visits' | 'milliseconds' | 'payload'> & {
    error?: { message?: string; code?: string }
    messages: { level: string; message: string }[]
    replies: Reply[]
  },
  flow: RunnableFlow,
  io: CommandIo,
): void {
  const labels = new Map(flow.plan.nodes.map(({ place }) => [place.id, place.label]))
  for (const { node, output, milliseconds } of trace.visits) {
    io.out(`${milliseconds.toFixed(2).padStart(9)} ms  ${labels.get(node) ?? node} (${node}) -> ${output ?? 'end'}`)
  }
  for (const { level, message } of trace.messages) io.out(`${level}: ${message}`)
  for (const reply of trace.replies) io.out(`reply: ${JSON.stringify(reply)}`)
  io.out(JSON.stringify(trace.payload, null, 2))
  io.out(
    trace.error
      ? `failed: ${trace.error.message} (${trace.error.code})`
      : `done in ${trace.milliseconds.toFixed(2)} ms`,
  )
}
