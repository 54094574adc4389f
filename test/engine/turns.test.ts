import { expect, test } from 'vitest'
import { enterTurn, giveWay } from '../../engine/turns.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Keeps the thread, as a heavy template does. */
function hog(milliseconds = 15): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

async function work(group: string, seen: string[], before: Promise<void> | undefined): Promise<void> {
  await before
  seen.push(group)
  hog()
}

test('who comes while the thread is quick goes on at once', async () => {
  await turn()
  expect([enterTurn('a'), enterTurn('b'), enterTurn('a')]).toEqual([undefined, undefined, undefined])
})

test('after long work others wait for a turn of the event loop', async () => {
  await turn()
  expect(enterTurn('a')).toBeUndefined()
  hog()
  const wait = enterTurn('b')
  expect(wait).toBeInstanceOf(Promise)
  await wait
  await turn()
  expect(enterTurn('b')).toBeUndefined()
})

test('groups take turns, however many wait in one of them', async () => {
  const seen: string[] = []
  const all = [...'aaaaaa', 'b', 'c', 'b'].map((group) => work(group, seen, giveWay(group)))
  await Promise.all(all)
  expect([...seen.slice(0, 3)].sort().join('')).toBe('abc')
  expect([...seen.slice(3, 5)].sort().join('')).toBe('ab')
})

test('who asks for little is not held up by who asks for much', async () => {
  const seen: string[] = []
  const long = [...'aaaa'].map((group) => work(group, seen, giveWay(group)))
  const short = [...'bbbbbb'].map((group) => giveWay(group).then(() => seen.push(group)))
  await Promise.all([...long, ...short])
  expect(seen.join('')).toMatch(/^a?bbbbbba+$/)
})

test('the event loop turns between pieces of long work, and short ones share a turn', async () => {
  let turns = 0
  let next = setImmediate(function count() {
    turns++
    next = setImmediate(count)
  })
  await Promise.all(Array.from({ length: 10 }, () => work('a', [], giveWay('a'))))
  // Each turn takes one new connection, and there may be many.
  expect(turns).toBeGreaterThan(30)
  // Past the rest that the long work is followed by, in which the event loop turns freely.
  await giveWay('a')
  turns = 0
  await Promise.all(Array.from({ length: 1_000 }, () => giveWay('a')))
  expect(turns).toBeLessThan(500)
  clearImmediate(next)
})
