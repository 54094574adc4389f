import { expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const root = {
  date: new Date(Date.UTC(2024, 1, 3, 14, 5, 6)),
  object: { a: 1 },
  list: [1],
  nothing: null,
  nan: Number.NaN,
}

test.each([
  ['format 1234.5678 "0.2f"', '1234.57'],
  ['format -5 "0.2f"', '-5.00'],
  ['format 1234.5 ",.3f"', '1,234.500'],
  ['format 12.3456789 "0.4f"', '12.3457'],
  ['format 1234.5', '1,234.5'],
  ['format 0.5 "%"', '50.000000%'],
  ['format nan "0.2f"', 'NaN'],
  ['format 1234.5 missing', '1,234.5'],
  ['format 1234.5 nothing', '1,234.5'],
  ['format 123456.7', '123,457'],
  ['format 0', '0'],
  ['format date missing', '02/03/2024 2:05:06 PM'],
  ['format date nothing', '02/03/2024 2:05:06 PM'],
  ['format date ""', '02/03/2024 2:05:06 PM'],
  ['format date "dddd" locale="de"', 'Samstag'],
  ['format', undefined],
  ['format date', '02/03/2024 2:05:06 PM'],
  ['format date "YYYY" tz="Asia/Tokyo"', '2024'],
  ['format date "date-time-local"', '2024-02-03T14:05'],
  ['format object', '{"a":1}'],
  ['format list "0.2f"', '[1]'],
  ['format "2024-01-01" "YYYY"', '2024-01-01'],
  ['format "12.345" "0.2f"', '12.345'],
  ['format true', true],
  ['format nothing', null],
  ['format missing "0.2f"', undefined],
])('%s is %j', (call, value) => {
  expect(templates.value(`{{${call}}}`)(root)).toBe(value)
})

test.each(['nonsense!', '099999999d', '101'])('refuses the number format %s', (format) => {
  expect(() => templates.value(`{{format 1 "${format}"}}`)(root)).toThrow(
    expect.objectContaining({ code: 'template.helper' }),
  )
})
