import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { adapters, own, strangers } from './adapters.ts'

async function bytesOf(content: AsyncIterable<Uint8Array> | undefined): Promise<Buffer | undefined> {
  if (content === undefined) return undefined
  const parts: Uint8Array[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts)
}

async function* pieces(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

for (const adapter of adapters) {
  describe(`${adapter.name}: blobs`, () => {
    const open = async () => (await adapter.open()).app(own).blobs

    test.each([0, 1, 256 * 1024, 256 * 1024 + 1, 700_000])(
      'gives back %d bytes, given whole or in pieces',
      async (size) => {
        const blobs = await open()
        const content = randomBytes(size)
        const expected = { sizeBytes: size, sha256: sha256(content) }
        expect(await blobs.put('whole', content)).toEqual(expected)
        expect(await blobs.put('pieces', pieces(content, 100_003))).toEqual(expected)
        expect((await bytesOf(await blobs.read('whole')))?.equals(content)).toBe(true)
        expect((await bytesOf(await blobs.read('pieces')))?.equals(content)).toBe(true)
      },
    )

    test('gives ranges, over the borders of what lies together', async () => {
      const blobs = await open()
      const content = randomBytes(600_000)
      await blobs.put('k', content)
      const ranges: [number | undefined, number | undefined][] = [
        [0, 1],
        [262_143, 262_145],
        [262_144, 524_288],
        [599_999, undefined],
        [undefined, 10],
        [500_000, 900_000],
        [700_000, 800_000],
        [10, 10],
        [20, 10],
      ]
      for (const [start, end] of ranges) {
        const part = await bytesOf(await blobs.read('k', { start, end }))
        const expected = (start ?? 0) < (end ?? Infinity) ? content.subarray(start, end) : Buffer.alloc(0)
        expect(part?.equals(expected)).toBe(true)
      }
    })

    test('replaces a content at once: who reads the old one reads it to its end', async () => {
      const blobs = await open()
      const old = randomBytes(600_000)
      await blobs.put('k', old)
      const reading = (await blobs.read('k'))?.[Symbol.asyncIterator]()
      const parts = [(await reading?.next())?.value as Uint8Array]
      await blobs.put('k', Buffer.from('new'))
      expect((await bytesOf(await blobs.read('k')))?.toString()).toBe('new')
      for (let next = await reading?.next(); next && !next.done; next = await reading?.next()) parts.push(next.value)
      expect(Buffer.concat(parts).equals(old)).toBe(true)
    })

    test('keeps the old content when the new one breaks off', async () => {
      const blobs = await open()
      await blobs.put('k', Buffer.from('old'))
      async function* broken() {
        yield randomBytes(300_000)
        throw new Error('broken off')
      }
      await expect(blobs.put('k', broken())).rejects.toThrow('broken off')
      await expect(blobs.put('other', broken())).rejects.toThrow('broken off')
      expect((await bytesOf(await blobs.read('k')))?.toString()).toBe('old')
      expect(await blobs.read('other')).toBeUndefined()
    })

    test('copies pieces whose buffer the giver uses again', async () => {
      const blobs = await open()
      async function* reused() {
        const buffer = Buffer.alloc(1)
        for (const letter of 'abc') {
          buffer.write(letter)
          yield buffer
        }
      }
      await blobs.put('k', reused())
      expect((await bytesOf(await blobs.read('k')))?.toString()).toBe('abc')
    })

    test('removes a content, and nothing when there is none', async () => {
      const blobs = await open()
      await blobs.put('k', Buffer.from('x'))
      await blobs.remove('k')
      await blobs.remove('k')
      expect(await blobs.read('k')).toBeUndefined()
    })

    test.each(strangers)('is another one for $tenant/$application', async (stranger) => {
      const store = await adapter.open()
      const mine = store.app(own).blobs
      const theirs = store.app(stranger).blobs
      await mine.put('k', Buffer.from('mine'))
      expect(await theirs.read('k')).toBeUndefined()
      await theirs.remove('k')
      await theirs.put('k', Buffer.from('theirs'))
      await theirs.put('k', Buffer.from('theirs again'))
      expect((await bytesOf(await mine.read('k')))?.toString()).toBe('mine')
      await mine.remove('k')
      expect((await bytesOf(await theirs.read('k')))?.toString()).toBe('theirs again')
    })
  })
}
