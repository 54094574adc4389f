import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Outcome } from '../../../engine/run.ts'
import { noConnections } from '../../../server/connections/none.ts'
import { defaultLimits } from '../../../server/experience/limits.ts'
import { openReplyDesk } from '../../../server/experience/replies.ts'
import type { Answer } from '../../../server/experience/reply.ts'
import { openViews, type View } from '../../../server/experience/views.ts'
import { openDebugStream } from '../../../server/flows/debug.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import { openMailer } from '../../../server/mail.ts'
import { openAttempts } from '../../../server/resources/attempts.ts'
import { type ServiceDeps, servicesOf } from '../../../server/services.ts'
import type { AppStore } from '../../../server/store/port.ts'
import { flowOf, runFlow } from '../../helpers/flow.ts'
import { temporaryFolder } from '../../helpers/store.ts'
import { openTestWorld, type TestWorld } from './world.ts'

type Config = Record<string, unknown>

export interface Running extends TestWorld {
  /** Runs a flow of one node; gives what stands at `out`, which must be the result path of the node. Throws when the run fails. */
  result(type: string, config: Config, payload?: Config): Promise<unknown>
  /** Runs a flow of one node. */
  visit(
    type: string,
    config: Config,
    payload?: Config,
    meta?: Config,
  ): Promise<Outcome & { output: number | undefined; code: string | undefined }>
  mails(): Promise<string[]>
  /** What the client of `replyId` gets. */
  request(replyId: string, views?: View[]): Promise<Answer | undefined>
}

/** Real services of a flow over a real store: nothing is faked but the clock. */
export async function openRunning(): Promise<Running> {
  const world = await openTestWorld({ attempts: openAttempts() })
  const outbox = join(await temporaryFolder(), 'outbox')
  const viewsOf = (views: View[]) => openViews(views, { fileUrl: (path) => path, dashboard: () => '' })
  const desk = openReplyDesk({ limits: defaultLimits, viewsOf: async () => viewsOf([]) })
  const { scope } = world.app
  const application = { id: scope.application, name: 'Test' }
  const flow = { id: 'f1', name: 'Flow', version: 'develop' }
  const deps = {
    now: () => world.clock.now,
    debug: openDebugStream(() => world.clock.now),
    mailer: openMailer({ smtpUrl: undefined, outbox, from: 'noreply@example.com', now: () => world.clock.now }),
    texter: { forFlow: () => ({}) },
    resources: () => world,
    connections: { of: () => noConnections('not in this test') },
    exchange: {},
    jobs: (app: AppStore) =>
      openJobs({ app, now: () => world.clock.now, wake: () => undefined, nudge: () => undefined }),
    replies: desk.service,
  }
  const services = servicesOf(deps as unknown as ServiceDeps, {
    runId: 'r1',
    app: world.app,
    flows: { application, globals: {} } as never,
    flow: { ...flow, plan: { globals: {} } } as never,
  })

  const visit: Running['visit'] = async (type, config, payload = {}, meta = {}) => {
    const raw = flowOf([{ id: 'n', type, config, meta, outputIds: [] }])
    const outcome = await runFlow(raw, { payload, services })
    return { ...outcome, output: outcome.visits[0]?.output, code: outcome.error?.code }
  }

  return {
    ...world,
    visit,
    async result(type, config, payload) {
      const { error, payload: after } = await visit(type, { resultPath: 'out', ...config }, payload)
      if (error) throw error.cause
      return after.out
    },
    async mails() {
      const names = (await readdir(outbox).catch(() => [])).sort()
      return Promise.all(names.map((name) => readFile(join(outbox, name), 'utf8')))
    },
    request(replyId, views = []) {
      const definitions = { views: viewsOf(views), responseHeaders: [] }
      const context = { definitions, secure: false, view: {} }
      return desk.wait({ scope, replyId, context, onTimeout: () => undefined }).answer
    },
  }
}
