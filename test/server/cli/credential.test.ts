import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { credentialCommand } from '../../../server/cli/credential.ts'
import { exportCommand } from '../../../server/cli/export.ts'
import { importCommand } from '../../../server/cli/import.ts'
import { openCredentials } from '../../../server/resources/credentials.ts'
import { openSealer } from '../../../server/seal.ts'
import { openStore } from '../../../server/store/open.ts'
import { temporaryFolder } from '../../helpers/store.ts'

async function world() {
  const DATA_DIR = await temporaryFolder()
  const env = { DATA_DIR, SECRET_KEY: 'k'.repeat(32) }
  const said: string[] = []
  const io = (input = '') => ({
    ...{ out: (line: string) => void said.push(line), err: (line: string) => void said.push(line), env },
    input: async () => input,
  })
  expect(await importCommand(['examples/one-to-many', '--slug', 'shop'], io())).toBe(0)
  const store = await openStore(undefined, join(DATA_DIR, 'headgate.db'))
  onTestFinished(() => store.close())
  const { scope } = (await store.hosts.find('shop'))!
  const credentials = openCredentials({ app: store.app(scope), sealer: openSealer(env.SECRET_KEY) })
  said.length = 0
  const run = (input: string, ...args: string[]) => credentialCommand(args, io(input))
  return { run, said, credentials, io }
}

test('keeps what comes from standard input: JSON, or the only secret as it is', async () => {
  const { run, said, credentials } = await world()
  await run('{"algorithm":"HS256","secret":"hush-hush"}\n', 'set', 'shop', 'Signer', 'jwt')
  await run('SG.hush-hush\n', 'set', 'shop', 'Mail', 'sendgrid')
  expect(await credentials.get('Signer', 'jwt')).toEqual({ algorithm: 'HS256', secret: 'hush-hush' })
  expect(await credentials.get('Mail', 'sendgrid')).toEqual({ apiKey: 'SG.hush-hush' })
  await run('', 'list', 'shop')
  expect(said).toEqual(['Stored "Signer"', 'Stored "Mail"', 'Mail\tsendgrid\t{}', 'Signer\tjwt\t{"algorithm":"HS256"}'])
  await run('', 'remove', 'shop', 'Mail')
  expect((await credentials.list()).map(({ name }) => name)).toEqual(['Signer'])
  expect(said.join()).not.toContain('hush')
})

test.each([
  [['set', 'shop', 'x', 'jwt'], 'hush', 'Expected the settings as JSON on standard input'],
  [['set', 'shop', 'x', 'jwt'], '', 'Expected the settings as JSON on standard input'],
  [['set', 'shop', 'x', 'jwt'], '{"secret":"hush"}', 'Expected "algorithm" to be one of'],
  [['set', 'shop', 'x', 'ssh'], '{}', 'Expected "type" to be one of aws, certificateKeyPair, http'],
  [['set', 'shop', 'x', 'jwt', 'hush'], '', 'Expected credential set APP NAME TYPE'],
  [['remove', 'shop', 'x'], '', 'Expected the name of a credential, got "x"'],
  [['list', 'nowhere'], '', 'Expected the slug or id of an application, got "nowhere"'],
  [['show', 'shop'], '', 'Expected credential set APP NAME TYPE'],
])('says what is wrong with %j and %j', async (args, input, message) => {
  const { run, credentials } = await world()
  const ran = run(input, ...args)
  await expect(ran).rejects.toMatchObject({ name: 'ConfigError', message: expect.stringContaining(message) })
  await expect(ran).rejects.toMatchObject({ message: expect.not.stringContaining('hush') })
  expect(await credentials.list()).toEqual([])
})

test('is in no export', async () => {
  const { run, io } = await world()
  await run('{"algorithm":"HS256","secret":"hush-hush"}\n', 'set', 'shop', 'Signer', 'jwt')
  const folder = join(await temporaryFolder(), 'out')
  expect(await exportCommand(['shop', folder], io())).toBe(0)
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const texts = files.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name), 'utf8'))
  expect(texts.length).toBeGreaterThan(10)
  expect((await Promise.all(texts)).join()).not.toMatch(/Signer|hush-hush|sealed/)
})

test('is asked for by its name when an application is imported that needs it', async () => {
  const { run, said, io } = await world()
  const folder = await temporaryFolder()
  const file = (type: string, resource: object) =>
    JSON.stringify({ resourceType: type, resources: [resource], version: 1 })
  const config = { credentialNameTemplate: 'Plant', query: 'SELECT 1' }
  const nodes = [{ id: 'a', type: 'SqlNode', config, outputIds: [[]], meta: {} }]
  const flow = { id: '~exportplaceholderid-flow-q~', name: 'Q', flowClass: 'cloud', globals: [], triggers: [], nodes }
  await writeFile(
    join(folder, 'application.yaml'),
    file('Application', { id: '~exportplaceholderid-application-x~', name: 'X' }),
  )
  await writeFile(join(folder, 'flow.yaml'), file('Flow', flow))
  const asked = '  flows ask for the credential "Plant": headgate credential set plant "Plant" TYPE'
  expect(await importCommand([folder, '--slug', 'plant'], io())).toBe(0)
  expect(said).toContain(asked)
  const settings = { system: 'pg', host: 'h', username: 'u', password: 'hush' }
  await run(JSON.stringify(settings), 'set', 'plant', 'Plant', 'sql')
  said.length = 0
  expect(await importCommand([folder, '--slug', 'plant'], io())).toBe(0)
  expect(said).not.toContain(asked)
  expect(said.join()).not.toContain('hush')
})
