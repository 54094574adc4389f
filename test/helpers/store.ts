import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Store } from '../../server/store/port.ts'
import { openSqlite } from '../../server/store/sqlite.ts'

const folders: string[] = []
const stores: Store[] = []

afterAll(async () => {
  for (const store of stores.splice(0)) await store.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

/** A new folder, removed after the tests of the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-'))
  folders.push(folder)
  return folder
}

/** An empty embedded store in a temporary folder; closed and removed after the tests of the file, or closed before. */
export async function openTestStore(): Promise<Store> {
  const store = await openSqlite({ file: join(await temporaryFolder(), 'store.db') })
  stores.push(store)
  return store
}
