import type { CommandIo } from './cli/io.ts'
import { ConfigError } from './config.ts'
import { StoreError } from './store/port.ts'

type Command = (args: string[], io: CommandIo) => Promise<number>

// Loaded when asked for: to check a file takes no server.
const commands: Record<string, () => Promise<Command>> = {
  start: async () => (await import('./cli/start.ts')).startCommand,
  dev: async () => (await import('./cli/dev.ts')).devCommand,
  check: async () => (await import('./cli/check.ts')).checkCommand,
  run: async () => (await import('./cli/run.ts')).runCommand,
  test: async () => (await import('./cli/test.ts')).testCommand,
  import: async () => (await import('./cli/import.ts')).importCommand,
  export: async () => (await import('./cli/export.ts')).exportCommand,
  backup: async () => (await import('./cli/backup.ts')).backupCommand,
  version: async () => (await import('./cli/version.ts')).versionCommand,
  key: async () => (await import('./cli/key.ts')).keyCommand,
  credential: async () => (await import('./cli/credential.ts')).credentialCommand,
  nodes: async () => (await import('./cli/nodes.ts')).nodesCommand,
}

const usage = `headgate: a self-hosted, multi-tenant workflow engine

  start [--app DIR[=slug]]... [--password P]      import (or update) folders, then serve
  dev [DIR...] [--password P]                     the same; a saved file is taken up at once
  check PATH... [--json]                          every problem in flow files and folders; exit 1 if any
  run FLOW --payload JSON|@FILE [--trigger KEY] [--app DIR] [--json]
  test [PATH...] [--min-coverage N] [--junit FILE] [--json]   run the tests beside flows: docs/flow-tests.md
  import DIR [--slug S] [--password P] [--json]
  export APP DIR                                  APP is a slug or an id
  backup FILE                                     the embedded store as a new file, also while it is served
  version APP NAME [--slug S]... [--point|--delete]   keep the experience as it is under a name; slugs S show it
  key APP [DEVICE]                                an access key with which DEVICE, or any device, connects
  credential set APP NAME TYPE | list APP | remove APP NAME   what flows prove themselves with; the secret from stdin
  nodes [--json]                                  the node types, their settings and outputs

Settings come from the environment: see the README.`

const io: CommandIo = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  env: process.env,
}

// Whoever reads may leave before the end, as `head` does.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
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
    return await (await commands[command]!())(rest, io)
  } catch (error) {
    if (!isUsersFault(error)) throw error
    if (isBadArgument(error)) io.err(`headgate: ${firstSentence(error.message)}\n\n${usageOf(command)}`)
    else io.err(`headgate: ${error.message}`)
    return 1
  }
}

// Settings, arguments and disks are mended by whoever runs this; everything else is a fault of ours and shows its stack.
function isUsersFault(error: unknown): error is Error {
  if (error instanceof ConfigError) return true
  if (error instanceof StoreError) return error.code === 'unavailable' || error.code === 'full'
  return isBadArgument(error)
}

function isBadArgument(error: unknown): boolean {
  return error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')
}

function firstSentence(message: string): string {
  return message.split(/\.\s/)[0]!
}

function usageOf(command: string): string {
  return usage
    .split('\n')
    .filter((line) => line.startsWith(`  ${command} `))
    .join('\n')
}
