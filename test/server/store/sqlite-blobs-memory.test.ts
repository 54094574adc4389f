import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../helpers/store.ts'

/** Writes 160 MB in a process of its own, and prints by how many MB its private memory has grown. */
const script = `
  import { readFileSync } from 'node:fs'
  import { openSqlite } from ${JSON.stringify(join(import.meta.dirname, '../../../server/store/sqlite.ts'))}
  const store = await openSqlite({ file: process.argv[1] })
  const { blobs } = store.app({ tenant: 't', application: 'a'.repeat(24) })
  const piece = Buffer.alloc(256 * 1024, 'x')
  const mb = () => Number(/^RssAnon:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024
  await blobs.put('small', piece)
  const before = mb()
  await blobs.put('large', (async function* () { for (let n = 0; n < 640; n++) yield piece })())
  console.log(mb() - before)
  await store.close()
`

test('a content that is written does not stay in the cache', async () => {
  const file = join(await temporaryFolder(), 'store.db')
  const args = ['--input-type=module', '--max-semi-space-size=4', '-e', script, file]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(Number(stdout)).toBeLessThan(80)
}, 60_000)
