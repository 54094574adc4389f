import { expect, test } from 'vitest'
import { qrCode } from '../../../nodes/data/qr-code.ts'
import { runNode } from '../../helpers/run-node.ts'

const link = 'https://shop.example.com/claim?code=A1'

async function draw(config: object, payload = {}) {
  const { payload: after, error } = await runNode(qrCode, { config: { resultPath: 'out', ...config }, payload })
  return { out: String(after.out), code: error?.code, message: error?.message }
}

/** Squares of a side, with the quiet zone of four on both. */
async function squares(config: object) {
  return Number(/viewBox="0 0 (\d+) /.exec((await draw(config)).out)![1])
}

test('draws SVG of the size that is asked for, with a quiet zone, of the text that the template gives', async () => {
  const { out } = await draw({ textTemplate: 'https://{{{host}}}', sizeTemplate: '300' }, { host: 'a.example' })
  expect(out).toMatch(/^<svg xmlns="[^"]*" width="300" height="300" viewBox="0 0 33 33"/)
  // Nothing dark before the fifth square: readers look for the margin.
  expect(out).toContain('d="M4 4.5h7')
  expect((await draw({ textTemplate: 'https://a.example', sizeTemplate: '300' })).out).toBe(out)
  expect((await draw({ textTemplate: 'https://b.example', sizeTemplate: '300' })).out).not.toBe(out)
})

test.each([
  '</svg><script>alert(1)</script>',
  '" onload="alert(1)',
  ']]>&lt;<!--',
  '\u202E\0\r\n',
  'half \uD800 a character',
])('nothing of the text %j stands in the SVG', async (text) => {
  const { out } = await draw({ textTemplate: '{{{text}}}' }, { text })
  expect(out).toMatch(
    /^<svg [\w\s="-:/.]*><path fill="#ffffff" d="[MhHvVz\d\s.-]*"\/><path stroke="#000000" d="[Mmh\d\s.-]*"\/><\/svg>\s*$/,
  )
})

test('draws PNG as a data URL', async () => {
  const { out } = await draw({ textTemplate: link, format: 'png', sizeTemplate: '200' })
  const [head, data = ''] = out.split(',')
  expect(head).toBe('data:image/png;base64')
  const png = Buffer.from(data, 'base64')
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  // As many whole pixels for each square as fit.
  expect(png.readUInt32BE(16)).toBeGreaterThan(160)
  expect(png.readUInt32BE(16)).toBeLessThanOrEqual(200)
})

test('more error correction takes more squares', async () => {
  const sides = []
  for (const errorLevel of ['low', 'medium', 'quartile', 'high'])
    sides.push(await squares({ textTemplate: link, errorLevel }))
  expect(sides).toEqual(sides.toSorted((a, b) => a - b))
  expect(sides[3]).toBeGreaterThan(sides[0]!)
  expect(await squares({ textTemplate: link })).toBe(sides[1])
})

test.each<[string, object, string]>([
  ['nothing', { textTemplate: '{{nothing}}' }, 'config.empty'],
  ['2,001 characters', { textTemplate: 'x'.repeat(2_001), errorLevel: 'low' }, 'text.too-long'],
  [
    'more than fits beside so much correction',
    { textTemplate: 'x'.repeat(2_000), errorLevel: 'high' },
    'text.too-long',
  ],
  ['characters of many bytes', { textTemplate: '🚀'.repeat(1_000), errorLevel: 'low' }, 'text.too-long'],
  ['no size', { textTemplate: 'x', sizeTemplate: 'wide' }, 'config.type'],
  ['a size that is too small', { textTemplate: 'x', sizeTemplate: '63' }, 'config.type'],
  ['a size that is too large', { textTemplate: 'x', sizeTemplate: '1e9' }, 'config.type'],
])('refuses %s', async (_, config, code) => {
  const { out, ...failed } = await draw(config)
  expect(failed).toEqual({ code, message: expect.stringMatching(/^Expected .*got/) })
  expect(out).toBe('undefined')
})

test('takes 2,000 characters', async () => {
  expect((await draw({ textTemplate: 'x'.repeat(2_000), errorLevel: 'low' })).out).toMatch(/^<svg/)
})
