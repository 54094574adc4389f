import { expect, test } from 'vitest'
import { openLine } from '../../../engine/sandbox/line.ts'

const call = (application: string, n: number) => ({ application, n })

test('applications take turns, however many calls one of them has', () => {
  const line = openLine<ReturnType<typeof call>>()
  for (let n = 1; n <= 100; n++) line.add(call('many', n), 'last')
  line.add(call('few', 1), 'last')
  const served: string[] = []
  for (let i = 0; i < 4; i++) {
    const head = line.heads()[0]
    if (!head) break
    line.remove(head)
    served.push(`${head.application} ${head.n}`)
  }
  expect(served).toEqual(['many 1', 'few 1', 'many 2', 'many 3'])
})

test('a call that is run again stands before the others of its application', () => {
  const line = openLine<ReturnType<typeof call>>()
  line.add(call('a', 1), 'last')
  line.add(call('a', 0), 'first')
  expect(line.heads()).toEqual([call('a', 0)])
  expect(line.clear()).toHaveLength(2)
  expect(line.heads()).toEqual([])
})

test('taking out a call that is not there changes nothing', () => {
  const line = openLine<ReturnType<typeof call>>()
  line.add(call('a', 1), 'last')
  line.remove(call('a', 1))
  line.remove(call('b', 1))
  expect(line.heads()).toEqual([call('a', 1)])
})
