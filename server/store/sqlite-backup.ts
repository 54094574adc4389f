import { existsSync } from 'node:fs'
import { StoreError } from './port.ts'
import { openDatabase } from './sqlite-database.ts'

/**
 * Writes the embedded store to a new file, as it is at this moment; servers on it go on to read and write. Throws StoreError
 * `unavailable` when there is no store, when the new file exists or cannot be written, `full` when the disk has no room for it.
 */
export function backupSqlite(file: string, copy: string): void {
  if (!existsSync(file)) throw new StoreError('unavailable', `Expected a store to copy, found none at ${file}.`)
  if (existsSync(copy))
    throw new StoreError('unavailable', `Expected the name of a new file, got ${copy}, which exists.`)
  const database = openDatabase({ file })
  try {
    database.run('VACUUM INTO ?', [copy])
  } finally {
    database.close()
  }
}
