import { expect, test } from 'vitest'
import { openBans } from '../../../server/mqtt/bans.ts'

test('keep out for twice as long each time in a row, up to an hour, and begin anew after a calm while', () => {
  let now = 0
  const bans = openBans(() => now)
  const lengths: number[] = []
  for (let n = 0; n < 9; n++) {
    bans.add('a')
    const from = now
    while (bans.has('a')) now += 1_000
    lengths.push((now - from) / 1_000)
  }
  expect(lengths).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600])
  expect(bans.has('b')).toBe(false)
  now += 3_600_000
  bans.add('a')
  now += 30_000
  expect(bans.has('a')).toBe(false)
})
