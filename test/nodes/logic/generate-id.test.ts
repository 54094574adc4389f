import { expect, test } from 'vitest'
import { generateId } from '../../../nodes/logic/generate-id.ts'
import { runNode } from '../../helpers/run-node.ts'

const NAMESPACE = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'

const made = (config: object, payload = {}) =>
  runNode(generateId, {
    config: { ...config, destinationPath: 'id' },
    payload,
    use: { clock: { now: () => 0x65000000 * 1000 + 999 } },
  })

test.each([
  [{}, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  [{ idTypeTemplate: ' UUIDv4 ' }, /^[0-9a-f-]{14}4/],
  [{ idTypeTemplate: 'uuidv1' }, /^[0-9a-f-]{14}1/],
  [
    { idTypeTemplate: 'uuidv3', namespaceTemplate: NAMESPACE, valueTemplate: '{{v}}' },
    /^5df41881-3aed-3515-88a7-2f4a814cf09e$/,
  ],
  [{ idTypeTemplate: 'objectid' }, /^65000000[0-9a-f]{16}$/],
  [{ idTypeTemplate: '{{none}}' }, /^[0-9a-f-]{14}4/],
  [{ idTypeTemplate: 'nanoid', numCharactersTemplate: '{{none}}' }, /^[\w-]{21}$/],
  [
    { idTypeTemplate: 'uuidv5', namespaceTemplate: ' {{ns}} ', valueTemplate: 'www.example.com' },
    /^2ed6657d-e927-568b-95e1-2665a8aea6a2$/,
  ],
  [{ idTypeTemplate: '{{kind}}' }, /^[\w-]{21}$/],
  [{ idTypeTemplate: 'nanoid', numCharactersTemplate: '{{n}}' }, /^[\w-]{256}$/],
  [{ idTypeTemplate: 'nanoid', numCharactersTemplate: 1 }, /^[\w-]$/],
])('%j makes an id like %s', async (config, like) => {
  const run = await made(config, { kind: 'NanoId', n: 256, v: 'www.example.com', ns: NAMESPACE })
  expect(run).toMatchObject({ output: 'next', error: undefined })
  expect(run.payload.id).toMatch(like)
})

test('text that is not well formed has a name, too', async () => {
  const settings = { idTypeTemplate: 'uuidv5', namespaceTemplate: NAMESPACE }
  const { payload } = await made({ ...settings, valueTemplate: 'a\ud800' })
  expect(payload.id).toBe((await made({ ...settings, valueTemplate: 'a\ufffd' })).payload.id)
})

test.each(['uuidv1', 'uuidv4', 'objectid', 'nanoid'])('never makes the same %s twice', async (idTypeTemplate) => {
  const ids = await Promise.all(Array.from({ length: 200 }, async () => (await made({ idTypeTemplate })).payload.id))
  expect(new Set(ids).size).toBe(200)
})

test.each([
  [{ idTypeTemplate: 'guid' }, 'id.argument'],
  [{ idTypeTemplate: 'nanoid', numCharactersTemplate: '-1' }, 'id.argument'],
  [{ idTypeTemplate: 'uuidv3', namespaceTemplate: '{{none}}', valueTemplate: 'x' }, 'id.argument'],
  [{ idTypeTemplate: 'uuidv3', namespaceTemplate: NAMESPACE, valueTemplate: '{{none}}' }, 'id.argument'],
  [{ idTypeTemplate: 'nanoid', numCharactersTemplate: '0' }, 'id.argument'],
  [{ idTypeTemplate: 'nanoid', numCharactersTemplate: '257' }, 'id.argument'],
  [{ idTypeTemplate: 'nanoid', numCharactersTemplate: '2.5' }, 'id.argument'],
  [{ idTypeTemplate: 'nanoid', numCharactersTemplate: 'x' }, 'config.type'],
  [{ idTypeTemplate: 'uuidv5', valueTemplate: 'x' }, 'id.argument'],
  [{ idTypeTemplate: 'uuidv3', namespaceTemplate: 'dns', valueTemplate: 'x' }, 'id.argument'],
  [{ idTypeTemplate: 'uuidv5', namespaceTemplate: NAMESPACE }, 'id.argument'],
])('%j fails with %s', async (config, code) => {
  const run = await made(config)
  expect(run.error).toMatchObject({ code })
  expect(run.payload).toEqual({})
})
