import { createHash, timingSafeEqual } from 'node:crypto'
import { type RequestHandler, type Response, Router } from 'express'
import helmet from 'helmet'
import type { Logger } from 'pino'
import { adminPage } from './admin-page.ts'
import type { Queue } from './jobs/port.ts'
import type { Metrics } from './metrics.ts'
import type { Store } from './store/port.ts'

export interface AdminOptions {
  store: Store
  queue: Pick<Queue, 'check'>
  metrics: Metrics
  log: Logger
  /** Of HTTP basic authentication, with any user name; undefined: nobody is asked. */
  password: string | undefined
  /** Address of an experience, by its host name as stored. */
  urlOf(host: string): string
}

/**
 * The admin host: health, readiness, figures, and a page that says what runs here. It shares no origin with any experience.
 * With a password everything but health, readiness and the schemas asks for it.
 */
export function adminRouter({ store, queue, metrics, log, password, urlOf }: AdminOptions): Router {
  const router = Router()
  // TLS ends at a proxy, if anywhere: this host cannot promise it.
  const contentSecurityPolicy = { directives: { upgradeInsecureRequests: null } }
  router.use(helmet({ strictTransportSecurity: false, contentSecurityPolicy }))
  router.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  const parts = { store: () => store.check(), queue: () => queue.check() }
  let missed: readonly string[] = []
  router.get('/readyz', async (_request, response) => {
    const missing = await missingOf(parts, (part, error) => {
      // Probes come every few seconds: an outage is told once.
      if (!missed.includes(part)) log.error({ err: error }, `the ${part} does not answer`)
    })
    missed = missing
    // Without what tells workers of jobs they find them a little later: no reason to send requests elsewhere.
    if (!missing.includes('store')) response.json({ status: 'ready', missing })
    else response.status(503).set('Retry-After', '5').json({ status: 'not ready', missing })
  })
  // Open: they say what everybody can read in the docs, and an editor that fetches them knows no password.
  router.get('/schema/:name', async (request, response, next) => {
    const { schemaText } = await import('./schema/schemas.ts')
    const text = schemaText(request.params.name)
    if (text === undefined) return next()
    response.type('application/schema+json').set('Cache-Control', 'public, max-age=300').send(text)
  })
  if (password !== undefined) router.use(askFor(password))
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

/** Probes of clusters wait for a little longer than this. */
const mostCheckMs = 5_000

/** Names of the parts that do not answer, or not in time. */
async function missingOf(
  parts: Record<string, () => Promise<void>>,
  onError: (part: string, error: unknown) => void,
): Promise<string[]> {
  const checked = Object.entries(parts).map(async ([part, check]) => {
    try {
      await inTime(check())
      return []
    } catch (error) {
      onError(part, error)
      return [part]
    }
  })
  return (await Promise.all(checked)).flat()
}

async function inTime(checked: Promise<void>): Promise<void> {
  const late = new Error(`Expected an answer within ${mostCheckMs} ms, got none`)
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), mostCheckMs)
  })
  try {
    await Promise.race([checked, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function askFor(password: string): RequestHandler {
  const wanted = digestOf(password)
  return (request, response, next) => {
    const given = passwordOf(request.headers.authorization)
    // Digests are of one length, compared in constant time: neither the length of the password nor a part of it shows.
    if (given !== undefined && timingSafeEqual(digestOf(given), wanted)) return next()
    response
      .status(401)
      .set({ 'WWW-Authenticate': 'Basic realm="Headgate", charset="UTF-8"', 'Cache-Control': 'no-store' })
      .json({ type: 'Unauthorized', message: 'The admin host asks for a password: that of the setting ADMIN_PASSWORD' })
  }
}

/** What stands behind the first colon; undefined for anything but basic authentication. */
function passwordOf(header: string | undefined): string | undefined {
  const [, packed] = /^basic +(\S+) *$/i.exec(header ?? '') ?? []
  if (packed === undefined) return undefined
  const pair = Buffer.from(packed, 'base64').toString()
  const colon = pair.indexOf(':')
  return colon < 0 ? undefined : pair.slice(colon + 1)
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
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
