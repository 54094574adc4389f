import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { AnyNode, NodeExample } from '../../engine/node.ts'
import { copyValue } from '../../engine/payload.ts'
import { run } from '../../engine/run.ts'
import { type FunctionPool, openFunctionPool } from '../../engine/sandbox/pool.ts'
import type { Reply } from '../../nodes/services/reply.ts'
import type { Services } from '../../nodes/services.ts'
import { scopeOf } from '../bundle/import.ts'
import { localTenant } from '../bundle/import-folder.ts'
import { type Config, readConfig } from '../config.ts'
import { withClock } from '../flow-tests/function-clock.ts'
import { httpStandIn, recordedMail, type SentMail } from '../flow-tests/stand-ins.ts'
import { standingClock } from '../flow-tests/standing-clock.ts'
import { withOwn } from '../lazy-object.ts'
import { hashPassword } from '../resources/passwords.ts'
import { openRuntime } from '../runtime.ts'
import { openSqlite } from '../store/sqlite.ts'
import { messageReply } from '../websockets/message-reply.ts'
import { examplePassword, exampleTime, fillExampleWorld } from './example-world.ts'
import { steady } from './steady.ts'

/** What came of an example when it was run. What is different each time stands in it as "…". */
export interface ExampleResult {
  /** Name of the output, or its position where outputs grow with the settings; undefined: the branch ends here. */
  output: string | undefined
  payload: unknown
  error: { code: string; message: string } | undefined
  mails: SentMail[]
  replies: Reply[]
  messages: { level: string; message: string; value: unknown }[]
}

export interface ExampleRunner {
  /** Runs an example in an application of its own; undefined where it needs more than there is here. */
  run(node: AnyNode, example: NodeExample): Promise<ExampleResult | undefined>
  close(): Promise<void>
}

// Services that need nothing outside this process. A node that wants more is described by its example alone.
const inside: ReadonlySet<string> = new Set<keyof Services>([
  ...(['clock', 'debug', 'values', 'functions', 'http', 'mail', 'devices', 'users', 'groups'] as const),
  ...(['tenancy', 'events', 'dataTables', 'jobs', 'files', 'resourceJobs', 'api', 'reply', 'credentials'] as const),
])

/** Opens what examples run with. The caller closes it. */
export async function openExamples(): Promise<ExampleRunner> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-docs-'))
  const functions = openFunctionPool()
  const config = readConfig({ DATA_DIR: folder })
  const passwordHash = await hashPassword(examplePassword)
  return {
    async run(node, example) {
      if (!node.needs.every((need: string) => inside.has(need))) return undefined
      const tools = { config, functions, passwordHash }
      // Twice: what differs is of this run alone, such as a new id.
      const [first, second] = [await runOnce(node, example, tools), await runOnce(node, example, tools)]
      return steady(first, second)
    },
    async close() {
      await functions.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Tools {
  config: Config
  functions: FunctionPool
  passwordHash: string
}

async function runOnce(node: AnyNode, example: NodeExample, tools: Tools): Promise<ExampleResult | undefined> {
  const { config, functions, passwordHash } = tools
  const clock = { now: exampleTime }
  const { http } = httpStandIn([{ request: 'https://*', body: [{ id: 1, name: 'Pump 1' }] }])
  const parts = { now: () => clock.now, http, functions }
  const runtime = openRuntime({ config, log: pino({ level: 'silent' }), parts })
  const store = await openSqlite({ file: ':memory:' })
  try {
    const app = store.app({ ...(await scopeOf(store, 'example', localTenant)), application: 'a'.repeat(24) })
    await fillExampleWorld(app, { passwordHash, devices: runtime.resources(app).devices })
    const { id } = await app.collection('flows').insert({ id: 'f'.repeat(24), ...flowOf(node, example) })
    const flows = await runtime.plans.of(app)
    const flow = flows.flows.find((one) => one.id === id)!
    const replies: Reply[] = []
    const messages: ExampleResult['messages'] = []
    runtime.debug.listen(({ level, message, value }) => void messages.push({ level, message, value }))
    const real = runtime.services({ runId: 'example', app, flows, flow }, () => ({
      send: async (_replyId, reply) => void replies.push(reply),
      message: async (_client, message) => void replies.push(messageReply(message)),
    }))
    const mails: SentMail[] = []
    const mail = recordedMail(real.mail, mails)
    const ours = { mail, clock: standingClock(clock), functions: withClock(real.functions, clock) }
    const services = withOwn(real, ours)
    const payload = copyValue({ time: new Date(exampleTime), ...example.payload })
    const outcome = await withoutChance(() => run({ plan: flow.plan, entry: [0], payload, services }))
    const { error } = outcome
    if (error && error.code !== example.error) return undefined
    const { time: _time, ...rest } = outcome.payload
    const index = outcome.visits[0]?.output
    return {
      output: index === undefined ? undefined : ((node.outputs as readonly string[])[index] ?? String(index)),
      payload: Object.hasOwn(example.payload, 'time') ? outcome.payload : rest,
      error: error && { code: error.code, message: error.message },
      ...{ mails, replies, messages },
    }
  } finally {
    await runtime.close()
    await store.close()
  }
}

// Numbers by chance would now and then be the same in both runs; these always are.
async function withoutChance<T>(work: () => Promise<T>): Promise<T> {
  const { random } = Math
  let seed = 1
  Math.random = () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  try {
    return await work()
  } finally {
    Math.random = random
  }
}

function flowOf(node: AnyNode, { config }: NodeExample) {
  const flowClass =
    (['cloud', 'experience', 'customNode'] as const).find((one) => !node.notIn?.includes(one)) ?? 'cloud'
  const nodes = [{ id: 'example', type: node.type, config, outputIds: [] }]
  return { name: 'Example', flowClass, enabled: true, content: { triggers: [], nodes, globals: [] } }
}
