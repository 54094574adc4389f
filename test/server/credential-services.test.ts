import { expect, onTestFinished, test, vi } from 'vitest'
import { openCredentials } from '../../server/resources/credentials.ts'
import { openSealer } from '../../server/seal.ts'
import type { AppStore } from '../../server/store/port.ts'
import { startServer } from '../helpers/server.ts'

const jwt = { algorithm: 'HS256', secret: 's'.repeat(32) }
const create = (id: string, next: string[] = []) => ({
  ...{ id, type: 'JWTCreateNode', outputIds: [next] },
  config: { dataTemplate: '{}', credentialNameTemplate: 'Signer', destinationPath: 'working.token' },
})
const keep = (id: string, value: string) => ({
  ...{ id, type: 'StoreValueNode', outputIds: [[]] },
  config: { keyName: 'token', valueType: 'path', value },
})

async function open(secretKey: string) {
  const server = await startServer({ config: { secretKey } })
  onTestFinished(() => server.close())
  const appOf = async (application: string) => {
    const app = server.store.app({ tenant: 't1', application })
    await app.collection('application').insert({ id: application, name: 'Test', globals: [], secret: 's' })
    return app
  }
  /** Makes a flow of these nodes, and runs it once a second. */
  const run = async (app: AppStore, nodes: { id: string }[]) => {
    const triggers = [{ type: 'timer', key: 't', config: { seconds: 1 }, outputIds: [[nodes[0]!.id]] }]
    const content = { triggers, nodes, globals: [] }
    const { id } = await app.collection('flows').insert({ name: 'Signs', flowClass: 'cloud', enabled: true, content })
    await server.server.refresh()
    return id
  }
  const ended = async (app: AppStore) => {
    await vi.waitFor(async () => expect(await app.collection('runs').count()).toBeGreaterThan(0), 10_000)
    const [first] = await app.collection('runs').find()
    return first!
  }
  return { server, appOf, run, ended }
}

test('a flow, and a custom node that it calls, sign with a credential of their application', async () => {
  const { appOf, run, ended } = await open('k'.repeat(32))
  const app = await appOf('a'.repeat(24))
  await openCredentials({ app, sealer: openSealer('k'.repeat(32)) }).set({ name: 'Signer', type: 'jwt', settings: jwt })
  const inner = {
    triggers: [{ type: 'customNodeStart', key: 'customNodeStart', config: {}, outputIds: [['make']] }],
    nodes: [
      create('make', ['end']),
      { id: 'end', type: 'CustomNodeCapNode', config: { branchIndexTemplate: 0, resultSourcePath: 'working.token' } },
    ],
    globals: [],
    customNodeConfig: { outputCount: 1, resultMode: 'required', fields: [] },
  }
  const custom = { name: 'Sign', flowClass: 'customNode', enabled: true, content: inner } as const
  const { id: customNodeId } = await app.collection('flows').insert(custom)
  const call = { id: 'call', type: 'CustomNodeExecuteNode', outputIds: [['keep']] }
  const nodes = [
    create('make', ['call']),
    { ...call, config: { customNodeId, fields: [], resultPath: 'working.inner' } },
    keep('keep', 'working'),
  ]
  const flow = await run(app, nodes)
  expect(await ended(app)).toMatchObject({ status: 'done' })
  const token = expect.stringMatching(/^eyJ.+\..+\..+$/)
  expect(await app.values.entries(`flow:${flow}`)).toEqual({ token: { token, inner: token } })
})

test.each([
  ['of another application', 'b'.repeat(24), 'k'.repeat(32), 'credential.missing'],
  ['under a SECRET_KEY that has been changed', 'a'.repeat(24), 'o'.repeat(32), 'credential.unreadable'],
])('one %s fails the run, and nothing of it is logged', async (_, application, secretKey, code) => {
  const { server, appOf, run, ended } = await open('k'.repeat(32))
  const app = await appOf('a'.repeat(24))
  const owner = application === app.scope.application ? app : await appOf(application)
  const sealer = openSealer(secretKey)
  await openCredentials({ app: owner, sealer }).set({ name: 'Signer', type: 'jwt', settings: jwt })
  await run(app, [create('make')])
  expect(await ended(app)).toMatchObject({ status: 'failed', error: { code } })
  expect(server.log).toContainEqual(expect.objectContaining({ code }))
  expect(JSON.stringify(server.log)).not.toContain(jwt.secret)
})
