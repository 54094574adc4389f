import { watch } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { importFolder } from '../bundle/import-folder.ts'
import type { DebugMessage } from '../flows/debug.ts'
import type { CommandIo } from './io.ts'
import { type Served, serve } from './serve.ts'

const demo = join(import.meta.dirname, '../../examples/generators')

/** `dev [DIR...] [--password P]`: serves folders, takes up each saved file, and prints debug messages. */
export async function devCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { password: { type: 'string' } } })
  const folders = positionals.length > 0 ? positionals : [demo]
  const served = await serve(folders, { io, password: values.password })
  const unlisten = served.server.debug.listen((message) => io.out(toLine(message)))
  const unwatch = folders.map((folder) => watchFolder(folder, served, io))
  const code = await served.ended
  for (const stop of unwatch) stop()
  unlisten()
  return code
}

const SETTLE_MS = 30

function watchFolder(folder: string, { store, server, password }: Served, io: CommandIo): () => void {
  const dir = folder.split('=')[0]!
  let timer: NodeJS.Timeout | undefined
  let working = Promise.resolve()
  const reload = async (changed: string) => {
    const started = performance.now()
    try {
      await importFolder({ store, folder, password, io })
      await server.refresh()
      io.out(`${changed}: taken up in ${Math.round(performance.now() - started)} ms`)
    } catch (error) {
      // What was there before goes on running; the author reads what is wrong and saves again.
      io.err((error as Error).message)
    }
  }
  const watcher = watch(dir, { recursive: true }, (_event, file) => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      working = working.then(() => reload(file ?? dir))
    }, SETTLE_MS)
  })
  return () => {
    clearTimeout(timer)
    watcher.close()
  }
}

function toLine({ level, flowName, message, value }: DebugMessage): string {
  const shown = value === undefined ? '' : ` ${JSON.stringify(value)}`
  return `${level.padEnd(7)} ${flowName}: ${message}${shown}`.slice(0, 2_000)
}
