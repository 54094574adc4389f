import { type AddressInfo, isIP } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import type { Logger } from 'pino'
import { adminRouter } from './admin.ts'
import { type Config, isLoopback } from './config.ts'
import { openExperience } from './experience/experience.ts'
import { WEBHOOKS_PREFIX } from './experience/webhooks.ts'
import type { DebugStream } from './flows/debug.ts'
import { openRunRecords } from './flows/records.ts'
import { runJob } from './flows/run-job.ts'
import { openRunner } from './flows/runner.ts'
import { openSchedules } from './flows/schedules.ts'
import { attachmentCleanupJob } from './inbound-mail/attachments.ts'
import { openReceiverOf } from './inbound-mail/open-receiver.ts'
import type { Dispatch } from './jobs/port.ts'
import { openQueue } from './jobs/queue.ts'
import { listen, openSocket } from './listen.ts'
import { openMetrics } from './metrics.ts'
import { openBrokerOf } from './mqtt/open-broker.ts'
import { openRelayOf } from './mqtt/open-relay.ts'
import { publicOrigin } from './public-url.ts'
import { now, openRuntime } from './runtime.ts'
import type { Store } from './store/port.ts'
import { openWebsockets } from './websockets/websockets.ts'

export interface HeadgateServer {
  /** Address of the admin host. */
  url: string
  urlOf(host: string): string
  /** Where devices connect; undefined: nowhere. */
  mqttPort: number | undefined
  /** Where mails for flows come in; undefined: nowhere. */
  mailPort: number | undefined
  /** Looks now whether connected devices may still be, not at the next look. */
  checkDevices(): Promise<void>
  debug: DebugStream
  /** Takes up changed flows and timers now, not at the next look. */
  refresh(): Promise<void>
  /** Stops taking requests, lets runs end for up to `drainMs` (default 10,000), then closes everything but the store. */
  close(drainMs?: number): Promise<void>
}

export interface ServerOptions {
  config: Config
  store: Store
  log: Logger
  /** Closed with the server. */
  dispatch: Dispatch
}

