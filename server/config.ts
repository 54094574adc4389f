import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'

/** The settings of a server, read once from the environment. */
export interface Config {
  port: number
  host: string
  dataDir: string
  /** File of the embedded store. */
  storeFile: string
  smtpUrl: string | undefined
  mailFrom: string
  baseDomain: string
  /** Signs what is not an application's own. */
  secretKey: string
  /** Asked for by the admin host, but for its health; always there when `host` can be reached from outside. */
  adminPassword: string | undefined
  /** Addresses of proxies whose x-forwarded-* headers are believed. */
  trustedProxies: string[]
  /** Private hosts that HTTP nodes may reach; `*` for all. */
  egressAllow: string[]
  replyTimeoutMs: number
  /** In which a client must have sent a whole request. */
  requestTimeoutMs: number
  /** Sustained requests a second of one host name, and how many may come at once; 0 a second: no limit. */
  requestsPerSecond: number
  requestBurst: number
  runTimeoutMs: number
  logLevel: string
  /** Milliseconds that run records may wait in memory: what a crash can lose of them. */
  runRecordDelayMs: number
}

/** A setting that cannot be used: one line that says what was expected, what came and what to do. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Reads and checks the environment. Makes DATA_DIR and, on loopback, a secret key in it. Throws ConfigError. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const host = env.HOST || '127.0.0.1'
  const dataDir = resolve(env.DATA_DIR || 'data')
  refuseOtherStores(env)
  makeDataDir(dataDir)
  return {
    port: numberOf(env, 'PORT', 3000, 0, 65_535),
    host,
    dataDir,
    storeFile: join(dataDir, 'headgate.db'),
    smtpUrl: smtpUrlOf(env),
    mailFrom: env.MAIL_FROM || 'Headgate <noreply@localhost>',
    baseDomain: (env.BASE_DOMAIN || 'localhost').toLowerCase(),
    secretKey: env.SECRET_KEY || localSecret(host, dataDir),
    adminPassword: adminPasswordOf(env, host),
    trustedProxies: listOf(env.TRUSTED_PROXIES),
    egressAllow: listOf(env.HTTP_ALLOW),
    replyTimeoutMs: numberOf(env, 'REPLY_TIMEOUT_MS', 30_000, 100, 600_000),
    requestTimeoutMs: numberOf(env, 'REQUEST_TIMEOUT_MS', 120_000, 100, 3_600_000),
    requestsPerSecond: numberOf(env, 'REQUESTS_PER_SECOND', 50, 0, 1_000_000),
    requestBurst: numberOf(env, 'REQUEST_BURST', 500, 1, 1_000_000),
    runTimeoutMs: numberOf(env, 'RUN_TIMEOUT_MS', 60_000, 100, 600_000),
    logLevel: oneOf(env, 'LOG_LEVEL', 'info', logLevels),
    runRecordDelayMs: numberOf(env, 'RUN_RECORD_DELAY_MS', 1_000, 10, 60_000),
  }
}

/** True for a host name or address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  // A whole address: "127.example.com" is a name, and whoever owns it says where it leads.
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

// A setting that is ignored in silence would leave data where nobody looks for it.
function refuseOtherStores(env: NodeJS.ProcessEnv): void {
  if (env.STORE_URL) {
    throw new ConfigError(
      `STORE_URL: expected nothing (the embedded store under DATA_DIR), got "${schemeOf(env.STORE_URL)}". Remove it.`,
    )
  }
  if (env.REDIS_URL) throw new ConfigError('REDIS_URL: expected nothing (the queue is in this process). Remove it.')
  oneOf(env, 'ROLE', 'all', ['all'])
}

function schemeOf(url: string): string {
  return `${url.split(':')[0]}:...`
}

function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new ConfigError(
      `DATA_DIR: expected a folder that can be made and written, got "${dataDir}" (${(error as Error).message})`,
    )
  }
}

function localSecret(host: string, dataDir: string): string {
  if (!isLoopback(host)) {
    throw new ConfigError(
      `SECRET_KEY: expected 32 random characters or more because HOST=${host} can be reached from outside, got nothing. Make one with: openssl rand -hex 32`,
    )
  }
  return keepSecret(join(dataDir, 'secret-key'), () => randomBytes(32).toString('hex'))
}

const leastAdminPassword = 12

function adminPasswordOf(env: NodeJS.ProcessEnv, host: string): string | undefined {
  const password = env.ADMIN_PASSWORD || undefined
  if (password === undefined && isLoopback(host)) return undefined
  if (password !== undefined && password.length >= leastAdminPassword) return password
  const why = isLoopback(host) ? '' : ` because HOST=${host} can be reached from outside`
  const got = password === undefined ? 'nothing' : `${password.length}`
  throw new ConfigError(
    `ADMIN_PASSWORD: expected ${leastAdminPassword} characters or more${why}, got ${got}. Make one with: openssl rand -hex 16`,
  )
}

/** A secret kept in a file that only its owner can read; made by `make` at the first call. */
export function keepSecret(file: string, make: () => string): string {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    if (!existsSync(file)) {
      // Whole or not at all, whoever dies or comes at the same time: the name appears once the text is there.
      writeFileSync(draft, make(), { mode: 0o600, flag: 'wx' })
      linkSync(draft, file)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new ConfigError(`DATA_DIR: expected to write ${file}, got: ${(error as Error).message}`)
    }
  } finally {
    rmSync(draft, { force: true })
  }
  return readFileSync(file, 'utf8').trim()
}

function smtpUrlOf(env: NodeJS.ProcessEnv): string | undefined {
  const url = env.SMTP_URL
  if (!url) return undefined
  if (URL.canParse(url) && /^smtps?:$/.test(new URL(url).protocol)) return url
  throw new ConfigError('SMTP_URL: expected smtp://user:password@host:port or smtps://..., got something else')
}

function numberOf(env: NodeJS.ProcessEnv, name: string, initial: number, least: number, most: number): number {
  const text = env[name]
  if (text === undefined || text === '') return initial
  const number = Number(text)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new ConfigError(`${name}: expected a whole number from ${least} to ${most}, got "${text}"`)
}

function oneOf(env: NodeJS.ProcessEnv, name: string, initial: string, words: readonly string[]): string {
  const word = env[name] || initial
  if (words.includes(word)) return word
  throw new ConfigError(`${name}: expected one of ${words.join(', ')}, got "${word}"`)
}

function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}
