import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import type { Payload } from '../../engine/payload.ts'
import { run } from '../../engine/run.ts'
import type { Reply } from '../../nodes/services/reply.ts'
import { importFolder } from '../bundle/import-folder.ts'
import { type Config, ConfigError, readConfig } from '../config.ts'
import { startPayload } from '../flows/payload.ts'
import { now, openRuntime } from '../runtime.ts'
import type { AppStore, Store } from '../store/port.ts'
import { openSqlite } from '../store/sqlite.ts'
import { messageReply } from '../websockets/message-reply.ts'
import type { CommandIo } from './io.ts'
import { addFlow, applicationOf, findFlow, isFlowFile, libraryFile, textOf } from './run-flow.ts'
import { printTrace, type RunTrace } from './run-print.ts'
import { chooseTrigger } from './run-trigger.ts'

const usage = 'run FLOW --payload JSON|@FILE [--trigger KEY] [--app DIR] [--json]'

/**
 * `run FLOW`: runs a flow once, in a store of its own that is thrown away, and prints its trace. FLOW is a flow file, or the name
 * of a flow of the application given by `--app`, without that of one of the flow library. A file in an application folder runs in
 * that application, unless `--app` gives another. Exit code 1 when the run fails.
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
  const dataDir = mkdtempSync(join(tmpdir(), 'headgate-run-'))
  const clean = () => rmSync(dataDir, { recursive: true, force: true })
  const stop = (_signal: string, number: number) => {
    clean()
    process.exit(128 + number)
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
  try {
    const config = readConfig({ ...io.env, DATA_DIR: dataDir })
    const store = await openSqlite({ file: ':memory:' })
    try {
      return await runOnce({ ...values, flow, payload, store, config, io })
    } finally {
      await store.close()
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop)
    clean()
  }
}

interface Once {
  flow: string
  payload: Payload
  trigger?: string
  app?: string
  json: boolean
  store: Store
  config: Config
  io: CommandIo
}

async function runOnce({ payload: given, trigger: wanted, json, store, config, io, ...named }: Once): Promise<number> {
  const { app, id } = await prepare({ ...named, store, config, io })
  const runtime = openRuntime({ config, log: pino({ level: 'error' }, pino.destination(2)) })
  const messages: RunTrace['messages'] = []
  const replies: Reply[] = []
  runtime.debug.listen(({ nodeId: node, level, message, value }) => messages.push({ node, level, message, value }))
  try {
    const flows = await runtime.plans.of(app)
    const own = flows.flows.filter((one) => one.id === id)
    const flow = own.find((one) => one.version === 'develop') ?? own[0]
    if (!flow) throw new ConfigError(`Expected a flow that can run, got "${named.flow}"`)
    const { trigger, data } = await chooseTrigger(app, flow, wanted)
    const relay = { type: 'user', id: '0'.repeat(24) }
    const start = { triggerId: trigger.key, triggerType: trigger.published, time: new Date(now()), data, relay }
    const payload = { ...startPayload(flows, flow, start), ...given, data: { ...data, ...asObject(given.data) } }
    const services = runtime.services({ runId: 'run', app, flows, flow }, () => ({
      send: async (_replyId, reply) => void replies.push(reply),
      message: async (_client, message) => void replies.push(messageReply(message)),
    }))
    const outcome = await run({
      ...{ plan: flow.plan, entry: trigger.entry, payload },
      services,
      limits: { milliseconds: config.runTimeoutMs },
    })
    const { cause: _, ...error } = outcome.error ?? { cause: undefined }
    const trace = { ...outcome, ...(outcome.error ? { error } : {}), messages, replies } as RunTrace
    if (json) io.out(JSON.stringify(trace, null, 2))
    else printTrace(trace, flow, io)
    return outcome.status === 'done' ? 0 : 1
  } finally {
    await runtime.close()
  }
}

/** The application to run in, and the flow in it. */
async function prepare({
  flow,
  app: given,
  store,
  config,
  io,
}: Pick<Once, 'flow' | 'app' | 'store' | 'config' | 'io'>): Promise<{ app: AppStore; id: string }> {
  const file = isFlowFile(flow) ? flow : given === undefined ? await libraryFile(flow) : undefined
  if (file === undefined && given === undefined) {
    throw new ConfigError(`Expected a flow file, or --app with the folder that has the flow "${flow}": ${usage}`)
  }
  // Read before anything is imported: a name that is misspelt is told at once.
  if (file !== undefined) await textOf(file)
  const folder = given ?? (file === undefined ? undefined : applicationOf(file))
  const env = { ...io.env, DATA_DIR: config.dataDir }
  const scope = folder === undefined ? undefined : (await importFolder({ store, folder, io: { ...io, env } })).scope
  const app = scope === undefined ? await emptyApplication(store) : store.app(scope)
  return { app, id: file === undefined ? await findFlow(app, flow) : await addFlow(app, file, config) }
}

async function emptyApplication(store: Store): Promise<AppStore> {
  const scope = { tenant: 'local', application: randomBytes(12).toString('hex') }
  const secret = randomBytes(32).toString('hex')
  const app = store.app(scope)
  await app.collection('application').insert({ id: scope.application, name: 'Run', globals: [], secret })
  return app
}

async function readPayload(given: string): Promise<Payload> {
  const source = given.startsWith('@') ? await textOf(given.slice(1)) : given
  const payload = parsePayload(source)
  if (payload !== null && typeof payload === 'object' && !Array.isArray(payload)) return payload as Payload
  throw new ConfigError(`--payload: expected a JSON object, got ${source.slice(0, 100)}`)
}

function parsePayload(source: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    throw new ConfigError(`--payload: expected JSON, or @FILE with JSON: ${(error as Error).message}`)
  }
}

function asObject(value: unknown): object {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {}
}
