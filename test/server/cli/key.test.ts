import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keyCommand } from '../../../server/cli/key.ts'
import { openAccessKeys } from '../../../server/resources/access-keys.ts'
import { openStore } from '../../../server/store/open.ts'
import { temporaryFolder } from '../../helpers/store.ts'

async function world() {
  const DATA_DIR = await temporaryFolder()
  const scope = { tenant: 't1', application: 'a'.repeat(24) }
  const store = await openStore(undefined, join(DATA_DIR, 'headgate.db'))
  const app = store.app(scope)
  await app.collection('application').insert({ id: scope.application, name: 'Test', globals: [], secret: 's' })
  const device = { name: 'Pump', deviceClass: 'standalone', tags: [], attributes: [], groupIds: [] }
  const { id } = await app.collection('devices').insert(device)
  const out: string[] = []
  const io = { out: (line: string) => void out.push(line), err: () => undefined, env: { DATA_DIR } }
  const key = async (...args: string[]) => await keyCommand([scope.application, ...args], io)
  const shown = () => Object.fromEntries(out.map((line) => line.split(/ {2,}/) as [string, string]))
  return { app, id, key, shown, close: () => store.close() }
}

test('makes a key for a device by its name or id, and shows the secret that opens it', async () => {
  const { app, id, key, shown, close } = await world()
  for (const wanted of ['Pump', id.toUpperCase()]) {
    expect(await key(wanted)).toBe(0)
    const { 'client id': device, 'user name': name, password } = shown()
    expect(device).toBe(id)
    expect(await openAccessKeys(app).authenticate(name!, password!)).toMatchObject({ deviceIds: [id] })
    expect(await openAccessKeys(app).authenticate(name!, `${password}x`)).toBeUndefined()
  }
  expect(JSON.stringify(await openAccessKeys(app).list({}))).not.toContain('secret')
  await close()
})

test('says what is wrong with a device that is not there, or a name that two have', async () => {
  const { app, key, close } = await world()
  await app
    .collection('devices')
    .insert({ name: 'Pump', deviceClass: 'standalone', tags: [], attributes: [], groupIds: [] })
  await expect(key('Fan')).rejects.toThrow('Expected the id or name of a device, got "Fan"')
  await expect(key('Pump')).rejects.toThrow('Expected a name that one device has, got "Pump". Give its id.')
  expect(await app.collection('accessKeys').count()).toBe(0)
  await close()
})
