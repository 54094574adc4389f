import { expect, test } from 'vitest'
import { geofence } from '../../../nodes/logic/geofence.ts'
import { runNode } from '../../helpers/run-node.ts'

const run = (config: object, payload = {}) =>
  runNode(geofence, { config: { resultPath: 'r', branchPath: 'b', ...config }, payload })

// A degree of latitude on a sphere of 6,371,008.8 m.
const DEGREE = 111_195.08

const square = '0,0\n0,10\r\n10,10\n\n10,0'
const corners = ['0,0', [0, 10], { latitude: 10, longitude: 10 }, { lat: '10', lng: 0 }]

test.each<[object, boolean, unknown]>([
  [{ gpsCheck: '1,5', gpsCenter: '0,5', radius: '111196' }, true, DEGREE],
  [{ gpsCheck: '1,5', gpsCenter: '0,5', radius: '{{most}}' }, false, DEGREE],
  [{ gpsCheck: '1,5', gpsCenter: '1,5', radius: 0 }, true, 0],
  [{ gpsCheck: '{{place}}', gpsCenter: '{{place}}', radius: '0', checkType: 'radius' }, true, 0],
  [
    { gpsCheck: '1° 0\' 0" N 5° 0\' 0" E', gpsCenter: '$GPGLL,0000.00,N,00500.00,E,225444,A', radius: '200000' },
    true,
    DEGREE,
  ],
  [{ gpsCheck: '$GPGGA,123519,0100.000,N,00500.000,E,1,08,0.9,545.4,M', gpsCenter: '0,5', radius: '1' }, false, DEGREE],
  [{ checkType: 'polygonCoords', gpsCheck: '5,5', polygonCoords: square }, true, true],
  [{ checkType: 'polygonCoords', gpsCheck: '5,10.001', polygonCoords: square }, false, false],
  [{ checkType: 'polygonCoords', gpsCheck: '5,5', polygonCoords: '{{text}}' }, true, true],
  [{ checkType: 'polygon', gpsCheck: '9.9,0.1', polygonPath: 'corners' }, true, true],
  [{ checkType: 'polygon', gpsCheck: '-1,5', polygonPath: 'corners' }, false, false],
])('%j: %s', async (config, inside, result) => {
  const done = await run(config, { most: 111_195, place: { latitude: 3, longitude: 4 }, text: square, corners })
  expect(done).toMatchObject({ output: inside ? 'inside' : 'outside', error: undefined, problems: [] })
  expect(done.payload.b).toBe(inside)
  if (typeof result === 'number') expect(done.payload.r).toBeCloseTo(result, 0)
  else expect(done.payload.r).toBe(result)
})

const circle = { gpsCheck: '1,5', gpsCenter: '0,5', radius: '1' }
test.each<object>([
  { ...circle, gpsCheck: 'here' },
  { ...circle, gpsCheck: '{{none}}' },
  { ...circle, gpsCheck: '91,0' },
  { ...circle, gpsCenter: '' },
  { ...circle, radius: 'wide' },
  { ...circle, radius: '' },
  { ...circle, radius: '-1' },
  { ...circle, gpsCheck: 'x'.repeat(100_000) },
  { checkType: 'polygonCoords', gpsCheck: '5,5', polygonCoords: '0,0\n0,10\nnowhere\n10,0' },
  { checkType: 'polygonCoords', gpsCheck: '5,5', polygonCoords: '0,0\n0,10' },
  { checkType: 'polygonCoords', gpsCheck: '5,5' },
  { checkType: 'polygon', gpsCheck: '5,5', polygonPath: 'none' },
  { checkType: 'polygon', gpsCheck: '5,5', polygonPath: 'text' },
])('%.100j cannot be computed: outside, without a result', async (config) => {
  const done = await run(config, { text: square })
  expect(done).toMatchObject({ output: 'outside', error: undefined })
  expect(done.payload).toEqual({ text: square, b: false })
})

test('refuses a check that does not exist', async () => {
  expect((await run({ ...circle, checkType: 'sphere' })).problems).toMatchObject([{ code: 'config.choice' }])
})

test('a fence of many corners lets others have their turn', async () => {
  const polygonPath = 'corners'
  const around = (n: number) => [Math.sin(n / 16_000), Math.cos(n / 16_000)].join()
  const payload = { corners: Array.from({ length: 100_000 }, (_, n) => around(n)) }
  let turns = 0
  const tick = setInterval(() => turns++, 1)
  const done = await runNode(geofence, { config: { checkType: 'polygon', gpsCheck: '0,0', polygonPath }, payload })
  clearInterval(tick)
  expect([done.output, turns > 2]).toEqual(['inside', true])
})
