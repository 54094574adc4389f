import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from './service.ts'

/** The Redis of REDIS_URL, else a private one of the `redis-server` on PATH. */
export const redisService: Service = {
  async start() {
    const given = process.env.REDIS_URL
    if (given) return { url: given, stop: async () => undefined }
    const reason = whyNoRedisServer()
    if (reason !== undefined) return { reason }
    const redis = await openPrivateRedis()
    return { url: redis.url, stop: redis.close }
  },
}

/** Why no private Redis can be had; undefined when one can. */
export function whyNoRedisServer(): string | undefined {
  const found = (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'redis-server'), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  return found ? undefined : 'Install redis-server, so that it is on PATH, or set REDIS_URL.'
}

/** A Redis of this test alone, which keeps nothing when it stops. */
export interface PrivateRedis {
  url: string
  /** On the same port as before; resolves when it answers. */
  start(): Promise<void>
  /** Without a warning to anyone, as a crash. */
  kill(): Promise<void>
  close(): Promise<void>
}

/** Starts a Redis on a free port of loopback, with these settings besides (`--requirepass`, 'secret'). Close it after use. */
export async function openPrivateRedis(settings: readonly string[] = []): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-redis-'))
  const port = await freePort()
  let server: ChildProcess | undefined

  async function start() {
    const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
    const started = spawn('redis-server', [...fixed, ...settings], { stdio: 'ignore' })
    server = started
    // Its end is noticed by the waiting below, or is wanted.
    started.on('error', () => undefined)
    for (let tries = 0; tries < 200; tries++) {
      if (await answers(port)) return
      if (started.exitCode !== null) break
      await sleep(25)
    }
    throw new Error(`Expected redis-server to answer on port ${port}, it did not`)
  }

  async function kill() {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
    await ended
  }

  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    kill,
    async close() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A port of loopback that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('Expected a port, got none')
  return address.port
}

/** True when something says on the port what Redis says, be it that a password is missing. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const end = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('data', (data) => end(/^[+]PONG|^-NOAUTH/.test(String(data))))
    socket.once('error', () => end(false))
    socket.once('close', () => resolve(false))
  })
}
