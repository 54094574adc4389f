import { pino } from 'pino'
import { type HeadgateServer, openServer } from '../../server/app.ts'
import { type ImportedFolder, importFolder } from '../../server/bundle/import-folder.ts'
import { type Config, readConfig } from '../../server/config.ts'
import type { Store } from '../../server/store/port.ts'
import { embedded, type Stack } from './stacks.ts'
import { temporaryFolder } from './store.ts'

export const PASSWORD = 'correct-horse-1'

export interface TestServer {
  server: HeadgateServer
  store: Store
  config: Config
  applications: ImportedFolder[]
  /** Of the listening socket. */
  port: number
  /** Lines of the log, parsed. */
  log: Record<string, unknown>[]
  close(): Promise<void>
}

/**
 * A whole server in this process, on a free port and a new folder, with applications imported; on the embedded stack unless told
 * otherwise. Close it after use.
 */
export async function startServer(
  options: { folders?: string[]; config?: Partial<Config>; stack?: Stack } = {},
): Promise<TestServer> {
  const { stack = embedded } = options
  const dataDir = await temporaryFolder()
  const env = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn', REQUESTS_PER_SECOND: '0', ...stack.env() }
  const config = { ...readConfig(env), ...options.config }
  const io = { env, out: () => undefined, err: (line: string) => void errors.push(line) }
  const errors: string[] = []
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: config.logLevel }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const { store, dispatch } = await stack.open(env, log)
  const applications: ImportedFolder[] = []
  for (const folder of options.folders ?? []) {
    const imported = importFolder({ store, folder, password: PASSWORD, io })
    applications.push(
      await imported.catch((cause: unknown) => {
        throw new Error(`Cannot import ${folder}:\n${errors.join('\n')}`, { cause })
      }),
    )
  }
  const server = await openServer({ config, store, log, dispatch })
  return {
    ...{ server, store, config, applications, log: lines },
    port: Number(new URL(server.url).port),
    async close() {
      await server.close(2_000)
      await store.close()
    },
  }
}
