import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { SeriesRequest } from '../../../nodes/services/series.ts'
import type { StateValue } from '../../../server/store/port.ts'
import { openTestWorld, type TestWorld } from './world.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const attributes = [
  { name: 'n', dataType: 'number' },
  { name: 's', dataType: 'string' },
  { name: 'b', dataType: 'boolean' },
]

interface Given {
  device: number
  attribute: 'n' | 's' | 'b'
  time: number
  value: StateValue
}

let world: TestWorld
beforeAll(async () => {
  world = await openTestWorld()
})

async function devicesWith(points: readonly Given[], count = 2): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push((await world.devices.create({ name: `d${i}`, attributes }, {})).id)
  await world.app.telemetry.append(
    points.map(({ device, attribute, time, value }) => ({
      deviceId: ids[device]!,
      time,
      data: { [attribute]: value },
    })),
  )
  return ids
}

const ask = (ids: readonly string[], more: Partial<SeriesRequest>) =>
  world.devices.series({
    devices: { ids },
    attributes: ['n'],
    end: NOW,
    perDevice: false,
    aggregation: 'MEAN',
    ...more,
  })

/** Values by their buckets, in words that a test can compare. */
async function valuesOf(ids: readonly string[], more: Partial<SeriesRequest>) {
  const { groups } = await ask(ids, more)
  return groups.map(({ points }) =>
    points.map(({ time, data }) => [
      time,
      Object.fromEntries(Object.entries(data).map(([name, { value }]) => [name, value])),
    ]),
  )
}

const at = (time: number, value: StateValue, device = 0): Given => ({
  device,
  attribute: typeof value === 'number' ? 'n' : typeof value === 'string' ? 's' : 'b',
  time,
  value,
})

describe('one bucket over the whole range', () => {
  const points = [
    at(100, 4),
    at(200, 1),
    at(300, 3),
    at(400, 8),
    at(150, 10, 1),
    at(150, 'x'),
    at(250, true),
    at(350, false),
  ]
  test.each<[string, string, StateValue | undefined]>([
    ['FIRST', 'n', 4],
    ['LAST', 'n', 8],
    ['COUNT', 'n', 5],
    ['MAX', 'n', 10],
    ['MIN', 'n', 1],
    ['MEDIAN', 'n', 4],
    ['MEAN', 'n', 5.2],
    ['SUM', 'n', 26],
    ['STD_DEV', 'n', Math.sqrt(((4 - 5.2) ** 2 + 4.2 ** 2 + 2.2 ** 2 + 2.8 ** 2 + 4.8 ** 2) / 5)],
    ['FIRST', 's', 'x'],
    ['COUNT', 's', 1],
    ['MEAN', 's', undefined],
    ['MAX', 's', undefined],
    ['MEAN', 'b', 0.5],
    ['LAST', 'b', false],
    ['', 'n', 5.2],
    ['', 's', 'x'],
    ['mean', 'n', 5.2],
  ])('%s of "%s" is %j', async (aggregation, attribute, expected) => {
    const ids = await devicesWith(points)
    const request = { aggregation, attributes: [attribute], end: 500, duration: 400 }
    const [values] = await valuesOf(ids, request)
    if (expected === undefined) expect(values).toEqual([])
    else if (typeof expected !== 'number') expect(values).toEqual([[100, { [attribute]: expected }]])
    else expect((values![0]![1] as Record<string, number>)[attribute]).toBeCloseTo(expected, 10)
  })

  test('of an even number of values the median is the middle of two', async () => {
    const ids = await devicesWith([at(1, 10), at(2, 1), at(3, 2), at(4, 100, 1)])
    expect(await valuesOf(ids, { aggregation: 'MEDIAN', end: 5, duration: 5 })).toEqual([[[0, { n: 6 }]]])
  })

  test('a value that was chosen tells when, one that was computed does not', async () => {
    const ids = await devicesWith(points)
    const chosenAt = async (aggregation: string) =>
      (await ask(ids, { aggregation, end: 500, duration: 400 })).groups[0]!.points[0]!.data.n!.chosenAt
    expect(await Promise.all(['FIRST', 'LAST', 'MIN', 'MAX', 'MEAN', 'COUNT'].map(chosenAt))).toEqual([
      ...[100, 400, 200, 150, undefined, undefined],
    ])
  })
})

