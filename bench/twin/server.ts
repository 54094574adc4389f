import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseCookie } from 'cookie'
import { format } from 'd3-format'
import express from 'express'
import Handlebars from 'handlebars'
import { jwtVerify } from 'jose'
import type { WorldData } from '../world.ts'
import { openTwinDatabase, type TwinUser } from './database.ts'

// The home page as a person would write it for this one application: `node server.ts WORLD.json DATABASE`. The templates
// are those of the application, compiled once.

const [worldFile = '', databaseFile = ''] = process.argv.slice(2)
const data = JSON.parse(readFileSync(worldFile, 'utf8')) as WorldData
const database = openTwinDatabase(databaseFile, data)
const { application } = data
const key = new TextEncoder().encode(application.secret)

const handlebars = Handlebars.create()
const templateOf = (path: string) =>
  handlebars.compile(readFileSync(join(import.meta.dirname, '../app/experience/develop', path), 'utf8'))
const layout = templateOf('layouts/main.hbs')
const home = templateOf('pages/home.hbs')
const components: Record<string, Handlebars.TemplateDelegate> = { deviceCard: templateOf('components/deviceCard.hbs') }
handlebars.registerHelper(
  'component',
  (name: string, value: unknown) => new Handlebars.SafeString(components[name]!(value)),
)
const formats = new Map<string, (value: number) => string>()
handlebars.registerHelper('format', (value: unknown, specifier: string) => {
  const known = formats.get(specifier) ?? format(specifier)
  formats.set(specifier, known)
  return known(Number(value))
})

async function userOf(cookies: string | undefined): Promise<TwinUser | undefined> {
  const { authorization } = parseCookie(cookies ?? '')
  if (authorization === undefined) return undefined
  try {
    const { payload } = await jwtVerify(authorization, key, { algorithms: ['HS256'] })
    const { sub, app: issuedFor, iatMs } = payload
    if (issuedFor !== application.id || typeof sub !== 'string') return undefined
    const user = database.user(sub)
    return user && Number(iatMs) >= user.tokenCutoff ? user : undefined
  } catch {
    // Whatever is wrong with a token, nobody is logged in.
    return undefined
  }
}

const app = express()
app.disable('etag')
app.disable('x-powered-by')
app.get('/', async (request, response) => {
  const user = await userOf(request.headers.cookie)
  if (user === undefined) {
    response.redirect('/login')
    return
  }
  const context = {
    application: { id: application.id, name: application.name },
    experience: { user, page: { name: 'home' } },
    pageData: database.devicesOf(user.id, 100),
  }
  const page = new Handlebars.SafeString(home(context))
  response
    .set('cache-control', 'no-store')
    .type('html')
    .send(layout({ ...context, page }))
})
const server = app.listen(0, '127.0.0.1', () => {
  console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.once('SIGTERM', () => process.exit(0))
