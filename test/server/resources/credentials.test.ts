import { describe, expect, test } from 'vitest'
import type { CredentialType } from '../../../nodes/services/credentials.ts'
import { missingCredentials } from '../../../server/resources/credential-names.ts'
import { openCredentials } from '../../../server/resources/credentials.ts'
import { openSealer } from '../../../server/seal.ts'
import { openApplication, scope } from '../../helpers/application.ts'

const sealer = openSealer('the key of this server')
const jwt = { algorithm: 'HS256', secret: 'a secret to sign with', issuer: 'us' }

async function open() {
  const world = await openApplication()
  return { ...world, credentials: openCredentials({ app: world.app, sealer }) }
}

test('is kept under its name, read by its type, and shown without its secret', async () => {
  const { app, credentials } = await open()
  await credentials.set({ name: 'Signer', type: 'jwt', settings: jwt })
  expect(await credentials.get('Signer', 'jwt')).toEqual(jwt)
  expect(await credentials.list()).toMatchObject([
    { name: 'Signer', type: 'jwt', settings: { algorithm: 'HS256', issuer: 'us' } },
  ])
  expect(JSON.stringify(await credentials.list())).not.toMatch(/to sign with|sealed/)
  expect(JSON.stringify(await app.collection('credentials').find())).not.toContain('to sign with')
})

test('new settings take the place of the old ones, but not of those of another type', async () => {
  const { credentials } = await open()
  await credentials.set({ name: 'Signer', type: 'jwt', settings: jwt })
  await credentials.set({ name: 'Signer', type: 'jwt', settings: { algorithm: 'HS512', secret: 'new' } })
  expect(await credentials.get('Signer', 'jwt')).toEqual({ algorithm: 'HS512', secret: 'new' })
  const other = credentials.set({ name: 'Signer', type: 'sendgrid', settings: { apiKey: 'SG.12345' } })
  await expect(other).rejects.toMatchObject({ name: 'Refusal', type: 'AlreadyExists' })
  expect(await credentials.remove('Signer')).toBe(true)
  expect(await credentials.remove('Signer')).toBe(false)
  expect(await credentials.list()).toEqual([])
})

test.each<[CredentialType, unknown, string]>([
  ['jwt', 'hush', 'an object of issuer?, algorithm, secret'],
  ['jwt', ['hush'], 'an object'],
  ['jwt', { ...jwt, algorithm: 'none' }, 'Expected "algorithm" to be one of HS256'],
  ['jwt', { algorithm: 'HS256' }, 'Expected "secret" to be text of 1 to 4096 characters, got nothing'],
  ['jwt', { ...jwt, secret: 'hush'.repeat(2_000) }, 'got text of 8000 characters'],
  ['jwt', { ...jwt, __proto__: null, other: 'hush' }, 'got "other" as well'],
  ['sql', { system: 'pg', host: 'h', username: 'u', password: 'hush', port: 70_000 }, 'Expected "port"'],
  ['sql', { system: 'pg', host: 'h', username: 'u', password: 'hush', secureConnection: 'yes' }, 'true or false'],
  ['mailgun', { apiKey: 7 }, 'got another number'],
])('settings of %s that cannot be are refused without a word of them: %j', async (type, settings, message) => {
  const { app, credentials } = await open()
  const set = credentials.set({ name: 'x', type, settings })
  await expect(set).rejects.toMatchObject({ name: 'Refusal', message: expect.stringContaining(message) })
  await expect(set).rejects.toMatchObject({ message: expect.not.stringContaining('hush') })
  expect(await app.collection('credentials').count()).toBe(0)
})

describe('a flow is told', () => {
  test('that there is none, or one of another type, alike for a foreign one', async () => {
    const { store, credentials } = await open()
    for (const other of [
      { ...scope, application: 'b'.repeat(24) },
      { ...scope, tenant: 't2' },
    ]) {
      const foreign = openCredentials({ app: store.app(other), sealer })
      await foreign.set({ name: 'Theirs', type: 'jwt', settings: jwt })
    }
    const missing =
      'Expected a credential "Theirs" of the type jwt, got none. Make it with: headgate credential set APP "Theirs" jwt'
    await expect(credentials.get('Theirs', 'jwt')).rejects.toMatchObject({
      code: 'credential.missing',
      message: missing,
    })
    await credentials.set({ name: 'Ours', type: 'mailgun', settings: { apiKey: 'key-1' } })
    await expect(credentials.get('Ours', 'jwt')).rejects.toMatchObject({
      ...{ code: 'credential.missing', message: expect.stringContaining('got one of the type mailgun') },
    })
    // Names are told apart by case.
    await expect(credentials.get('ours', 'mailgun')).rejects.toMatchObject({ code: 'credential.missing' })
  })

  test('that the SECRET_KEY of the server is another one now, and what to do', async () => {
    const { app, credentials } = await open()
    await credentials.set({ name: 'Signer', type: 'jwt', settings: jwt })
    const rotated = openCredentials({ app, sealer: openSealer('a new key') })
    await expect(rotated.get('Signer', 'jwt')).rejects.toMatchObject({
      code: 'credential.unreadable',
      message:
        'The credential "Signer" was stored under another SECRET_KEY. Store it again: headgate credential set APP "Signer" jwt',
    })
    await rotated.set({ name: 'Signer', type: 'jwt', settings: jwt })
    expect(await rotated.get('Signer', 'jwt')).toEqual(jwt)
  })

  test('that someone has put the text of another credential there', async () => {
    const { store, app, credentials } = await open()
    const foreign = openCredentials({ app: store.app({ ...scope, application: 'b'.repeat(24) }), sealer })
    await foreign.set({ name: 'Signer', type: 'jwt', settings: jwt })
    const [theirs] = await store
      .app({ ...scope, application: 'b'.repeat(24) })
      .collection('credentials')
      .find()
    await app.collection('credentials').insert(theirs!)
    await expect(credentials.get('Signer', 'jwt')).rejects.toMatchObject({
      ...{ code: 'credential.unreadable', message: expect.stringContaining('was changed in the store') },
    })
  })
})

test('the names that flows ask for and that are not there are known', async () => {
  const { app, credentials, addFlow } = await open()
  const node = (id: string, credentialNameTemplate?: unknown) => ({
    ...{ id, type: 'SqlNode', config: { credentialNameTemplate, query: 'SELECT 1' }, outputIds: [[]] },
  })
  await addFlow({
    name: 'One',
    triggers: [],
    nodes: [node('a', 'Plant'), node('b', ' Shop '), node('c'), node('d', '')],
  })
  await addFlow({
    name: 'Two',
    triggers: [],
    nodes: [node('a', 'Plant'), node('b', '{{globals.name}}')],
    version: 'develop',
  })
  expect(await missingCredentials(app)).toEqual(['Plant', 'Shop'])
  const settings = { system: 'pg', host: 'h', username: 'u', password: 'p' }
  await credentials.set({ name: 'Plant', type: 'sql', settings })
  expect(await missingCredentials(app)).toEqual(['Shop'])
})
