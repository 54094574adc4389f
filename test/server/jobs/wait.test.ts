import { expect, test } from 'vitest'
import { openRests } from '../../../server/jobs/wait.ts'

test('a long loop that waits for nothing lets the rest of the process go on', async () => {
  let others = 0
  const timer = setInterval(() => void others++, 1)
  const rest = openRests(2)
  for (let n = 0; n < 20; n++) {
    const until = performance.now() + 3
    while (performance.now() < until);
    await rest()
  }
  clearInterval(timer)
  expect(others).toBeGreaterThan(10)
})

test('a short loop is not broken up', async () => {
  let others = 0
  setImmediate(() => void others++)
  const rest = openRests(10_000)
  for (let n = 0; n < 1_000; n++) await rest()
  expect(others).toBe(0)
})
