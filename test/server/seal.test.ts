import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSealer, SealError } from '../../server/seal.ts'

const sealer = openSealer('one secret key of this server')

test('what was sealed is read again at its place, and looks different each time', () => {
  const texts = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed())
  fc.assert(
    fc.property(texts, fc.string(), (text, place) => {
      const [one, two] = [sealer.seal(text, place), sealer.seal(text, place)]
      expect(one).not.toBe(two)
      expect(openSealer('one secret key of this server').open(two, place)).toBe(text)
    }),
  )
})

test('a change of any part is seen', () => {
  const sealed = sealer.seal('a secret text', 'here')
  for (let at = 0; at < sealed.length; at++) {
    const other = sealed[at] === 'A' ? 'B' : 'A'
    const changed = sealed.slice(0, at) + other + sealed.slice(at + 1)
    // The last character of base64url may say less than it could.
    if (
      Buffer.from(changed.split('.').at(-1)!, 'base64url').equals(Buffer.from(sealed.split('.').at(-1)!, 'base64url'))
    ) {
      if (at === sealed.length - 1) continue
    }
    expect(() => sealer.open(changed, 'here')).toThrow(SealError)
  }
  for (const text of ['', 'v1', 'v1..', sealed.slice(0, -4), `${sealed}AAAA`]) {
    expect(() => sealer.open(text, 'here')).toThrow(SealError)
  }
})

test('it is not read at another place, nor with another key, and the error says which', () => {
  const sealed = sealer.seal('a secret text', 'here')
  expect(() => sealer.open(sealed, 'there')).toThrow(expect.objectContaining({ name: 'SealError', otherKey: false }))
  const rotated = openSealer('another secret key')
  expect(() => rotated.open(sealed, 'here')).toThrow(expect.objectContaining({ name: 'SealError', otherKey: true }))
})
