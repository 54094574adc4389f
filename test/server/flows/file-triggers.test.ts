import { beforeEach, expect, test } from 'vitest'
import { type Firing, openFiring } from './firing.ts'

let world: Firing
beforeEach(async () => {
  world = await openFiring()
})

const listen = (key: string, config: object) =>
  world.addFlow({ name: 'Listens', triggers: [{ type: 'appFile', key, config, outputIds: [[]] }] })
const write = (path: string, hidden = false, depth = 0) => {
  const at = path.lastIndexOf('/')
  return world
    .resources()
    .filesAs({ type: 'user', id: 'u1', depth })
    .write({
      ...{ name: path.slice(at + 1), parentDirectory: path.slice(0, at), private: hidden, overwrite: true },
      content: Buffer.from('x'),
    })
}
const started = async () =>
  (await world.waiting()).map(({ data, relay, triggerId }) => {
    const { action, file } = data as { action: string; file: { name: string; parentDirectory: string } }
    return { action, path: `${file.parentDirectory}/${file.name}`, relay, triggerId }
  })

const all = { create: true, update: true, delete: true, public: true, private: true }

test('starts a run with what was done to which file, relayed by its author', async () => {
  await listen('/', all)
  const { id } = await write('/d/a.txt')
  await write('/d/a.txt')
  await world.resources().filesAs({ type: 'user', id: 'u1', depth: 0 }).remove({ id, private: false })
  const relay = { type: 'user', id: 'u1' }
  expect(await started()).toEqual(
    ['create', 'update', 'delete'].map((action) => ({ action, path: '/d/a.txt', relay, triggerId: '/d/a.txt' })),
  )
  const [{ data } = {}] = await world.waiting()
  expect(data).toMatchObject({ file: { id, type: 'file', _type: 'file', fileSize: 1, status: 'completed' } })
})

test.each([
  ['/', {}, 0],
  ['/', { create: true }, 1],
  ['/', { create: true, public: false }, 0],
  ['/', { update: true, delete: true }, 0],
  ['/d/', { create: true }, 1],
  ['/d/a.txt', { create: true }, 1],
  ['d/a.txt', { create: true }, 1],
  ['/d', { create: true }, 0],
  ['/d/a', { create: true }, 0],
  ['/e/', { create: true }, 0],
])('with the key %s and %o is started %i times by /d/a.txt', async (key, config, times) => {
  await listen(key, config)
  await write('/d/a.txt')
  expect(await started()).toHaveLength(times)
})

test('private files start only those that ask for them', async () => {
  await listen('/', { create: true })
  await write('/a', true)
  expect(await started()).toHaveLength(0)
  await listen('/', { create: true, private: true, public: false })
  await write('/b', true)
  await write('/c')
  // The first flow hears of the public one, the second of the private one.
  expect((await started()).map(({ path }) => path).sort()).toEqual(['//b', '//c'])
})

test('a flow that writes what it listens to is stopped', async () => {
  await listen('/', all)
  await write('/a', false, 20)
  expect(await started()).toHaveLength(0)
})
