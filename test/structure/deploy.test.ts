import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

const root = join(import.meta.dirname, '../..')
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

/** Names of settings in the README's table. */
const settings = new Set(
  [...textOf('README.md').matchAll(/^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|/gm)].flatMap(([, names]) =>
    names!.split(', ').map((name) => name.slice(1, -1)),
  ),
)

interface Container {
  ports?: { name: string; containerPort: number }[]
  env?: { name: string }[]
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[]
  args?: string[]
}
interface Manifest {
  kind: string
  metadata: { name: string; labels?: Record<string, string> }
  data?: Record<string, string>
  stringData?: Record<string, string>
  spec?: {
    selector?: { matchLabels?: Record<string, string> }
    ports?: { targetPort: string }[]
    template?: { metadata: { labels: Record<string, string> }; spec: { containers: Container[] } }
  }
}

const manifests = readdirSync(join(root, 'deploy/kubernetes'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) => parseAllDocuments(textOf(`deploy/kubernetes/${file}`)).map((one) => one.toJS() as Manifest))
const compose = parse(textOf('compose.yaml'), { merge: true }) as {
  services: Record<string, Service>
}
interface Service {
  environment?: Record<string, string>
  deploy?: { replicas: number }
  command?: string[]
  ports?: string[]
  volumes?: string[]
}

test('the README lists exactly the settings that are read', () => {
  const read = [...textOf('server/config.ts').matchAll(/\benv\.([A-Z_]+)\b|\(env, '([A-Z_]+)'/g)]
  expect([...settings].sort()).toEqual([...new Set(read.map((match) => match[1] ?? match[2]!))].sort())
})

test('compose starts two web processes, two workers, MongoDB and Redis, with settings that exist', () => {
  const { web, worker, mongodb, redis } = compose.services
  expect(web).toMatchObject({ environment: { ROLE: 'web' }, deploy: { replicas: 2 } })
  expect(worker).toMatchObject({ environment: { ROLE: 'worker' }, deploy: { replicas: 2 } })
  expect([mongodb, redis]).not.toContain(undefined)
  for (const service of [web, worker, compose.services.import]) {
    expect([...settings]).toEqual(expect.arrayContaining(Object.keys(service!.environment!)))
  }
})

test('manifests of the cluster name settings that exist, and what they refer to', () => {
  const named = new Set(manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`))
  for (const { kind, data, stringData, spec } of manifests) {
    if (kind === 'ConfigMap' || kind === 'Secret') {
      expect([...settings]).toEqual(expect.arrayContaining(Object.keys({ ...data, ...stringData })))
    }
    const { selector, template } = spec ?? {}
    if (!template) continue
    if (kind === 'Deployment') expect(template.metadata.labels).toMatchObject(selector!.matchLabels!)
    for (const { env = [], envFrom = [] } of template.spec.containers) {
      expect([...settings]).toEqual(expect.arrayContaining(env.map(({ name }) => name)))
      for (const { configMapRef, secretRef } of envFrom) {
        expect(named).toContain(configMapRef ? `ConfigMap/${configMapRef.name}` : `Secret/${secretRef!.name}`)
      }
    }
  }
  expect(manifests.filter(({ kind }) => kind === 'Deployment')).toHaveLength(2)
})

test('devices and mails reach the web processes of compose and of the cluster', () => {
  const { web, worker, proxy } = compose.services
  expect([web!.environment!.MQTT_PORT, worker!.environment!.MQTT_PORT]).toEqual(['1883', undefined])
  expect([web!.environment!.INBOUND_SMTP_PORT, worker!.environment!.INBOUND_SMTP_PORT]).toEqual(['2525', undefined])
  expect(proxy!.ports!.map((one) => one.split('}:')[1])).toEqual(['80', '1883', '2525'])
  const [config] = proxy!.volumes!.map((volume) => volume.split(':')[0]!)
  for (const [upstream, port] of [
    ['headgate', 3000],
    ['devices', 1883],
    ['mails', 2525],
  ]) {
    expect(textOf(config!)).toMatch(new RegExp(`upstream ${upstream} \\{[^}]*server web:${port} resolve[^;]*;`))
  }
  const settings = manifests.find(({ kind }) => kind === 'ConfigMap')!.data!
  const ports = manifests.find(({ metadata }) => metadata.name === 'headgate-web')!.spec!.template!.spec.containers[0]!
  const [http, mqtt, smtp] = [3000, Number(settings.MQTT_PORT), Number(settings.INBOUND_SMTP_PORT)]
  expect(ports.ports).toEqual([
    { name: 'http', containerPort: http },
    { name: 'mqtt', containerPort: mqtt },
    { name: 'smtp', containerPort: smtp },
  ])
  const services = manifests.filter(({ kind }) => kind === 'Service')
  expect(services.flatMap(({ spec }) => spec!.ports!.map(({ targetPort }) => targetPort))).toEqual([
    ...['http', 'mqtt', 'smtp'],
  ])
})

test('what every web process must be told the same is told in compose and in the cluster', () => {
  const settings = manifests.find(({ kind }) => kind === 'ConfigMap')!.data!
  for (const name of ['MQTT_PORT', 'INBOUND_SMTP_PORT', 'INBOUND_MAIL_DOMAIN', 'WEBSOCKET_CONNECTIONS']) {
    expect([name, compose.services.web!.environment![name]]).toEqual([name, expect.any(String)])
    expect([name, settings[name]]).toEqual([name, expect.any(String)])
  }
})

test('the proxy passes WebSockets on, keeps the connections of other requests, and leaves no process out', () => {
  const config = textOf('deploy/nginx.conf')
  expect(config).toMatch(/map \$http_upgrade \$connection_upgrade \{\s*default "";\s*~\*\^websocket\$ upgrade;\s*\}/)
  expect(config).toContain('proxy_set_header Upgrade $http_upgrade;')
  expect(config).toContain('server web:3000 resolve max_fails=0;')
  expect(config).toContain('proxy_set_header Connection $connection_upgrade;')
})

test('the image fills the compile cache as the user that runs it', () => {
  const lines = textOf('Dockerfile').split('\n')
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start))
  expect(lines[at('USER node') - 1]).toContain('chown node:node /data node_modules/.cache/headgate')
  expect(at('RUN NODE_COMPILE_CACHE=node_modules/.cache/headgate node')).toBeGreaterThan(at('USER node'))
  expect(textOf('server/headgate.mjs')).toContain("'../node_modules/.cache/headgate'")
})

test('the image holds every folder that the server needs, and .env.example every variable of compose', () => {
  const sources = [...textOf('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list]) =>
    list!.split(' '),
  )
  expect(sources).toEqual(expect.arrayContaining(['engine', 'nodes', 'server', 'schema', 'flows', 'examples']))
  const left = textOf('.dockerignore').trim().split('\n')
  for (const source of sources) {
    expect(existsSync(join(root, source)), source).toBe(true)
    expect(left).not.toContain(source)
  }
  const given = [...textOf('deploy/.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
  const asked = [...textOf('compose.yaml').matchAll(/\$\{([A-Z_]+):/g)].map(([, name]) => name)
  expect(asked.length).toBeGreaterThan(0)
  // A password of the demo is no secret of the installation.
  expect([...given, 'DEMO_PASSWORD'].sort()).toEqual([...new Set(asked)].sort())
})
