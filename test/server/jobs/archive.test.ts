import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { openArchive } from '../../../server/jobs/archive.ts'
import { bytesOf, unzip } from './unzip.ts'

const time = Date.UTC(2026, 0, 2, 3, 4, 6)

async function* pieces(...all: (string | Buffer)[]) {
  for (const one of all) yield Buffer.from(one)
}

/** An archive of these files, read to its end. */
async function archived(files: Record<string, (string | Buffer)[]>) {
  const archive = openArchive(time)
  const read = bytesOf(archive.bytes)
  const added: unknown[] = []
  for (const [path, content] of Object.entries(files)) added.push(await archive.add(path, pieces(...content)))
  await archive.end()
  return { bytes: await read, added }
}

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')

test('gives back small and large files as they were, with their sizes and checksums', async () => {
  const large = randomBytes(300_000)
  const text = 'time,date\n'.repeat(100_000)
  const files = {
    'a.csv': ['one,', 'two\n'],
    'data/ünïcode 名.csv': [large.subarray(0, 70_000), large.subarray(70_000)],
  }
  const { bytes, added } = await archived({ ...files, 'data/text.csv': [text] })
  const found = await unzip(bytes)
  expect(found.map(({ path }) => path)).toEqual(['a.csv', 'data/ünïcode 名.csv', 'data/text.csv'])
  expect(found.map(({ sha256: one }) => one)).toEqual([sha256('one,two\n'), sha256(large), sha256(text)])
  expect(added).toEqual(found.map(({ sizeBytes, sha256: one }) => ({ sizeBytes, sha256: one })))
  expect(bytes.length).toBeLessThan(310_000 + 10_000)
})

test('adds nothing for a content without a byte', async () => {
  const { bytes, added } = await archived({ 'none.csv': [], 'blank.csv': [''], 'some.csv': ['x'] })
  expect((await unzip(bytes)).map(({ path }) => path)).toEqual(['some.csv'])
  expect(added.slice(0, 2)).toEqual([undefined, undefined])
})

test('is an archive without any file', async () => {
  expect(await unzip((await archived({})).bytes)).toEqual([])
})

test('holds more files than the old format can count', async () => {
  const archive = openArchive(time)
  const read = bytesOf(archive.bytes)
  for (let n = 0; n < 66_000; n += 1) await archive.add(`${n}.csv`, pieces(`${n}`))
  await archive.end()
  const files = await unzip(await read, (path) => path === '65999.csv')
  expect(files).toHaveLength(66_000)
  expect(files[65_999]).toMatchObject({ path: '65999.csv', text: '65999' })
})

test('waits for whoever reads', async () => {
  const archive = openArchive(time)
  let given = 0
  const endless = async function* () {
    for (;;) {
      given += 65_536
      yield randomBytes(65_536)
    }
  }
  const adding = archive.add('endless.csv', endless())
  adding.catch(() => undefined)
  const reader = archive.bytes[Symbol.asyncIterator]()
  await reader.next()
  let before = -1
  // Until nothing more is taken, though there is always more.
  while (before !== given) {
    before = given
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(given).toBeLessThan(2_000_000)
  await reader.return?.()
  await expect(adding).rejects.toThrow()
})

test('waits for whoever reads between small files, too', async () => {
  const archive = openArchive(time)
  let begun = 0
  const addAll = async () => {
    for (; begun < 200; begun += 1) await archive.add(`${begun}.csv`, pieces(randomBytes(60_000)))
  }
  const adding = addAll()
  adding.catch(() => undefined)
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect(begun).toBeGreaterThan(0)
  expect(begun).toBeLessThan(20)
  archive.destroy(new Error('canceled'))
  await expect(adding).rejects.toThrow('canceled')
})

test('ends with the error of its content, for who adds and who reads', async () => {
  const archive = openArchive(time)
  const reading = bytesOf(archive.bytes)
  const broken = async function* () {
    yield randomBytes(200_000)
    throw new Error('no more')
  }
  await expect(archive.add('a.csv', broken())).rejects.toThrow('no more')
  archive.destroy(new Error('no more'))
  await expect(reading).rejects.toThrow('no more')
})

test('closes what it reads when it is broken off', async () => {
  const archive = openArchive(time)
  let closed = false
  const endless = async function* () {
    try {
      for (;;) yield randomBytes(65_536)
    } finally {
      closed = true
    }
  }
  const adding = archive.add('endless.csv', endless())
  archive.destroy(new Error('canceled'))
  await expect(adding).rejects.toThrow('canceled')
  expect(closed).toBe(true)
  await expect(archive.add('b.csv', pieces('b'))).rejects.toThrow('canceled')
})
