import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer } from '../helpers/client.ts'
import { asPage, mutate, openWorld, reply, script, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld({ runTimeoutMs: 3_000, replyTimeoutMs: 3_500 })
  // The first call of a function node starts its process.
  await world.innocent.client.get('/sum')
  const numbers = JSON.stringify(JSON.stringify(Array.from({ length: 300_000 }, (_, i) => i)))
  const thousand = JSON.stringify(Array.from({ length: 1_000 }, (_, i) => i))
  const globals = [
    { key: 'numbers', json: numbers },
    { key: 'list', json: thousand },
  ]
  await world.hostile.app.collection('application').update(world.hostile.scope.application, { globals })
  const page = await world.hostile.view('page', 'heavy', HEAVY)
  await world.hostile.serve('/template', [reply(HEAVY)])
  await world.hostile.serve('/after-function', [script(''), reply(HEAVY)])
  await world.hostile.serve('/page', [{ type: 'EndpointReplyNode', config: asPage(page) }])
  await world.hostile.serve('/static', undefined, { staticReply: { type: 'page', value: page } })
  await world.hostile.serve('/function', [script('for (;;);'), reply('never')])
  await world.hostile.serve('/memory', [
    script('const a = []; for (;;) a.push(new Array(1e5).fill(1))'),
    reply('never'),
  ])
  await world.hostile.serve('/circle', [
    { ...mutate({ a: '1' }), outputIds: [['n1']] },
    { ...mutate({ a: '2' }), outputIds: [['n0']] },
  ])
  await world.hostile.serve('/loop', [
    { type: 'LoopNode', config: LOOP, outputIds: [[], ['n1']] },
    { ...mutate({ a: '{{globals.numbers}}' }), meta: { groupId: 'n0' }, outputIds: [] },
  ])
  await world.hostile.serve('/silent', [mutate({ a: '1' })])
})
afterAll(() => world.close())

// As much work as a template may ask for: it takes the thread until its time is over.
const HEAVY =
  '{{#each globals.list}}{{#each @root.globals.list}}{{length (jsonDecode @root.globals.numbers)}}{{/each}}{{/each}}'
const LOOP = { loopSourcePath: 'globals.list', currentItemPath: 'working.current', parallel: true }

const SLOW = /more than 500 ms|took longer/

/** Asks for a path many times at once, and in the same moment once for each path of the other application. */
async function race(path: string, times: number) {
  const order: string[] = []
  const note = (who: string) => (answer: Answer) => {
    order.push(who)
    return answer
  }
  const hostile = Array.from({ length: times }, () => world.hostile.client.get(path).then(note('hostile')))
  const innocent = ['/hello?name=Ann', '/sum', '/page'].map((one) =>
    world.innocent.client.get(one).then(note('innocent')),
  )
  const [theirs, ours] = [await Promise.all(hostile), await Promise.all(innocent)]
  return {
    theirs,
    ours,
    before: order.slice(0, order.lastIndexOf('innocent')).filter((who) => who === 'hostile').length,
  }
}

describe('eight requests that each keep the thread as long as they can', () => {
  test.each(['/template', '/after-function', '/page', '/static'])('%s', async (path) => {
    const { theirs, ours, before } = await race(path, 8)
    expect(ours.map(({ status, text }) => [status, text])).toEqual([
      [200, 'Hello Ann'],
      [200, 'Sum 3'],
      [200, '<i>1</i><i>2</i>'],
    ])
    // An innocent request takes a few turns of the event loop, and one hostile request fits between two of them.
    expect(before).toBeLessThanOrEqual(5)
    for (const { status, text } of theirs) expect([status, text]).toEqual([500, expect.stringMatching(SLOW)])
  })
})

describe('while one application runs at its limits, the other is served', () => {
  test.each([
    ['/function', 4, /took longer/],
    ['/memory', 4, /of memory|took longer/],
    ['/circle', 10, /more than 50000 nodes|took longer/],
    ['/loop', 10, /took longer|beyond|no flow sent one/],
  ])('%s', async (path, times, message) => {
    let asked = 0
    const work = () => Promise.all(Array.from({ length: times }, () => world.hostile.client.get(path)))
    for (const ours of ['/hello?name=Ann', '/sum']) {
      const { result, innocentAnswers } = await world.meanwhile(work, ours)
      asked += innocentAnswers
      for (const { text } of result) expect(text).toMatch(message)
    }
    expect(asked).toBeGreaterThan(times)
  })
})

test('2,000 requests wait; more get 503 at once, and the other application is served', async () => {
  const work = async () => {
    const answers = await Promise.all(Array.from({ length: 2_100 }, () => world.hostile.client.get('/silent')))
    return Map.groupBy(answers, ({ status }) => status)
  }
  const { result, innocentAnswers } = await world.meanwhile(work)
  expect([...result.keys()].toSorted()).toEqual([503, 504])
  // Those that came late found room again.
  expect(result.get(504)!.length).toBeGreaterThanOrEqual(1_900)
  const refused = result.get(503)![0]!
  expect(JSON.parse(refused.text)).toMatchObject({ type: 'Unavailable' })
  expect(refused.headers['retry-after']).toBe('1')
  expect(innocentAnswers).toBeGreaterThan(100)
})

test('bodies that take much memory wait a few at a time; more get 503, and the other application is served', async () => {
  await world.hostile.serve('/keep', [mutate({ a: '1' })], { method: 'post' })
  const body = `[${'{},'.repeat(490_000)}1]`
  const headers = { 'content-type': 'application/json' }
  const ask = () => world.hostile.client.send({ method: 'POST', path: '/keep', headers, body })
  const { result } = await world.meanwhile(() => Promise.all(Array.from({ length: 12 }, ask)))
  const byStatus = Map.groupBy(result, ({ status }) => status)
  expect([...byStatus.keys()].toSorted()).toEqual([503, 504])
  expect(byStatus.get(504)!.length).toBeLessThanOrEqual(4)
  expect(JSON.parse(byStatus.get(503)![0]!.text)).toMatchObject({ type: 'Unavailable' })
})
