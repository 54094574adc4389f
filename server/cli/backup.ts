import { parseArgs } from 'node:util'
import { ConfigError, readConfig } from '../config.ts'
import { backupSqlite } from '../store/sqlite-backup.ts'
import type { CommandIo } from './io.ts'

/** `backup FILE`: copies the embedded store into a new file, also while a server runs. */
export async function backupCommand(args: string[], io: CommandIo): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} })
  const [copy] = positionals
  if (copy === undefined || positionals.length > 1) throw new ConfigError('Expected a new file: backup FILE')
  const { storeUrl, storeFile } = readConfig(io.env)
  if (storeUrl !== undefined) {
    throw new ConfigError('Expected the embedded store, got STORE_URL. Copy MongoDB with mongodump: docs/operations.md')
  }
  backupSqlite(storeFile, copy)
  io.out(`Wrote ${copy}`)
  return 0
}