/** Opens the whole server on a store: the order of things, from what runs need to the listening socket. */
export async function openServer({ config, store, log, dispatch }: ServerOptions): Promise<HeadgateServer> {
  const queue = openQueue({
    ...{ store, dispatch, log, now },
    concurrency: config.jobConcurrency,
    perApplication: config.jobsPerApplication,
    leaseMs: config.jobLeaseMs,
    onEnd: (end) => metrics.job(end),
  })
  const relay = await openRelayOf(config, { log, now })
  const runtime = openRuntime({ config, log, queue, relay })
  const records = openRunRecords({
    delayMs: config.runRecordDelayMs,
    onError: (error) => log.error({ err: error }, 'run records could not be written'),
  })
  const runner = openRunner({
    ...{ store, plans: runtime.plans, records, log, now },
    limits: { milliseconds: config.runTimeoutMs },
    services: (context) => runtime.services(context, repliesOf, runner.fireTrigger),
    failReply: (scope, replyId, error) => replies.fail(scope, replyId, error),
    onEnd: (_context, trigger, outcome) => metrics.run({ trigger: trigger.type, outcome }),
  })
  const experience = openExperience({
    ...{ store, now, log },
    baseDomain: config.baseDomain,
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    limits: {
      replyTimeoutMs: config.replyTimeoutMs,
      requestsPerSecond: config.requestsPerSecond || Number.POSITIVE_INFINITY,
      burst: config.requestBurst,
    },
    session: (scope, token) => runtime.resources(store.app(scope)).sessions.resolve(token),
    tenancy: (scope) => runtime.resources(store.app(scope)).tenancy,
    device: async (scope, id) => {
      const { devices } = runtime.resources(store.app(scope))
      return (await devices.find({ by: 'id', id }, {}, { tagsAsObject: true })).items[0]
    },
    fire: (event) => runner.fireEndpoint(event),
    fireWebhook: (event) => runner.fireWebhook(event),
    happened: runtime.happened,
  })
  const { replies } = experience
  const websockets = openWebsockets({
    ...{ store, relay, now, log, baseDomain: config.baseDomain, trustedProxies: config.trustedProxies },
    ...{ takes: config.role !== 'worker', limits: { connections: config.websocketConnections } },
    fire: (event) => runner.fireWebhook(event),
  })
  const repliesOf: Parameters<typeof runtime.services>[1] = (run) => ({
    ...replies.service(run),
    message: (client, message) => websockets.send(run.scope, client, message),
  })
  const metrics = openMetrics({
    waitingReplies: () => replies.waiting(),
    runningJobs: () => queue.running(),
    droppedRuns: () => runtime.droppedRuns(),
  })
  const schedules = openSchedules({ store, plans: runtime.plans, queue, log, now })

  const urlOf = (host: string) => {
    const { port } = socket.address() as AddressInfo
    return `http://${host}${port === 80 ? '' : `:${port}`}`
  }
  // A host is stored as a whole name, or as the slug before the base domain.
  const urlOfStored = (name: string) => {
    const host = name.includes('.') ? name : `${name}.${config.baseDomain}`
    return config.publicUrl === undefined ? urlOf(host) : publicOrigin(config, host)
  }
  const admin = adminRouter({ store, queue, metrics, log, password: config.adminPassword, urlOf: urlOfStored })
  const app = express()
  app.disable('x-powered-by')
  app.use(admin)
  // The admin host and the experiences share no origin: which of them is asked is the first thing that is settled.
  // Experiences are served without Express: they need nothing of it, and a short flow would pay for it on each request.
  const listening = { ...config, upgrades: websockets }
  const socket = openSocket((request, response) => {
    const host = hostNameOf(request.headers.host)
    // A worker has only its health and figures to tell.
    const webhook = config.role !== 'worker' && request.url?.startsWith(WEBHOOKS_PREFIX)
    if (isAdminHost(host, config) && !webhook) {
      app(request, response)
      return
    }
    const started = performance.now()
    response.once('finish', () => {
      const seconds = (performance.now() - started) / 1000
      metrics.request({ method: request.method ?? '', status: response.statusCode, seconds })
    })
    experience.handle(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'a request could not be answered')
      response.destroy()
    })
  }, listening)
  await listen(socket, config)
  const broker = await openBrokerOf(config, { ...{ store, log, now, relay }, ...runtime })
  const receiver = await openReceiverOf(config, { store, queue, now, log, plans: runtime.plans })
  if (config.role !== 'web') {
    queue.work([runJob(runner), attachmentCleanupJob({ now }), ...runtime.jobs])
    await schedules.open()
  }
  runtime.warm()

  return {
    url: urlOf(config.baseDomain),
    urlOf,
    mqttPort: broker?.port,
    mailPort: receiver?.port,
    checkDevices: async () => await broker?.check(),
    debug: runtime.debug,
    refresh: () => schedules.refresh(),
    async close(drainMs = 10_000) {
      schedules.close()
      await broker?.close()
      await receiver?.close()
      await websockets.close()
      const answered = new Promise((resolve) => socket.close(resolve))
      // Requests end before runs are stopped: one that is not a run yet would fail.
      await Promise.all([queue.close(drainMs), Promise.race([answered, wait(drainMs, undefined, { ref: false })])])
      await runner.drain(drainMs)
      await experience.close()
      socket.closeAllConnections()
      await records.close()
      await relay.close()
      await runtime.close()
    },
  }
}

/** No application has an address for its name; a worker has only its health and figures to tell. */
function isAdminHost(host: string, { baseDomain, role }: Config): boolean {
  return host === baseDomain || isLoopback(host) || isIP(host) !== 0 || role === 'worker'
}

function hostNameOf(header: string | undefined): string {
  const name = (header ?? '').replace(/:\d*$/, '').replace(/^\[|\]$/g, '')
  return name.toLowerCase()
}
