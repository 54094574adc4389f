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
  const { promise: serving, resolve: serves } = Promise.withResolvers<Served>()
  // From before the first import on: what is saved while that reads the folder is taken up after it.
  const unwatch = folders.map((folder) =>
    watchFolder(splitFolder(folder).dir, {
      changed: async (paths) => reload(folder, paths, await serving, io),
      failed: io.err,
    }),
  )
  try {
    const served = await serve(folders, { io, password: values.password })
    serves(served)
    const unlisten = served.server.debug.listen((message) => {
      for (const line of debugLines(message)) io.out(line)
    })
    const code = await served.ended
    unlisten()
    return code
  } finally {
    for (const stop of unwatch) stop()
  }
}

async function reload(folder: string, paths: string[], { server, reimport }: Served, io: CommandIo): Promise<void> {
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

function named(paths: readonly string[]): string {
  const [first = 'The folder'] = paths
  return paths.length > 1 ? `${first} and ${paths.length - 1} more` : first
}
