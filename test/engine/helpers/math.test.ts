import { expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const root = { time: new Date(1000), tag: '36.5', word: 'x', nothing: null, list: [7] }

test.each([
  ["add '2' 1", 3],
  ['add time 3000000', 3_001_000],
  ['add tag 0', 36.5],
  ['add missing 1', Number.NaN],
  ['add nothing 1', 1],
  ['add word 1', Number.NaN],
  ['add list 1', 8],
  ['add', Number.NaN],
  ["subtract '5' 2", 3],
  ['subtract 0 1', -1],
  ["multiply '3' '4'", 12],
  ['divide 1 4', 0.25],
  ['divide 1 0', Number.POSITIVE_INFINITY],
  ['ceil "1.2"', 2],
  ['floor -1.2', -2],
  ['max 1 "3"', 3],
  ['min 2 1', 1],
  ['min 2 missing', Number.NaN],
  ['scaleLinear 0 10 0 100 5', 50],
  ['scaleLinear 0 10 100 0 "2.5"', 75],
  ['scaleLinear 0 0 0 1 word', Number.NaN],
])('%s is %d', (call, value) => {
  expect(templates.value(`{{${call}}}`)(root)).toBe(value)
})
