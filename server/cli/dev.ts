import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { splitFolder } from '../bundle/import-folder.ts'
import { ConfigError } from '../config.ts'
import { debugLines } from './debug-line.ts'
import type { CommandIo } from './io.ts'
import { type Served, serve } from './serve.ts'
import { watchFolder } from './watch.ts'

const demo = join(import.meta.dirname, '../../examples/generators')

/** `dev [DIR...] [--password P]`: serves folders, takes up each saved file, and prints debug messages. */
export async function devCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { password: { type: 'string' } } })
  const folders = positionals.length > 0 ? positionals : [demo]
  const served = await serve(folders, { io, password: values.password })
  const unlisten = served.server.debug.listen((message) => {
    for (const line of debugLines(message)) io.out(line)
  })
  const unwatch = folders.map((folder) =>
    watchFolder(splitFolder(folder).dir, { changed: reloader(folder, served, io), failed: io.err }),
  )
  const code = await served.ended
  for (const stop of unwatch) stop()
  unlisten()
  return code
}

function reloader(folder: string, { server, reimport }: Served, io: CommandIo): (paths: string[]) => Promise<void> {
  return async (paths) => {
    const started = performance.now()
    try {
      await reimport(folder)
      await server.refresh()
      io.out(`${named(paths)}: taken up in ${Math.round(performance.now() - started)} ms`)
    } catch (error) {
      // What was there before goes on running; the author reads what is wrong and saves again.
      io.err(error instanceof ConfigError ? error.message : `Not taken up: ${(error as Error).stack}`)
    }
  }
}

function named(paths: readonly string[]): string {
  const [first = 'The folder'] = paths
  return paths.length > 1 ? `${first} and ${paths.length - 1} more` : first
}
