import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** Who may import what of ours: engine <- nodes <- server. */
const layers: Record<string, readonly string[]> = {
  engine: ['engine'],
  nodes: ['engine', 'nodes'],
  server: ['engine', 'nodes', 'server'],
}

/** Every third-party package, and the files or folders that may import it. */
const owners: Record<string, readonly string[]> = {
  '@node-saml/node-saml': ['nodes/experience/saml.ts'],
  aws4fetch: ['nodes/network/s3.ts'],
  bullmq: ['server/jobs/bullmq.ts'],
  busboy: ['server/experience/'],
  cookie: ['server/experience/'],
  croner: ['nodes/trigger/timer.ts', 'server/flows/'],
  'css-select': ['nodes/logic/markup.ts'],
  'csv-parse': ['server/jobs/', 'server/resources/data-table-csv.ts', 'nodes/data/', 'nodes/logic/'],
  'csv-stringify': ['server/jobs/', 'nodes/data/', 'nodes/logic/'],
  'd3-format': ['engine/helpers/'],
  dayjs: ['engine/', 'nodes/logic/'],
  express: ['server/app.ts', 'server/admin.ts', 'server/experience/'],
  handlebars: ['engine/', 'server/admin-page.ts'],
  'hash-wasm': ['nodes/logic/hash.ts'],
  helmet: ['server/admin.ts'],
  htmlparser2: ['nodes/logic/'],
  ioredis: ['server/jobs/bullmq.ts', 'server/mqtt/signal.ts', 'server/connections/redis.ts'],
  'ipaddr.js': ['server/'],
  'isolated-vm': ['engine/sandbox/'],
  jose: ['nodes/logic/', 'server/resources/'],
  mongodb: ['server/store/mongo', 'server/connections/mongo'],
  'mqtt-packet': ['server/mqtt/connection.ts'],
  mysql2: ['server/connections/mysql.ts'],
  nanoid: ['nodes/logic/generate-id.ts'],
  nodemailer: ['server/mail-delivery.ts'],
  pg: ['server/connections/postgres.ts'],
  pino: ['server/'],
  'postal-mime': ['server/inbound-mail/'],
  'prom-client': ['server/metrics.ts'],
  qrcode: ['nodes/data/'],
  qs: ['server/experience/'],
  'rate-limiter-flexible': ['server/'],
  re2js: ['engine/', 'nodes/logic/'],
  'smtp-server': ['server/inbound-mail/receiver.ts'],
  undici: ['server/egress'],
  uuid: ['nodes/logic/generate-id.ts'],
  ws: ['server/websockets/'],
  yaml: ['server/bundle/', 'server/cli/'],
  'node:sqlite': ['server/store/'],
  'node:child_process': ['engine/sandbox/'],
}

interface Import {
  file: string
  target: string
  typeOnly: boolean
}

function sourcesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name))
    .map((name) => `${folder}/${name}`)
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8')
  const pattern = /^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm
  return [...source.matchAll(pattern)].map((match) => {
    const target = (match[2] ?? match[3] ?? match[4])!
    return { file, target, typeOnly: match[1] !== undefined }
  })
}

const imports = Object.keys(layers).flatMap((layer) => sourcesOf(layer).flatMap(importsOf))

test('there are imports to look at', () => {
  expect(imports.length).toBeGreaterThan(300)
})

test('imports of ours run engine <- nodes <- server, and name their file', () => {
  const wrong = imports
    .filter(({ target }) => target.startsWith('.'))
    .map(({ file, target }) => ({ file, to: relative(root, join(root, dirname(file), target)) }))
    .filter(({ file, to }) => !layers[file.split('/')[0]!]!.includes(to.split('/')[0]!) || !/\.(ts|mjs|json)$/.test(to))
  expect(wrong).toEqual([])
})

test('every third-party package has its place', () => {
  const wrong = imports
    .filter(({ target }) => !target.startsWith('.'))
    .map(({ file, target }) => ({ file, name: packageOf(target) }))
    .filter(({ file, name }) => {
      if (name.startsWith('node:') && !Object.hasOwn(owners, name)) return false
      return !owners[name]?.some((place) => file.startsWith(place))
    })
  expect(wrong).toEqual([])
})

test('every dependency is used', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const used = new Set(imports.map(({ target }) => packageOf(target)))
  expect(Object.keys(dependencies).filter((name) => !used.has(name))).toEqual([])
})

test('only the server knows the environment and the console', () => {
  const wrong = ['engine', 'nodes'].flatMap(sourcesOf).filter((file) => {
    const source = readFileSync(join(root, file), 'utf8')
    return /\bprocess\.env\b|^\s*console\./m.test(source)
  })
  expect(wrong).toEqual([])
})

test('a tenant id is named only where scopes are made and kept', () => {
  const places = ['server/store/', 'server/bundle/', 'server/cli/', 'server/experience/host.ts', 'server/jobs/']
  const wrong = sourcesOf('server')
    .filter((file) => !places.some((place) => file.startsWith(place)))
    .filter((file) => /\btenant(Id)?\s*[?:,]/.test(readFileSync(join(root, file), 'utf8')))
  expect(wrong).toEqual([])
})

function packageOf(target: string): string {
  if (target.startsWith('node:')) return target
  const [scope = '', name] = target.split('/')
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}
