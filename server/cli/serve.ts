import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { type HeadgateServer, openServer } from '../app.ts'
import { type ImportedFolder, importFolder } from '../bundle/import-folder.ts'
import { type Config, ConfigError, keepSecret, readConfig } from '../config.ts'
import type { Store } from '../store/port.ts'
import { openSqlite } from '../store/sqlite.ts'
import type { CommandIo } from './io.ts'

export interface Served {
  config: Config
  store: Store
  server: HeadgateServer
  password: string
  log: Logger
  /** Resolves with the exit code when the process was told to stop and everything is closed. */
  ended: Promise<number>
}

export interface ServeOptions {
  io: CommandIo
  /** For imported users without one; default a generated one, kept in DATA_DIR. */
  password?: string
}

/** Opens the store, imports folders (`DIR` or `DIR=slug`), serves, and says where. Throws ConfigError. */
export async function serve(folders: readonly string[], { io, password: given }: ServeOptions): Promise<Served> {
  const config = readConfig(io.env)
  const log = pino({ level: config.logLevel, redact: ['*.password', '*.token', '*.secret'] }, pino.destination(2))
  const password = given ?? keepSecret(join(config.dataDir, 'demo-password'), makePassword)
  if (password.length < 8) throw new ConfigError('--password: expected 8 characters or more')
  const store = await openSqlite({ file: config.storeFile })
  const imported: ImportedFolder[] = []
  try {
    for (const folder of folders) imported.push(await importFolder({ store, folder, password, io }))
  } catch (error) {
    await store.close()
    throw error
  }
  const server = await openServer({ config, store, log }).catch(async (error) => {
    await store.close()
    throw error
  })
  announce(io, server, imported, password)
  return { config, store, server, password, log, ended: untilStopped({ server, store, log }) }
}

function announce(io: CommandIo, server: HeadgateServer, imported: readonly ImportedFolder[], password: string): void {
  for (const { name, host, users } of imported) {
    io.out('')
    io.out(`  ${name}: ${server.urlOf(host)}`)
    if (users.length > 0) io.out(`  Sign in as one of ${users.join(', ')}`)
  }
  if (imported.some(({ users }) => users.length > 0)) io.out(`  Password: ${password}`)
  io.out('')
  io.out(`ready ${server.url}`)
}

async function untilStopped({ server, store, log }: Pick<Served, 'server' | 'store' | 'log'>): Promise<number> {
  const { promise: told, resolve } = Promise.withResolvers<string>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  const signal = await told
  log.info({ signal }, 'stopping')
  await server.close()
  await store.close()
  return 0
}

// Words that can be read out and typed: no characters that look alike.
function makePassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789'
  const part = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')
  return [part(), part(), part()].join('-')
}
