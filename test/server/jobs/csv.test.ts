import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvLines, plainText } from '../../../server/jobs/csv.ts'

test('writes numbers, truths and texts by RFC 4180, with LF', () => {
  const rows = [
    ['time', 'gps', 'note'],
    [1, '-33.8,151.2', 'say "hi"'],
    [-2.5, undefined, 'two\nlines'],
    [3, true, 'a\rb'],
  ]
  expect(csvLines(rows)).toBe('time,gps,note\n1,"-33.8,151.2","say ""hi"""\n-2.5,,"two\nlines"\n3,true,"a\rb"\n')
})

test.each(['=1+1', '+1+1', '-1+1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', "'=1", "''@x", '＝1', '-33.8,151.2,=1', '+A1'])(
  'makes no formula of %j',
  (text) => {
    expect(plainText(text)).toBe(`'${text}`)
  },
)

test.each(['-33.8,151.2', '-33.8, 151.2', '-5', '+3.25', 'a=b', "it's", '', "'quoted'", '#1'])('leaves %j', (text) => {
  expect(plainText(text)).toBe(text)
})

test('loses nothing: taking the apostrophe away gives any text back', () => {
  const given = fc.stringMatching(/^[='+\-@\t\r\n0-9,.;"a ]{0,12}$/)
  const back = (cell: string) => (/^'+[=+\-@\t\r\n＝＋－＠]/.test(cell) ? cell.slice(1) : cell)
  fc.assert(
    fc.property(fc.array(given, { minLength: 2, maxLength: 4 }), (row) => {
      const [cells] = parse(csvLines([row]), { recordDelimiter: '\n', relaxColumnCount: true }) as string[][]
      expect(cells!.map(back)).toEqual(row)
    }),
  )
})
