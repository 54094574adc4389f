import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { MongoClient } from 'mongodb'
import { ferretdb } from './ferretdb.ts'
import { freePort } from './redis.ts'
import type { Service } from './service.ts'

/** The MongoDB of MONGODB_URL, else a private `mongod` of PATH, else a private FerretDB, built where `go` is on PATH. */
export const mongoService: Service = {
  async start() {
    const given = process.env.MONGODB_URL
    if (given) {
      console.info(`MongoDB of the tests: ${await versionOf(given)} of MONGODB_URL`)
      return { url: given, stop: async () => undefined }
    }
    try {
      const mongo = await openPrivateMongo()
      console.info(`MongoDB of the tests: ${await versionOf(mongo.url)}`)
      return { url: mongo.url, stop: mongo.close }
    } catch (error) {
      const reason = 'Install mongod or go, so that one is on PATH, or set MONGODB_URL.'
      return { reason: `${reason} (${(error as Error).message.split('\n')[0]})` }
    }
  },
}

/** A server of this test alone, in a folder that is removed at its end. */
export interface PrivateMongo {
  url: string
  /** On the same port, with the same data; resolves when it answers. */
  start(): Promise<void>
  /** Without a warning to anyone, as a crash. */
  kill(): Promise<void>
  /** Stops to answer without closing a connection, until `resume`. */
  hang(): void
  resume(): void
  close(): Promise<void>
}

/** Starts a mongod or FerretDB on a free port of loopback. Close it after use. */
export async function openPrivateMongo(): Promise<PrivateMongo> {
  const port = await freePort()
  const url = `mongodb://127.0.0.1:${port}/`
  const mongod = onPath('mongod')
  const program = mongod ?? (await ferretdb())
  const folder = await mkdtemp(join(tmpdir(), 'headgate-mongo-'))
  const settings = mongod === undefined ? ferretSettings(port, folder) : mongodSettings(port, folder)
  let server: ChildProcess | undefined

  async function start() {
    const started = spawn(program, settings, { stdio: 'ignore' })
    server = started
    // Its end is noticed by the waiting below, or is wanted.
    started.on('error', () => undefined)
    await versionOf(url)
  }

  async function kill() {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
    await ended
  }

  async function close() {
    await kill()
    await rm(folder, { recursive: true, force: true })
  }

  try {
    await start()
  } catch (error) {
    await close()
    throw error
  }
  const hang = () => void server?.kill('SIGSTOP')
  const resume = () => void server?.kill('SIGCONT')
  return { url, start, kill, hang, resume, close }
}

function mongodSettings(port: number, folder: string): string[] {
  return ['--port', String(port), '--bind_ip', '127.0.0.1', '--dbpath', folder, '--nounixsocket', '--quiet']
}

function ferretSettings(port: number, folder: string): string[] {
  const listen = [`--listen-addr=127.0.0.1:${port}`, '--debug-addr=-', '--telemetry=disable', '--log-level=error']
  return ['--handler=sqlite', `--sqlite-url=file:${folder}/`, `--state-dir=${folder}`, ...listen]
}

function onPath(name: string): string | undefined {
  const places = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name))
  return places.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Name and version of the server, when it answers within ten seconds. */
async function versionOf(url: string): Promise<string> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000, heartbeatFrequencyMS: 500 })
  try {
    const { version, ferretdbVersion } = await client.db('admin').command({ buildInfo: 1 })
    return ferretdbVersion ? `FerretDB ${ferretdbVersion}` : `MongoDB ${version}`
  } finally {
    await client.close()
  }
}