const foldNames = ['FIRST', 'LAST', 'COUNT', 'MAX', 'MIN', 'MEDIAN', 'MEAN', 'SUM', 'STD_DEV', 'TIMEATVALUE'] as const

/** The rule, without any care for speed: of all points of a bucket at once. */
function oracle(
  given: readonly Given[],
  name: (typeof foldNames)[number],
  range: { start: number; end: number; width: number },
) {
  const { start, end, width } = range
  const buckets: [number, number][] = []
  for (let from = start; from < end; from += width) {
    const to = Math.min(from + width, end)
    if (name === 'TIMEATVALUE') {
      let known = false
      let held = 0
      for (const device of new Set(given.map((one) => one.device))) {
        const own = given.filter((one) => one.device === device)
        for (let ms = from; ms < Math.min(to, NOW); ms++) {
          const last = own
            .filter(({ time }) => time <= ms)
            .toSorted((a, b) => a.time - b.time)
            .at(-1)
          if (last !== undefined) known = true
          if (last?.value === 2) held += 1
        }
      }
      if (known) buckets.push([from, held])
      continue
    }
    const inside = given.filter(({ time }) => time >= from && time < to).toSorted((a, b) => a.time - b.time)
    const numbers = inside.map(({ value }) => Number(value))
    if (numbers.length === 0) continue
    const sum = numbers.reduce((a, b) => a + b, 0)
    const mean = sum / numbers.length
    const sorted = numbers.toSorted((a, b) => a - b)
    const values = {
      FIRST: numbers[0]!,
      LAST: numbers.at(-1)!,
      COUNT: numbers.length,
      MAX: Math.max(...numbers),
      MIN: Math.min(...numbers),
      MEDIAN: (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2,
      MEAN: mean,
      SUM: sum,
      STD_DEV: Math.sqrt(numbers.reduce((total, one) => total + (one - mean) ** 2, 0) / numbers.length),
    }
    buckets.push([from, values[name]])
  }
  return buckets
}

test('any points in any buckets give what the rule says, pooled and for each device', { timeout: 60_000 }, async () => {
  // Of two devices no two points at one time: which of them is the last would be anyone's guess.
  const point = fc.record({
    time: fc.integer({ min: 0, max: 60 }),
    device: fc.integer({ min: 0, max: 1 }),
    value: fc.integer({ min: 0, max: 4 }),
  })
  const arbitrary = fc.record({
    points: fc.uniqueArray(point, { selector: ({ time }) => time, maxLength: 20 }),
    name: fc.constantFrom(...foldNames),
    start: fc.integer({ min: 0, max: 30 }),
    length: fc.integer({ min: 1, max: 40 }),
    width: fc.integer({ min: 1, max: 50 }),
    perDevice: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({ points, name, start, length, width, perDevice }) => {
      const given = points.map((one): Given => ({ ...one, attribute: 'n' }))
      const ids = await devicesWith(given)
      const range = { start, end: start + length, width }
      const request = { aggregation: name, end: range.end, duration: length, resolution: width, value: '2', perDevice }
      const { groups } = await ask(ids, request)
      const found = groups.map((group) => group.points.map(({ time, data }) => [time, data.n!.value as number]))
      const parts = perDevice ? ids.map((_, i) => given.filter(({ device }) => device === i)) : [given]
      expect(groups.map(({ deviceId }) => deviceId)).toEqual(perDevice ? ids : [undefined])
      for (const [i, part] of parts.entries()) {
        const expected = oracle(part, name, range)
        expect(found[i]!.map(([time]) => time)).toEqual(expected.map(([time]) => time))
        for (const [j, [, value]] of expected.entries()) expect(found[i]![j]![1]).toBeCloseTo(value, 9)
      }
    }),
    { numRuns: 150 },
  )
})

test('a state holds until the next report, from before the range, and not beyond now', async () => {
  const ids = await devicesWith([at(NOW - 1_000, 2), at(NOW - 600, 1), at(NOW - 300, 2), at(NOW - 400, 2, 1)])
  const held = { aggregation: 'TIMEATVALUE', value: '2', duration: 1_000, end: NOW + 200 }
  expect(await valuesOf(ids.slice(0, 1), held)).toEqual([[[NOW - 800, { n: 200 + 300 }]]])
  expect(await valuesOf(ids, held)).toEqual([[[NOW - 800, { n: 200 + 300 + 400 }]]])
  expect(await valuesOf(ids.slice(0, 1), { ...held, value: '7' })).toEqual([[[NOW - 800, { n: 0 }]]])
  expect(await valuesOf(ids.slice(0, 1), { ...held, end: NOW - 2_000 })).toEqual([[]])
  const [id] = await devicesWith([at(10, true), at(20, false), at(12, 'on')], 1)
  const words = { aggregation: 'TIMEATVALUE', duration: 30, end: 30 }
  expect(await valuesOf([id!], { ...words, attributes: ['b'], value: 'TRUE' })).toEqual([[[0, { b: 10 }]]])
  expect(await valuesOf([id!], { ...words, attributes: ['s'], value: 'on' })).toEqual([[[0, { s: 18 }]]])
})

test('without a duration each device gives its last value up to the end', async () => {
  const ids = await devicesWith([at(100, 1), at(200, 5), at(150, 3, 1), at(NOW + 50, 9, 1)])
  const last = (aggregation: string, end = NOW) => valuesOf(ids, { aggregation, end })
  expect(await last('LAST')).toEqual([[[NOW, { n: 5 }]]])
  expect(await last('COUNT')).toEqual([[[NOW, { n: 2 }]]])
  expect(await last('MEAN')).toEqual([[[NOW, { n: 4 }]]])
  expect(await last('SUM', NOW + 50)).toEqual([[[NOW + 50, { n: 14 }]]])
  expect(await last('SUM', 150)).toEqual([[[150, { n: 4 }]]])
  expect(await last('SUM', 50)).toEqual([[]])
})

describe('every point', () => {
  const raw = { aggregation: 'NONE', attributes: ['n', 's'], end: 1_000, duration: 900 }
  test('of each device, attributes of one time together', async () => {
    const ids = await devicesWith([at(100, 1), at(100, 'a'), at(200, 2), at(99, 0), at(1_000, 9), at(300, 'b', 1)])
    expect(await valuesOf(ids, raw)).toEqual([
      [
        [100, { n: 1, s: 'a' }],
        [200, { n: 2 }],
      ],
      [[300, { s: 'b' }]],
    ])
    expect((await valuesOf(ids, { ...raw, order: 'desc' }))[0]!.map(([time]) => time)).toEqual([200, 100])
  })

  test('at most as many as are asked for, the oldest or the newest', async () => {
    const ids = await devicesWith(
      Array.from({ length: 10 }, (_, i) => at(100 + i, i)),
      1,
    )
    const some = await ask(ids, { ...raw, limit: 3 })
    expect(some.groups[0]).toMatchObject({ limitExceeded: true, points: [{ time: 100 }, { time: 101 }, { time: 102 }] })
    const newest = await ask(ids, { ...raw, limit: 2, order: 'desc' })
    expect(newest.groups[0]).toMatchObject({ limitExceeded: true, points: [{ time: 109 }, { time: 108 }] })
    expect((await ask(ids, { ...raw, limit: 10 })).groups[0]).toMatchObject({ limitExceeded: false })
  })

  test('of more than the store gives at once it says that there are more', async () => {
    const [id] = await devicesWith(
      Array.from({ length: 25_001 }, (_, i) => at(i, i)),
      1,
    )
    for (const order of ['asc', 'desc'] as const) {
      const { groups } = await ask([id!], { aggregation: 'NONE', end: 30_000, duration: 30_000, order })
      expect(groups[0]!.points).toHaveLength(25_000)
      expect(groups[0]!.limitExceeded).toBe(true)
    }
    const fewer = await ask([id!], { aggregation: 'NONE', end: 25_000, duration: 25_000 })
    expect(fewer.groups[0]).toMatchObject({ limitExceeded: false })
    // What was read in several pages is all there.
    expect(await valuesOf([id!], { aggregation: 'COUNT', end: 30_000, duration: 30_000 })).toEqual([
      [[0, { n: 25_001 }]],
    ])
  })
})

test('devices are those of the ids and of the criteria, each once, and none of another application', async () => {
  const [a, b] = await devicesWith([at(1, 1), at(1, 5, 1)])
  const tagged = await world.devices.create({ name: 't', attributes, tags: [{ key: 'k', value: 'v' }] }, {})
  await world.app.telemetry.append([{ deviceId: tagged.id, time: 2, data: { n: 10 } }])
  const stranger = await world.other.devices.create({ name: 'x', attributes }, {})
  const sum = async (devices: SeriesRequest['devices']) => {
    const series = await ask([], { devices, aggregation: 'SUM', end: 10, duration: 10 })
    return [series.devices.map(({ id }) => id), series.groups[0]?.points[0]?.data.n?.value]
  }
  const tags = { by: 'anyTags' as const, tags: [{ key: 'k' }] }
  expect(await sum({ ids: [a!, a!.toUpperCase(), 'nonsense', '0'.repeat(24)], criteria: [tags, tags] })).toEqual([
    [a, tagged.id],
    11,
  ])
  expect(await sum({ ids: [b!], criteria: [{ by: 'anyTags', tags: [] }] })).toEqual([[b], 5])
  expect(await sum({ ids: [stranger.id] })).toEqual([[], undefined])
  expect(await sum({})).toEqual([[], undefined])
  const { devices } = await ask([tagged.id], {})
  expect(devices).toEqual([{ id: tagged.id, name: 't', tags: { k: ['v'] } }])
})

test.each<[Partial<SeriesRequest>, string]>([
  [{ aggregation: 'AVERAGE', duration: 1 }, 'aggregation'],
  [{ aggregation: 'constructor', duration: 1 }, 'aggregation'],
  [{ duration: -5 }, 'duration'],
  [{ duration: Number.NaN }, 'duration'],
  [{ duration: 1e17 }, 'duration'],
  [{ end: Number.POSITIVE_INFINITY, duration: 1 }, 'end'],
  [{ duration: 100_000, resolution: 9 }, 'resolution'],
  [{ duration: 100, resolution: -1 }, 'resolution'],
  [{ aggregation: 'NONE', duration: 100, limit: 25_001 }, 'limit'],
  [{ aggregation: 'NONE', duration: 100, limit: 0.5 }, 'limit'],
  [{ aggregation: 'NONE' }, 'duration'],
  [{ aggregation: 'TIMEATVALUE', duration: 100 }, 'value'],
  [{ attributes: [] }, 'attributes'],
  [{ attributes: Array.from({ length: 257 }, (_, i) => `a${i}`) }, 'attributes'],
  [{ devices: { ids: Array.from({ length: 1_001 }, (_, i) => i.toString(16).padStart(24, '0')) } }, '1000 devices'],
  [{ devices: { criteria: [{ by: 'query', query: { nonsense: 1 } }] } }, 'nonsense'],
])('refuses %j', async (request, message) => {
  const refusal = await ask([], request).catch((error: Error) => error)
  expect(refusal).toMatchObject({ name: 'Refusal', type: 'Validation', message: expect.stringContaining(message) })
})

test('an attribute called __proto__ has no values, and changes nothing', async () => {
  const ids = await devicesWith([at(1, 1)])
  for (const duration of [undefined, 10]) {
    const { groups } = await ask(ids, {
      attributes: ['__proto__', 'constructor', 'n'],
      end: 10,
      duration,
      aggregation: 'LAST',
    })
    expect(groups[0]!.points.map(({ data }) => Object.keys(data))).toEqual([['n']])
  }
})

test('stops when the run is over', async () => {
  const ids = await devicesWith(
    Array.from({ length: 50_000 }, (_, i) => at(i, i)),
    1,
  )
  const stopped = new AbortController()
  const asked = ask(ids, {
    attributes: Array.from({ length: 200 }, (_, i) => (i ? `n${i}` : 'n')),
    end: 60_000,
    duration: 60_000,
    resolution: 10,
    signal: stopped.signal,
  })
  stopped.abort(new Error('The run is over'))
  await expect(asked).rejects.toThrow('The run is over')
})
