import { expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const root = {
  home: '39.1031,-84.5120',
  square: ['0,0', '0,10', '10,10', '10,0'],
  objects: [{ latitude: 0, longitude: 0 }, { lat: 0, lon: 10 }, [10, 10], '10,0'],
}

test.each([
  ['formatGps home', '39.103100,-84.512000'],
  ['formatGps home "decimal" 2', '39.10,-84.51'],
  ['formatGps home "degrees" 4', '39.1031° N 84.5120° W'],
  ['formatGps home "sexagesimal" 1', `39° 6' 11.2" N 84° 30' 43.2" W`],
  ['formatGps home "gga" 4', '3906.1860,N,08430.7200,W'],
  ['formatGps "0.9999999999,0" "sexagesimal" 2', `1° 0' 0.00" N 0° 0' 0.00" E`],
  ['formatGps "39.1 -84.5"', '39.100000,-84.500000'],
  ['formatGps home "decimal" "many"', '39.103100,-84.512000'],
  ['formatGps home "decimal" missing', '39.103100,-84.512000'],
  ['formatGps home "decimal" -1', '39,-85'],
  ['formatGps home missing 1', '39.1,-84.5'],
  ['formatGps home format="degrees" precision=0', '39° N 85° W'],
  ['formatGps "-33.5,-70.25" "degrees" 2', '33.50° S 70.25° W'],
  ['formatGps home "unheard of"', '39.103100,-84.512000'],
  ['formatGps missing', ''],
  ['formatGps ""', ''],
  ['formatGps "x,y"', ''],
  ['formatGps "91,0"', ''],
  ['formatGps "1,2,3"', ''],
  ['formatGps "1"', ''],
  ['gpsDistance home home', 0],
  ['gpsDistance home missing', false],
  ['gpsDistance "a" "b"', false],
  ['gpsDistance "91,0" home', false],
  ['gpsDistance home', false],
  ['gpsDistance', false],
  ['gpsIsPointInside "5,5" square', true],
  ['gpsIsPointInside "5,5" objects', true],
  ['gpsIsPointInside "5,11" square', false],
  ['gpsIsPointInside "5,5" missing', false],
  ['gpsIsPointInside "x" square', false],
  ['gpsIsPointInside "5,5" (array "0,0" "10,10")', false],
])('%s is %j', (call, value) => {
  expect(templates.value(`{{${call}}}`)(root)).toBe(value)
})

test('gpsIsPointInside is a condition, too', () => {
  expect(templates.text('{{#gpsIsPointInside "5,5" square}}in{{else}}out{{/gpsIsPointInside}}')(root)).toBe('in')
  expect(templates.text('{{#gpsIsPointInside "5,11" square}}in{{else}}out{{/gpsIsPointInside}}')(root)).toBe('out')
})

test('gpsDistance is in metres', () => {
  expect(templates.value('{{gpsDistance "0,0" "0,1"}}')(root)).toBeCloseTo(111_195, 0)
  expect(templates.value('{{gpsDistance "90,0" "-90,0"}}')(root)).toBeCloseTo(20_015_114, -1)
})
