import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { FunctionPool } from '../engine/sandbox/pool.ts'
import type { HttpClient } from '../nodes/services/http.ts'
import type { Replies } from '../nodes/services/reply.ts'
import type { Functions } from '../nodes/services/run.ts'
import type { Services } from '../nodes/services.ts'
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
import { lazyObjects } from './lazy-object.ts'
import type { Mailer } from './mail.ts'
import type { Exchange } from './mqtt/exchange.ts'
import { openApi } from './resources/api/api.ts'
import { openCommands } from './resources/commands.ts'
import { openCredentials } from './resources/credentials.ts'
import type { DataTableResource } from './resources/data-tables.ts'
import { type DeviceResource, filterOf } from './resources/devices.ts'
import { openExports } from './resources/exports.ts'
import type { FileResource } from './resources/files.ts'
import { openJobService } from './resources/jobs.ts'
import { openImports } from './resources/jobs-import.ts'
import { openResourceJobs, type ResourceJobResource } from './resources/resource-jobs.ts'
import type { Resources } from './resources/resources.ts'
import { openTopics } from './resources/topics.ts'
import type { Sealer } from './seal.ts'
import type { Texter } from './sms.ts'
import type { AppStore } from './store/port.ts'
import { type Scope, scopeKey } from './store/scope.ts'
import type { TenancyRule } from './tenancy/rule.ts'

export interface ServiceDeps {
  now(): number
  debug: DebugStream
  functions: FunctionPool
  http: HttpClient
  connections: Pick<OpenConnections, 'of'>
  /** Reads stored credentials. */
  sealer: Sealer
  mailer: Mailer
  texter: Texter
  resources(app: AppStore): Resources
  jobs(app: AppStore): Jobs
  /** Where an application is reached, as `http://ID.localhost:3000`. */
  originOf(scope: Scope): string
  exchange: Exchange
  plans: Plans
  log: Logger
  pressRoom: Room
  /** Undefined: virtual buttons are not pressed here. */
  fireTrigger?: Runner['fireTrigger']
  replies(run: {
    scope: Scope
    flow: { id: string; name: string; version: string }
    ofExperience?: boolean
    globals: Record<string, unknown>
    application: { id: string; name: string }
  }): Replies
}

/** One run, and what its services are made from. */
interface Run {
  deps: ServiceDeps
  context: RunContext
}

/** The services of one run: each bound to its application, some to its flow. A run makes those that its nodes ask for. */
export function servicesOf(deps: ServiceDeps, context: RunContext): Services {
  return open({ deps, context })
}

/** What services of one run use of each other is more than nodes see of it. */
interface RunServices extends Services {
  devices: DeviceResource
  dataTables: DataTableResource
  tenancy: TenancyRule
  files: FileResource
  resourceJobs: ResourceJobResource
}

const open = lazyObjects<Run, RunServices>({
  clock: ({ deps }) => ({
    now: deps.now,
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
  }),
  debug({ deps, context }) {
    const { runId, app, flow } = context
    const callers = callersOf(context)
    return deps.debug.forRun({
      ...{ runId, scope: app.scope, flowId: flow.id, flowName: flow.name, flowVersion: flow.version },
      ...(callers.length === 0 ? {} : { callers }),
    })
  },
  values: ({ context }) => flowValues(context.app.values, storageOwner(context)),
  functions: ({ deps, context }, { debug }) => functionsOf(deps.functions, context.app.scope, debug),
  http: ({ deps }) => deps.http,
  connections: ({ deps, context }) => deps.connections.of(scopeKey(context.app.scope)),
  credentials: ({ deps, context }) => openCredentials({ app: context.app, sealer: deps.sealer }),
  mail: ({ deps, context }) => deps.mailer.forFlow(context.app, context.flow.id),
  sms: ({ deps, context }) => deps.texter.forFlow(context.app, context.flow.id),
  devices: (run) => actingOf(run).devices,
  commands: ({ deps, context }, { tenancy }) =>
    openCommands({
      ...{ app: context.app, now: deps.now, actor: actorOf(context), perform: deps.exchange.perform },
      filterOf: (criteria) => filterOf(criteria, tenancy),
    }),
  mqtt: ({ deps, context }, { devices }) =>
    openTopics({ app: context.app, now: deps.now, actor: actorOf(context), devices, exchange: deps.exchange }),
  users: ({ deps, context }) => deps.resources(context.app).users,
  groups: ({ deps, context }) => deps.resources(context.app).groups,
  tenancy: ({ deps, context }) => deps.resources(context.app).tenancy,
  events: (run) => actingOf(run).events,
  dataTables: (run) => actingOf(run).dataTables,
  files: ({ deps, context }) => deps.resources(context.app).filesAs(actorOf(context)),
  resourceJobs: ({ deps, context }) =>
    openResourceJobs({
      ...{ app: context.app, now: deps.now, jobs: deps.jobs(context.app) },
      actor: actorOf(context),
    }),
  api({ deps, context }, { devices, users, groups, events, files, resourceJobs, flows, dataTables, commands }) {
    const { app, flow } = context
    return openApi({
      ...{ app, now: deps.now, devices, users, groups, events, files, resourceJobs, flows, dataTables, commands },
      exports: openExports({
        ...{ app, now: deps.now, jobs: deps.jobs(app), by: { type: 'flow', id: flow.id } },
        origin: () => deps.originOf(app.scope),
      }),
    })
  },
  jobs({ deps, context }, { tenancy }) {
    const asking = { app: context.app, now: deps.now, tenancy, jobs: deps.jobs(context.app) }
    return { ...openJobService(asking), ...openImports(asking) }
  },
  reply({ deps, context }) {
    const { app, flows, flow } = context
    return deps.replies({
      scope: app.scope,
      flow: { id: flow.id, name: flow.name, version: flow.version },
      ofExperience: flow.experienceVersion !== undefined,
      globals: globalsOf(flows, flow),
      application: flows.application,
    })
  },
  flows: ({ deps, context }) =>
    pressesOf(context, {
      ...deps,
      jobs: deps.jobs(context.app),
      room: deps.pressRoom,
      fireTrigger: deps.fireTrigger,
    }),
  customNodes: ({ deps, context }) =>
    customNodesOf(context, { now: deps.now, services: (inner) => servicesOf(deps, inner) }),
})

function actingOf({ deps, context }: Run): ReturnType<Resources['actingAs']> {
  return deps.resources(context.app).actingAs(actorOf(context))
}

function actorOf({ flow, depth = 0 }: RunContext): { type: 'flow'; id: string; name: string; depth: number } {
  return { type: 'flow', id: flow.id, name: flow.name, depth }
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
