import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { FunctionPool } from '../engine/sandbox/pool.ts'
import type { Functions, HttpClient, Replies, Services } from '../nodes/services.ts'
import type { OpenConnections } from './connections/connections.ts'
import type { Room } from './experience/room.ts'
import { callersOf, customNodesOf, storageOwner } from './flows/custom-nodes.ts'
import type { DebugStream } from './flows/debug.ts'
import { flowValues } from './flows/flow-values.ts'
import { globalsOf } from './flows/payload.ts'
import type { Plans } from './flows/plans.ts'
import { pressesOf } from './flows/presses.ts'
import type { RunContext, Runner } from './flows/runner.ts'
import type { Jobs } from './jobs/port.ts'
import type { Mailer } from './mail.ts'
import type { Exchange } from './mqtt/exchange.ts'
import { openApi } from './resources/api/api.ts'
import { openCommands } from './resources/commands.ts'
import { filterOf } from './resources/devices.ts'
import { openJobService } from './resources/jobs.ts'
import { openImports } from './resources/jobs-import.ts'
import { openResourceJobs } from './resources/resource-jobs.ts'
import type { Resources } from './resources/resources.ts'
import { openTopics } from './resources/topics.ts'
import type { Texter } from './sms.ts'
import type { AppStore } from './store/port.ts'
import { type Scope, scopeKey } from './store/scope.ts'

export interface ServiceDeps {
  now(): number
  debug: DebugStream
  functions: FunctionPool
  http: HttpClient
  connections: Pick<OpenConnections, 'of'>
  mailer: Mailer
  texter: Texter
  resources(app: AppStore): Resources
  jobs(app: AppStore): Jobs
  exchange: Exchange
  plans: Plans
  log: Logger
  pressRoom: Room
  /** Undefined: virtual buttons are not pressed here. */
  fireTrigger?: Runner['fireTrigger']
  replies(run: {
    scope: Scope
    flow: { id: string; name: string; version: string }
    globals: Record<string, unknown>
    application: { id: string; name: string }
  }): Replies
}

/** The services of one run: each bound to its application, some to its flow. */
export function servicesOf(deps: ServiceDeps, context: RunContext): Services {
  const { runId, app, flows, flow, depth = 0 } = context
  const { scope } = app
  const callers = callersOf(context)
  const debug = deps.debug.forRun({
    ...{ runId, scope, flowId: flow.id, flowName: flow.name, flowVersion: flow.version },
    ...(callers.length === 0 ? {} : { callers }),
  })
  const actor = { type: 'flow', id: flow.id, name: flow.name, depth } as const
  const { users, groups, tenancy, actingAs, filesAs } = deps.resources(app)
  const { devices, events, dataTables } = actingAs(actor)
  const files = filesAs({ type: 'flow', id: flow.id, name: flow.name, depth })
  const resourceJobs = openResourceJobs({
    ...{ app, now: deps.now, jobs: deps.jobs(app) },
    actor: { type: 'flow', id: flow.id, name: flow.name, depth },
  })
  const buttons = pressesOf(context, {
    ...deps,
    jobs: deps.jobs(app),
    room: deps.pressRoom,
    fireTrigger: deps.fireTrigger,
  })
  const asking = { app, now: deps.now, tenancy, jobs: deps.jobs(app) }
  return {
    clock: { now: deps.now, sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }) },
    debug,
    values: flowValues(app.values, storageOwner(context)),
    functions: functionsOf(deps.functions, scope, debug),
    http: deps.http,
    connections: deps.connections.of(scopeKey(scope)),
    mail: deps.mailer.forFlow(app, flow.id),
    sms: deps.texter.forFlow(app, flow.id),
    devices,
    commands: openCommands({
      ...{ app, now: deps.now, actor, perform: deps.exchange.perform },
      filterOf: (criteria) => filterOf(criteria, tenancy),
    }),
    mqtt: openTopics({ app, now: deps.now, actor, devices, exchange: deps.exchange }),
    users,
    groups,
    tenancy,
    events,
    dataTables,
    files,
    resourceJobs,
    api: openApi({ app, now: deps.now, devices, users, groups, events, files, resourceJobs, flows: buttons }),
    jobs: { ...openJobService(asking), ...openImports(asking) },
    reply: deps.replies({
      scope,
      flow: { id: flow.id, name: flow.name, version: flow.version },
      globals: globalsOf(flows, flow),
      application: flows.application,
    }),
    flows: buttons,
    customNodes: customNodesOf(context, { now: deps.now, services: (inner) => servicesOf(deps, inner) }),
  }
}

function functionsOf(pool: FunctionPool, scope: Scope, debug: Services['debug']): Functions {
  const levels = { log: 'verbose', info: 'info', warn: 'warn', error: 'error' } as const
  return {
    async run({ script, value, node, signal }) {
      const { value: result, logs } = await pool.run({
        script,
        value,
        application: scopeKey(scope),
        signal,
      })
      for (const { level, text } of logs) debug.write({ node, level: levels[level], message: text })
      return result
    },
  }
}
