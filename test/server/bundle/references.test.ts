import { expect, test } from 'vitest'
import { substitution } from '../../../server/bundle/references.ts'
import { hostUrls, ref } from './small-app.ts'

const id = (digit: string) => digit.repeat(24)
const ids = new Map([
  [ref('device', 'pump'), id('a')],
  [ref('application', 'small'), id('b')],
  [ref('flow', 'tick'), id('c')],
  [id('1'), id('d')],
])
const { text, value } = substitution(ids, hostUrls)

test.each([
  ['a whole value', ref('device', 'pump'), id('a')],
  ['inside a string', `x ${ref('device', 'pump')}-abc`, `x ${id('a')}-abc`],
  ['two in a row', ref('device', 'pump') + ref('flow', 'tick'), id('a') + id('c')],
  ['a key of a trigger', `${ref('flow', 'tick')}-flowError`, `${id('c')}-flowError`],
  ['an id of the source system', `"${id('1')}"`, `"${id('d')}"`],
  ['another id', id('2'), id('2')],
  ['an unknown placeholder', ref('device', 'none'), ref('device', 'none')],
  ['a lone tilde', '~exportplaceholderid-', '~exportplaceholderid-'],
  [
    'the host of files',
    `https://~exportplaceholderid-files-domain~/${ref('application', 'small')}/a.png`,
    `http://small.localhost:3000/_files/${id('b')}/a.png`,
  ],
  ['a host without scheme', 'at ~exportplaceholderid-broker-url~:1883', 'at localhost:1883'],
  [
    'a sub-domain',
    `https://${ref('application', 'small')}.~exportplaceholderid-endpoint-domain~/x`,
    `http://${id('b')}.localhost:3000/x`,
  ],
  ['the documentation', 'https://~exportplaceholderid-docs-url~/a', 'https://docs.example.com/a'],
])('replaces %s', (_what, source, expected) => {
  expect(text(source)).toBe(expected)
})

test('replaces in every text of a value and in no key', () => {
  const pump = ref('device', 'pump')
  expect(value({ [pump]: [pump, { a: pump }, 1, null, true] })).toEqual({
    [pump]: [id('a'), { a: id('a') }, 1, null, true],
  })
})

test('is done quickly with a text full of beginnings', () => {
  const started = performance.now()
  text('~exportplaceholderid-'.repeat(50_000))
  text('https://a.'.repeat(50_000))
  expect(performance.now() - started).toBeLessThan(1_000)
})
