import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { CommandIo } from './io.ts'
import { serve } from './serve.ts'

/** What runs when nobody says what to run. */
const demo = join(import.meta.dirname, '../../examples/generators')

/**
 * `start [--app DIR[=slug]]... [--password P]`: imports the folders, then serves until it is told to stop. Without a folder the
 * embedded store gets the demo; a store that processes share has what was imported into it.
 */
export async function startCommand(args: string[], io: CommandIo): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { app: { type: 'string', multiple: true }, password: { type: 'string' } },
  })
  const served = await serve(values.app ?? (io.env.STORE_URL ? [] : [demo]), { io, password: values.password })
  return served.ended
}
