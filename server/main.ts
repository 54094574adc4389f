import { checkCommand } from './cli/check.ts'
import { devCommand } from './cli/dev.ts'
import { exportCommand } from './cli/export.ts'
import { importCommand } from './cli/import.ts'
import type { CommandIo } from './cli/io.ts'
import { nodesCommand } from './cli/nodes.ts'
import { runCommand } from './cli/run.ts'
import { startCommand } from './cli/start.ts'
import { ConfigError } from './config.ts'

const commands: Record<string, (args: string[], io: CommandIo) => Promise<number>> = {
  start: startCommand,
  dev: devCommand,
  check: checkCommand,
  run: runCommand,
  import: importCommand,
  export: exportCommand,
  nodes: nodesCommand,
}

const usage = `headgate: a self-hosted, multi-tenant workflow engine

  start [--app DIR[=slug]]... [--password P]      import (or update) folders, then serve
  dev [DIR...] [--password P]                     the same; a saved file is taken up at once
  check PATH... [--json]                          every problem in flow files and folders; exit 1 if any
  run FLOW --payload JSON|@FILE [--trigger KEY] [--app DIR] [--json]
  import DIR [--slug S] [--password P] [--json]
  export APP DIR
  nodes [--json]                                  the node types, their settings and outputs

Settings come from the environment: see the README.`

const io: CommandIo = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  env: process.env,
}

const [name = 'help', ...args] = process.argv.slice(2)
process.exitCode = await main(name, args)

async function main(command: string, rest: string[]): Promise<number> {
  if (command === 'help' || command === '--help' || rest.includes('--help')) {
    io.out(usage)
    return 0
  }
  if (!Object.hasOwn(commands, command)) {
    io.err(`headgate: expected one of ${Object.keys(commands).join(', ')}, got "${command}"\n\n${usage}`)
    return 1
  }
  try {
    return await commands[command]!(rest, io)
  } catch (error) {
    if (!isUsersFault(error)) throw error
    io.err(`headgate: ${error.message}`)
    return 1
  }
}

// Settings and arguments are mended by whoever typed them; everything else is a fault of ours and shows its stack.
function isUsersFault(error: unknown): error is Error {
  if (error instanceof ConfigError) return true
  return error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')
}
