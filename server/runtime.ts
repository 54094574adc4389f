import { join } from 'node:path'
import type { Logger } from 'pino'
import { type FunctionPool, openFunctionPool } from '../engine/sandbox/pool.ts'
import { catalog } from '../nodes/index.ts'
import type { HttpClient } from '../nodes/services/http.ts'
import type { Services } from '../nodes/services.ts'
import type { Config } from './config.ts'
import { type OpenConnections, openConnections } from './connections/connections.ts'
import { openEgress } from './egress.ts'
import { type DebugStream, openDebugStream } from './flows/debug.ts'
import { type Fire, openFire } from './flows/fire.ts'
import { openInactivity } from './flows/inactivity.ts'
import { openPlans, type Plans } from './flows/plans.ts'
import { openPressRoom } from './flows/presses.ts'
import type { RunContext } from './flows/runner.ts'
import { openSystems } from './flows/systems.ts'
import { deviceImportJob } from './jobs/device-import.ts'
import { exportJob } from './jobs/export.ts'
import { exportCallbackJob } from './jobs/export-callback.ts'
import { exportCleanupJob } from './jobs/export-cleanup.ts'
import { openJobs } from './jobs/jobs.ts'
import type { JobDefinition, Queue } from './jobs/port.ts'
import { resourceJob } from './jobs/resource-job.ts'
import { openMailer } from './mail.ts'
import { type Exchange, openExchange } from './mqtt/exchange.ts'
import { noRelay, type Relay } from './mqtt/relay.ts'
import { publicOrigin } from './public-url.ts'
import type { Attempts } from './resources/attempts.ts'
import type { Actor, Happening } from './resources/happenings.ts'
import { openResources, type Resources } from './resources/resources.ts'
import { openSealer } from './seal.ts'
import { type ServiceDeps, servicesOf } from './services.ts'
import { openTexter } from './sms.ts'
import type { AppStore } from './store/port.ts'
import type { Scope } from './store/scope.ts'

/** What runs need, whoever starts them: compiled flows, services, the debug log. */
export interface Runtime {
  plans: Plans
  debug: DebugStream
  /** What devices and flows say to each other. */
  exchange: Exchange
  /** Starts what listens. Never rejects. */
  happened: Fire['happened']
  resources(app: AppStore): Resources
  /** Gets the first process for function nodes ready, without waiting for it. */
  warm(): void
  /** Without `fireTrigger` flows press no buttons: that takes a server. */
  /** Runs that the guards against loops have left out since the start. */
  droppedRuns(): number
  services(context: RunContext, replies: ServiceDeps['replies'], fireTrigger?: ServiceDeps['fireTrigger']): Services
  /** What flows put on the queue, for `Queue.work`. */
  jobs: readonly JobDefinition[]
  close(): Promise<void>
}

export const now = () => Date.now()

/** What a runtime can be given in the place of its own; whoever gives it closes it. */
export interface RuntimeParts {
  now(): number
  functions: FunctionPool
  http: HttpClient
  connections: Pick<OpenConnections, 'of'>
  /** Failed logins; default those of this process. */
  attempts: Attempts
}

export interface RuntimeOptions {
  config: Config
  log: Logger
  /** Undefined: there are no workers; mails are sent at once, and nothing starts on devices and events. */
  queue?: Queue
  /** Default: there is no other process. */
  relay?: Relay
  parts?: Partial<RuntimeParts>
}

/** Opens everything that runs share. Who serves requests says where replies go. */
export function openRuntime(options: RuntimeOptions): Runtime {
  const { config, log, queue, relay = noRelay, parts = {} } = options
  const clock = parts.now ?? now
  const functions = parts.functions ?? openFunctionPool()
  const egress = openEgress({ allowPrivate: config.egressAllow })
  const http = parts.http ?? egress
  const ownConnections = openConnections({ allowPrivate: config.egressAllow })
  const connections = parts.connections ?? ownConnections
  const outbox = join(config.dataDir, 'outbox')
  const sealer = openSealer(config.secretKey)
  const mailer = openMailer({ smtpUrl: config.smtpUrl, from: config.mailFrom, outbox, queue, now: clock })
  const texter = openTexter({ smsUrl: config.smsUrl, outbox, http, now: clock })
  const debug = openDebugStream(clock)
  const plans = openPlans(catalog)
  const inactivity = queue && openInactivity({ plans, queue, now: clock })
  const fire = queue && openFire({ plans, queue, log, now: clock, inactivity })
  const happened: Fire['happened'] = async (...what) => await fire?.happened(...what)
  const exchange = openExchange({ now: clock, relay, happened })
  const pressRoom = openPressRoom()
  const opened = new WeakMap<AppStore, Resources>()
  const resources = (app: AppStore) => {
    const told =
      fire &&
      (async (happening: Happening, by: Actor) => {
        await fire.happened(app, happening, by)
        if (happening.kind === 'state') await systems?.reported(app, happening.device)
      })
    const known = opened.get(app) ?? openResources({ app, now: clock, attempts: parts.attempts, happened: told })
    opened.set(app, known)
    return known
  }
  const systems = queue && openSystems({ log, queue, now: clock, resources })
  const originOf = ({ application }: Scope) => publicOrigin(config, `${application}.${config.baseDomain}`)
  // Without workers here, what is put into the store waits for those of a server.
  const alone = { now: clock, wake: () => undefined, nudge: () => undefined }
  const jobsOf = (app: AppStore) => queue?.of(app) ?? openJobs({ app, ...alone })
  return {
    plans,
    debug,
    exchange,
    happened,
    resources,
    jobs: [
      mailer.job,
      exportJob({ now: clock, jobsOf }),
      exportCleanupJob({ now: clock, jobsOf }),
      exportCallbackJob({ http }),
      deviceImportJob({ happened: fire?.happened }),
      resourceJob({ now: clock, plans, jobsOf, resources }),
      ...(inactivity ? [inactivity.job] : []),
      ...(systems ? [systems.job] : []),
    ],
    warm: () => functions.warm(),
    droppedRuns: () => fire?.dropped() ?? 0,
    services: (context, replies, fireTrigger) =>
      servicesOf(
        {
          ...{ now: clock, debug, functions, http, connections, mailer, texter, resources, jobs: jobsOf, replies },
          ...{ plans, log, pressRoom, fireTrigger, exchange, sealer, originOf },
        },
        context,
      ),
    async close() {
      if (!parts.functions) await functions.close()
      await egress.close()
      ownConnections.close()
      log.debug('runtime closed')
    },
  }
}
