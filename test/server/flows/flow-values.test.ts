import { expect, test } from 'vitest'
import { flowValues } from '../../../server/flows/flow-values.ts'
import { openApplication } from '../../helpers/application.ts'

test('a flow keeps values of every kind, apart from other flows', async () => {
  const { app } = await openApplication()
  const one = flowValues(app.values, 'f1')
  const two = flowValues(app.values, 'f2')
  await one.set('list', [1, { a: null }])
  await one.set('__proto__', 'odd key')
  expect(await one.get('list')).toEqual([1, { a: null }])
  expect(await one.get('missing')).toBeUndefined()
  expect(await two.get('list')).toBeUndefined()
  expect(await two.all()).toEqual({})
  expect(Object.entries(await one.all())).toEqual(expect.arrayContaining([['__proto__', 'odd key']]))
  expect(await one.remove('list')).toEqual([1, { a: null }])
  expect(await one.get('list')).toBeUndefined()
})

test('adding is atomic: a hundred at once count a hundred', async () => {
  const { app } = await openApplication()
  const values = flowValues(app.values, 'f1')
  await Promise.all(Array.from({ length: 100 }, () => values.add('n', 1)))
  expect(await values.add('n', 0.5)).toBe(100.5)
})

test('what nodes remember changes in one step, and is none of the values of the flow', async () => {
  const { app } = await openApplication()
  const values = flowValues(app.values, 'f1')
  const count = () => values.transition('n', (before) => ({ after: Number(before ?? 0) + 1, result: before }))
  const before = await Promise.all(Array.from({ length: 50 }, count))
  expect(before.map((one) => one ?? 0).toSorted((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 50 }, (_, i) => i),
  )
  expect(await values.all()).toEqual({})
  const other = flowValues(app.values, 'f2')
  expect(await other.transition('n', (seen) => ({ after: seen, result: seen }))).toBeUndefined()
  expect(await values.transition('n', (seen) => ({ after: undefined, result: seen }))).toBe(50)
  expect(await values.transition('n', (seen) => ({ after: seen, result: seen }))).toBeUndefined()
  const large = values.transition('n', () => ({ after: 'x'.repeat(17_000), result: 1 }))
  await expect(large).rejects.toMatchObject({ code: 'value.too-large' })
})

test('refuses to add to text, and to keep more than 16 KB', async () => {
  const { app } = await openApplication()
  const values = flowValues(app.values, 'f1')
  await values.set('text', 'abc')
  await expect(values.add('text', 1)).rejects.toMatchObject({ code: 'value.not-number' })
  await expect(values.set('big', 'x'.repeat(17_000))).rejects.toMatchObject({ code: 'value.too-large' })
  expect(await values.get('big')).toBeUndefined()
})

test('more values than a payload holds are read one by one, not all at once', async () => {
  const { app } = await openApplication()
  const values = flowValues(app.values, 'f1')
  const value = 'x'.repeat(16_000)
  for (let i = 0; i < 340; i++) await values.set(`k${i}`, value)
  await expect(values.all()).rejects.toMatchObject({ code: 'value.too-large' })
  expect(await values.get('k339')).toBe(value)
})

test('a key of megabytes is refused', async () => {
  const { app } = await openApplication()
  const values = flowValues(app.values, 'f1')
  const key = 'k'.repeat(1_001)
  await expect(values.set(key, 1)).rejects.toMatchObject({ code: 'value.too-large' })
  await expect(values.add(key, 1)).rejects.toMatchObject({ code: 'value.too-large' })
  expect(await values.all()).toEqual({})
})
