import { type Response, Router } from 'express'
import helmet from 'helmet'
import type { Logger } from 'pino'
import { adminPage } from './admin-page.ts'
import type { Metrics } from './metrics.ts'
import type { Store } from './store/port.ts'

export interface AdminOptions {
  store: Store
  metrics: Metrics
  log: Logger
  /** Address of an experience, by its host name as stored. */
  urlOf(host: string): string
}

/** The admin host: health, readiness, figures, and a page that says what runs here. It shares no origin with any experience. */
export function adminRouter({ store, metrics, log, urlOf }: AdminOptions): Router {
  const router = Router()
  // TLS ends at a proxy, if anywhere: this host cannot promise it.
  const contentSecurityPolicy = { directives: { upgradeInsecureRequests: null } }
  router.use(helmet({ strictTransportSecurity: false, contentSecurityPolicy }))
  router.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  router.get('/readyz', async (_request, response) => {
    try {
      await store.check()
      response.json({ status: 'ready' })
    } catch (error) {
      log.error({ err: error }, 'the store does not answer')
      response
        .status(503)
        .set('Retry-After', '5')
        .json({ status: 'not ready', missing: ['store'] })
    }
  })
  router.get('/metrics', async (_request, response) => {
    const { body, contentType } = await metrics.text()
    response.type(contentType).send(body)
  })
  router.get('/', async (_request, response) => sendHtml(response, adminPage(await listed(store, urlOf))))
  router.use((_request, response) => {
    response.status(404).json({ type: 'NotFound', message: 'There is nothing at this address of the admin host' })
  })
  return router
}

async function listed(store: Store, urlOf: (host: string) => string) {
  const scopes = await store.applications()
  return Promise.all(
    scopes.map(async (scope) => {
      const app = store.app(scope)
      const [application, hosts, flows, devices, users] = await Promise.all([
        app.collection('application').get(scope.application),
        store.hosts.of(scope),
        app.collection('flows').count(),
        app.collection('devices').count(),
        app.collection('users').count(),
      ])
      // A name like *.example.com stands for many addresses and is none itself.
      const open = hosts.filter((host) => host.version !== undefined && !host.name.startsWith('*'))
      const named = open.map(({ name }) => ({ name, url: urlOf(name) }))
      return { name: application?.name ?? '', hosts: named, flows, devices, users }
    }),
  )
}

function sendHtml(response: Response, html: string): void {
  response.type('html').send(html)
}
