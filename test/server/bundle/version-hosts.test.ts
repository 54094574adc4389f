import { beforeEach, expect, test } from 'vitest'
import { exportBundle } from '../../../server/bundle/export.ts'
import { announcement } from '../../../server/cli/announce.ts'
import type { Store } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import {
  type Contents,
  documentsOf,
  endpoint,
  envelope,
  experienceFlow,
  importContents,
  ref,
  smallApp,
  view,
} from './small-app.ts'

let store: Store
beforeEach(async () => {
  store = await openTestStore()
})

/** What a version holds beside develop: its settings, a page, an endpoint and a flow. */
function versionOf(version: string): Contents {
  const name = `home ${version}`
  return {
    [`experience/${version}/version.yaml`]: envelope('ExperienceVersion', {
      ...{ id: ref('experienceVersion', version), version, endpointDefaultCors: false, globals: [] },
    }),
    [`experience/${version}/pages/pages.yaml`]: envelope('ExperienceView', view('page', name, { version })),
    [`experience/${version}/pages/${name}.hbs`]: `<h1>${version}</h1>`,
    [`experience/${version}/endpoints.yaml`]: envelope('ExperienceEndpoint', {
      ...endpoint('get', '/', { version, staticReply: { type: 'page', value: ref('experienceView', name) } }),
      id: ref('experienceEndpoint', `${version} get`),
    }),
    [`experience/${version}/workflows/${version}.yaml`]: envelope(
      'ExperienceFlowVersion',
      experienceFlow(version, { version }),
    ),
  }
}

const two = (): Contents => ({ ...smallApp(), ...versionOf('admin') })

async function hostsOf(slug = 'small'): Promise<Record<string, string | undefined>> {
  const host = await store.hosts.find(slug)
  const hosts = host ? await store.hosts.of(host.scope) : []
  return Object.fromEntries(hosts.map(({ name, version }) => [name, version]))
}

test('a version in the folder is served at an address of its own, and stays there', async () => {
  const first = await importContents(store, two())
  expect(first).toMatchObject({ imported: true, versionHosts: [{ version: 'admin', slug: 'small-admin' }] })
  expect(first.problems).toEqual([])
  expect(await hostsOf()).toEqual({ small: 'develop', 'small-admin': 'admin' })
  expect(await importContents(store, two())).toMatchObject({ versionHosts: first.versionHosts, problems: [] })
  expect(await hostsOf()).toEqual({ small: 'develop', 'small-admin': 'admin' })
})

test('an application without other versions has one address', async () => {
  expect(await importContents(store, smallApp())).toMatchObject({ imported: true, versionHosts: [] })
  expect(await hostsOf()).toEqual({ small: 'develop' })
})

test('each version keeps its own views, endpoints and flows, and export writes them to its folder', async () => {
  await importContents(store, two())
  const host = await store.hosts.find('small')
  const files = await exportBundle(store.app(host!.scope))
  const contents = Object.fromEntries([...files].filter((one): one is [string, string] => typeof one[1] === 'string'))
  expect(Object.keys(contents).filter((path) => path.startsWith('experience/admin/'))).toEqual([
    'experience/admin/version.yaml',
    'experience/admin/endpoints.yaml',
    'experience/admin/pages/home_admin.hbs',
    'experience/admin/pages/pages.yaml',
    'experience/admin/workflows/admin.yaml',
  ])
  expect(contents['experience/develop/endpoints.yaml']).not.toContain('version: admin')
  // Its names do not depend on which versions there are.
  expect(contents['experience/develop/endpoints.yaml']).toContain(`${ref('experienceEndpoint', 'get')}\n`)
  expect(contents['experience/admin/endpoints.yaml']).toContain(`${ref('experienceEndpoint', 'get-1')}\n`)

  await importContents(store, contents, { slug: 'copy' })
  expect(await hostsOf('copy')).toEqual({ copy: 'develop', 'copy-admin': 'admin' })
  for (const name of ['endpoints', 'views', 'flowVersions', 'experienceVersions'] as const) {
    const versions = async (slug: string) => (await documentsOf(store, name, slug)).map((one) => one.version).sort()
    expect(await versions('copy')).toEqual(await versions('small'))
  }
})

test.each(['v1.0', 'Admin', `v${'1'.repeat(60)}`])(
  'a version that makes no slug is imported without: %s',
  async (version) => {
    const report = await importContents(store, { ...smallApp(), ...versionOf(version) })
    expect(report).toMatchObject({ imported: true, versionHosts: [] })
    expect(report.problems).toMatchObject([{ code: 'bundle.host', severity: 'warning', file: `experience/${version}` }])
    expect(report.problems[0]!.message).toContain(`small-${version}`)
    expect(await hostsOf()).toEqual({ small: 'develop' })
  },
)

test('the address of another application is left to it, whoever has it', async () => {
  for (const tenant of ['local', 'another']) {
    const slug = `shop-${tenant}`
    const other = await importContents(store, smallApp(), { slug: `${slug}-admin`, tenant })
    const report = await importContents(store, two(), { slug })
    expect(report).toMatchObject({ imported: true, versionHosts: [] })
    expect(report.problems).toMatchObject([{ code: 'bundle.host', severity: 'warning' }])
    expect(report.problems[0]!.message).not.toContain(other.scope.application)
    expect(await store.hosts.find(`${slug}-admin`)).toMatchObject({ scope: other.scope, version: 'develop' })
  }
})

test('what was pointed elsewhere by hand stays, and is told', async () => {
  const { scope } = await importContents(store, two())
  await store.hosts.put({ name: 'small-admin', scope, version: 'develop' })
  const report = await importContents(store, two())
  expect(report).toMatchObject({ versionHosts: [], problems: [{ code: 'bundle.host' }] })
  expect(await hostsOf()).toEqual({ small: 'develop', 'small-admin': 'develop' })
})

test('a version that is gone from the folder loses its address, and no other does', async () => {
  const { scope } = await importContents(store, { ...two(), ...versionOf('beta') })
  await store.hosts.put({ name: 'by-hand', scope, version: 'beta' })
  expect(await importContents(store, two())).toMatchObject({ versionHosts: [{ slug: 'small-admin' }] })
  expect(await hostsOf()).toEqual({ small: 'develop', 'small-admin': 'admin', 'by-hand': 'beta' })
})

test('what cannot be imported gets no address', async () => {
  const broken = { ...two(), 'experience/admin/pages/pages.yaml': envelope('ExperienceView', { name: 'home' }) }
  expect(await importContents(store, broken)).toMatchObject({ imported: false, versionHosts: [] })
  expect(await store.hosts.find('small-admin')).toBeUndefined()
})

test('is said at the start', () => {
  const one = {
    ...{ scope: { tenant: 't', application: 'a' }, name: 'Small', host: 'small.localhost', users: [] },
    ...{ versions: [{ version: 'admin', host: 'small-admin.localhost' }], signIn: { given: [], other: [], none: [] } },
  }
  const lines = announcement([one], { password: '', urlOf: (host) => `http://${host}:3000` })
  expect(lines).toEqual([
    '',
    '  Small: http://small.localhost:3000',
    '    admin: http://small-admin.localhost:3000',
    '',
  ])
})
