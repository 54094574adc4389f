import { randomInt } from 'node:crypto'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { type HeadgateServer, openServer } from '../app.ts'
import { type FolderOptions, type ImportedFolder, importFolder } from '../bundle/import-folder.ts'
import { openPasswordBook } from '../bundle/import-passwords.ts'
import type { ParseCache } from '../bundle/read.ts'
import { type Config, ConfigError, keepSecret, readConfig } from '../config.ts'
import { openDispatch } from '../jobs/open-dispatch.ts'
import { openStore } from '../store/open.ts'
import type { Store } from '../store/port.ts'
import { takeLock } from '../store/sqlite-lock.ts'
import { announcement } from './announce.ts'
import { giveBackWhenQuiet } from './give-back.ts'
import { type CommandIo, checkPasswordOption } from './io.ts'
import { closeWithin, untilSignal } from './stop.ts'

export interface Served {
  config: Config
  server: HeadgateServer
  log: Logger
  /** Imports a folder again. Throws ConfigError as `importFolder` does. */
  reimport(folder: string): Promise<ImportedFolder>
  /** Resolves with the exit code when the process was told to stop and everything is closed. */
  ended: Promise<number>
}

export interface ServeOptions {
  io: CommandIo
  /** For imported users, but for those who chose their own; default a generated one for those who have none. */
  password?: string
}

/**
 * Opens the store, imports folders (`DIR` or `DIR=slug`), serves, and says where. Throws ConfigError, also when another
 * server has the same DATA_DIR with the embedded store.
 */
export async function serve(folders: readonly string[], { io, password: given }: ServeOptions): Promise<Served> {
  checkPasswordOption(given)
  const config = readConfig(io.env)
  const log = pino({ level: config.logLevel, redact: ['*.password', '*.token', '*.secret'] }, pino.destination(2))
  const lock = config.storeUrl === undefined ? lockDataDir(config) : undefined
  let store: Store | undefined
  try {
    store = await openStore(config.storeUrl, config.storeFile)
    const dispatch = await openDispatch(config.redisUrl, log)
    if (config.role === 'worker' && !config.redisUrl) log.warn('without REDIS_URL jobs start up to five seconds late')
    const password = given ?? keepSecret(join(config.dataDir, 'demo-password'), makePassword)
    const passwordFor = given === undefined ? 'first' : 'imported'
    const options: Omit<FolderOptions, 'folder'> = {
      ...{ store, io, password, passwordFor },
      passwordBook: openPasswordBook(),
    }
    const parsed = new Map(folders.map((folder): [string, ParseCache] => [folder, new Map()]))
    const reimport = (folder: string) => importFolder({ ...options, folder, parsed: parsed.get(folder) })
    const imported: ImportedFolder[] = []
    for (const folder of folders) imported.push(await reimport(folder))
    const server = await openServer({ config, store, log, dispatch })
    const ended = untilStopped({ server, store, log }).finally(() => lock?.release())
    for (const line of announcement(imported, { password, urlOf: server.urlOf })) io.out(line)
    io.out(`ready ${server.url}`)
    // Now, since a process that is killed writes nothing at its end.
    setTimeout(flushCompileCache, 1_000).unref()
    giveBackWhenQuiet({ onError: (error) => log.warn({ err: error }, 'memory could not be given back') })
    return { config, server, log, reimport, ended }
  } catch (error) {
    await store?.close()
    lock?.release()
    throw error
  }
}

// Two servers on one store would each fire every timer.
function lockDataDir({ dataDir }: Config) {
  const lock = takeLock(join(dataDir, 'server.lock'))
  if (lock) return lock
  throw new ConfigError(
    `DATA_DIR: another server runs on ${dataDir}. Stop it, or set DATA_DIR (and PORT) for this one.`,
  )
}

/** Requests and jobs get ten seconds each to end; who manages the process gives it thirty in all. */
const mostStopMs = 25_000

async function untilStopped({ server, store, log }: { server: HeadgateServer; store: Store; log: Logger }) {
  const signal = await untilSignal()
  log.info({ signal }, 'stopping; a second signal ends this at once')
  const close = async () => {
    await server.close()
    await store.close()
  }
  await closeWithin(mostStopMs, close, () => log.error('the store did not answer: what waited for it is left undone'))
  return 0
}

// Words that can be read out and typed: no characters that look alike.
function makePassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789'
  const part = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')
  return [part(), part(), part()].join('-')
}
