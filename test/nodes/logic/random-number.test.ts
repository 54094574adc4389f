import { expect, test } from 'vitest'
import { randomNumber } from '../../../nodes/logic/random-number.ts'
import { runNode } from '../../helpers/run-node.ts'

const drawn = async (config: object, payload = {}) =>
  (await runNode(randomNumber, { config: { ...config, resultPath: 'r' }, payload })).payload.r

test('draws every whole number between the ends, both included', async () => {
  const results = await Promise.all(
    Array.from({ length: 500 }, () => drawn({ min: -1.9, max: '{{top}}' }, { top: 2.5 })),
  )
  expect(new Set(results)).toEqual(new Set([-1, 0, 1, 2]))
  expect(results.some((result) => Object.is(result, -0))).toBe(false)
})

test('draws from 0 to 100 when nothing is said', async () => {
  const results = await Promise.all(Array.from({ length: 200 }, () => drawn({})))
  expect(
    results.every((result) => Number.isInteger(result) && (result as number) >= 0 && (result as number) <= 100),
  ).toBe(true)
  expect(Math.max(...(results as number[]))).toBeGreaterThan(50)
})

test.each([
  [{ min: -7.999, max: 7.999 }, -7, 7],
  [{ min: '', max: '' }, 0, 100],
  [{ min: '{{none}}', max: '{{none}}' }, 0, 100],
  [{ min: ' 3 ', max: '3' }, 3, 3],
  [{ min: '-5', max: -5 }, -5, -5],
])('%j draws from %i to %i', async (config, low, high) => {
  const results = (await Promise.all(Array.from({ length: 300 }, () => drawn(config)))) as number[]
  expect(results.every((result) => Number.isInteger(result) && result >= low && result <= high)).toBe(true)
})

test('asks for a place', async () => {
  expect((await runNode(randomNumber, { config: {} })).problems).toMatchObject([{ code: 'config.missing' }])
})

test.each([
  [{ min: 'a' }],
  [{ max: '{{list}}' }],
  [{ min: 5, max: 4 }],
  [{ min: 0.2, max: 0.8 }],
  [{ max: 'Infinity' }],
])('gives null for %j', async (config) => {
  expect(await drawn(config, { list: [1, 2] })).toBeNull()
})
