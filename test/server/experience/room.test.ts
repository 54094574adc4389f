import { expect, test } from 'vitest'
import { memoryOf, openRoom } from '../../../server/experience/room.ts'
import { addApplication, endpointOf, openSite } from './site.ts'

const busy = expect.objectContaining({ code: 'request.busy', status: 503 })

test('an application has its share of the room, and all share the whole', () => {
  const room = openRoom({ heldBytesPerApplication: 100, heldBytes: 150 })
  const [one, two, other] = [room.open('a'), room.open('a'), room.open('b')]
  one.set(60)
  expect(() => two.set(50)).toThrow(busy)
  two.set(40)
  expect(() => other.set(60)).toThrow(busy)
  other.set(50)
  one.set(10)
  two.set(80)
})

test('room is given back when the last holder is done, and only once', () => {
  const room = openRoom({ heldBytesPerApplication: 100, heldBytes: 100 })
  const first = room.open('a')
  const [client, run] = [first.share(), first.share()]
  first.set(100)
  client()
  client()
  expect(() => room.open('a').set(1)).toThrow(busy)
  run()
  const next = room.open('a')
  next.set(100)
  // Who has left takes no room any more.
  first.set(50)
  expect(() => room.open('a').set(1)).toThrow(busy)
})

test('many small objects weigh more than their text', () => {
  const small = Array.from({ length: 1_000 }, () => ({}))
  expect(memoryOf(small)).toBeGreaterThan(100_000)
  expect(memoryOf('x'.repeat(1_000))).toBe(1_000)
  expect([memoryOf(null), memoryOf(undefined), memoryOf(7)]).toEqual([0, 0, 0])
})

test('a body that finds no room gets 503, also while it is still coming, and finds it when the run of another has ended', async () => {
  const site = await openSite({ limits: { heldBytesPerApplication: 5_000 } })
  await site.endpoint({ method: 'post' })
  site.flow.run = () => 'silent'
  const ask = (size: number) => site.ask('/', { method: 'POST', body: 'x'.repeat(size) })
  const first = ask(3_000)
  await expect.poll(() => site.events.length).toBe(1)
  expect(await ask(3_000)).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
  const { replyId, scope, onEnd } = site.events[0]!
  site.experience.replies.fail(scope, replyId, { message: 'over' })
  expect((await first).status).toBe(500)
  // The run goes on with the body, though its client has the answer.
  expect((await ask(3_000)).status).toBe(503)
  onEnd?.()
  const second = ask(3_000)
  await expect.poll(() => site.events.length).toBe(2)
  site.experience.replies.fail(scope, site.events[1]!.replyId, { message: 'over' })
  expect((await second).status).toBe(500)
})

test('what one tenant holds takes no room from an application of the same id of another', async () => {
  const site = await openSite({ limits: { heldBytesPerApplication: 5_000 } })
  await site.endpoint({ method: 'post' })
  const beta = await addApplication(site.store, { ...site.scope, tenant: 'beta' }, 'beta')
  await beta.collection('endpoints').insert(endpointOf({ method: 'post' }))
  site.flow.run = ({ scope }) => (scope.tenant === 'beta' ? {} : 'silent')
  const ask = (host: string) => site.ask('/', { host, method: 'POST', body: 'x'.repeat(3_000) })
  const first = ask('shop.localhost')
  await expect.poll(() => site.events.length).toBe(1)
  expect((await ask('shop.localhost')).status).toBe(503)
  expect((await ask('beta.localhost')).status).toBe(200)
  site.experience.replies.fail(site.scope, site.events[0]!.replyId, { message: 'over' })
  expect((await first).status).toBe(500)
})
