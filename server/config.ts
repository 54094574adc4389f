import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { openExceptions } from './egress-address.ts'
import { twilioOf } from './sms-url.ts'

/** The settings of a server, read once from the environment. */
export interface Config {
  port: number
  host: string
  dataDir: string
  /** File of the embedded store. */
  storeFile: string
  /** `mongodb://` or `mongodb+srv://`; undefined: the embedded store. */
  storeUrl: string | undefined
  /** `redis://` or `rediss://`; undefined: workers of other processes find their jobs by looking. */
  redisUrl: string | undefined
  /** `web` answers requests, `worker` takes jobs and fires timers, `all` does both. */
  role: Role
  /** Jobs that run at once in this process, and at most of one application over all processes. */
  jobConcurrency: number
  jobsPerApplication: number
  /** After so long without a sign of life of its worker a job is another's. */
  jobLeaseMs: number
  smtpUrl: string | undefined
  mailFrom: string
  /** `twilio://`; undefined: text messages go to the outbox. */
  smsUrl: string | undefined
  baseDomain: string
  /** Where people reach the base domain, as `https://apps.example.com`; undefined: at the port that the server listens on. */
  publicUrl: string | undefined
  /** Signs what is not an application's own. */
  secretKey: string
  /** Asked for by the admin host, but for its health; always there when `host` can be reached from outside. */
  adminPassword: string | undefined
  /** Addresses of proxies whose x-forwarded-* headers are believed. */
  trustedProxies: string[]
  /** Private addresses, networks and hosts that flows may connect to; `*` for all. */
  egressAllow: string[]
  replyTimeoutMs: number
  /** In which a client must have sent a whole request. */
  requestTimeoutMs: number
  /** Sustained requests a second of one host name, and how many may come at once; 0 a second: no limit. */
  requestsPerSecond: number
  requestBurst: number
  runTimeoutMs: number
  /** Where devices connect; undefined: nowhere. */
  mqttPort: number | undefined
  /** Open connections of one application, and messages of one to one topic in 15 seconds (0: no limit). */
  mqttConnections: number
  mqttMessages: number
  /** Open WebSocket connections of one application to its webhooks. */
  websocketConnections: number
  /** Where mails for flows come in; undefined: nowhere. */
  inboundSmtpPort: number | undefined
  /** Of the addresses that mails are taken for. */
  inboundMailDomain: string
  logLevel: string
  /** Milliseconds that run records may wait in memory: what a crash can lose of them. */
  runRecordDelayMs: number
}

export const roles = ['web', 'worker', 'all'] as const
export type Role = (typeof roles)[number]

/** A setting that cannot be used: one line that says what was expected, what came and what to do. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Reads and checks the environment. Makes DATA_DIR and, on loopback, a secret key in it. Throws ConfigError. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const host = env.HOST || '127.0.0.1'
  const dataDir = resolve(env.DATA_DIR || 'data')
  const storeUrl = urlOf(env, 'STORE_URL', {
    protocols: ['mongodb:', 'mongodb+srv:'],
    like: 'mongodb://host:27017/headgate',
  })
  makeDataDir(dataDir)
  return {
    port: numberOf(env, 'PORT', 3000, 0, 65_535),
    host,
    dataDir,
    storeFile: join(dataDir, 'headgate.db'),
    storeUrl,
    redisUrl: urlOf(env, 'REDIS_URL', { protocols: ['redis:', 'rediss:'], like: 'redis://host:6379' }),
    role: roleOf(env, storeUrl),
    jobConcurrency: numberOf(env, 'JOB_CONCURRENCY', 8, 1, 1_000),
    jobLeaseMs: numberOf(env, 'JOB_LEASE_MS', 30_000, 1_000, 3_600_000),
    jobsPerApplication: numberOf(env, 'JOBS_PER_APPLICATION', 4, 1, 1_000),
    smtpUrl: urlOf(env, 'SMTP_URL', { protocols: ['smtp:', 'smtps:'], like: 'smtp://user:password@host:587' }),
    smsUrl: smsUrlOf(env),
    mailFrom: env.MAIL_FROM || 'Headgate <noreply@localhost>',
    ...addressOf(env),
    secretKey: env.SECRET_KEY || localSecret(host, dataDir),
    adminPassword: adminPasswordOf(env, host),
    trustedProxies: listOf(env.TRUSTED_PROXIES),
    egressAllow: egressAllowOf(env.HTTP_ALLOW),
    replyTimeoutMs: numberOf(env, 'REPLY_TIMEOUT_MS', 30_000, 100, 600_000),
    requestTimeoutMs: numberOf(env, 'REQUEST_TIMEOUT_MS', 120_000, 100, 3_600_000),
    requestsPerSecond: numberOf(env, 'REQUESTS_PER_SECOND', 50, 0, 1_000_000),
    requestBurst: numberOf(env, 'REQUEST_BURST', 500, 1, 1_000_000),
    runTimeoutMs: numberOf(env, 'RUN_TIMEOUT_MS', 60_000, 100, 600_000),
    mqttPort: env.MQTT_PORT ? numberOf(env, 'MQTT_PORT', 1883, 0, 65_535) : undefined,
    mqttConnections: numberOf(env, 'MQTT_CONNECTIONS', 10_000, 1, 1_000_000),
    mqttMessages: numberOf(env, 'MQTT_MESSAGES', 30, 0, 1_000_000),
    websocketConnections: numberOf(env, 'WEBSOCKET_CONNECTIONS', 1_000, 0, 1_000_000),
    inboundSmtpPort: env.INBOUND_SMTP_PORT ? numberOf(env, 'INBOUND_SMTP_PORT', 2525, 0, 65_535) : undefined,
    inboundMailDomain: (env.INBOUND_MAIL_DOMAIN || addressOf(env).baseDomain).toLowerCase(),
    logLevel: oneOf(env, 'LOG_LEVEL', 'info', logLevels),
    runRecordDelayMs: numberOf(env, 'RUN_RECORD_DELAY_MS', 1_000, 10, 60_000),
  }
}

/** True for a host name or address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  // A whole address: "127.example.com" is a name, and whoever owns it says where it leads.
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** The domain that all hosts are below, and how people reach them where that is not PORT itself. */
function addressOf(env: NodeJS.ProcessEnv): Pick<Config, 'baseDomain' | 'publicUrl'> {
  if (!env.PUBLIC_URL) return { baseDomain: (env.BASE_DOMAIN || 'localhost').toLowerCase(), publicUrl: undefined }
  const url = URL.canParse(env.PUBLIC_URL) ? new URL(env.PUBLIC_URL) : undefined
  const bare = url !== undefined && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
  if (!bare || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(`PUBLIC_URL: expected an address like https://apps.example.com, got "${env.PUBLIC_URL}"`)
  }
  const baseDomain = (env.BASE_DOMAIN || url.hostname).toLowerCase()
  if (baseDomain !== url.hostname) {
    throw new ConfigError(`PUBLIC_URL: expected an address of BASE_DOMAIN (${baseDomain}), got ${url.hostname}`)
  }
  return { baseDomain, publicUrl: url.origin }
}

/** Never tells the address: it may hold a password. */
function urlOf(
  env: NodeJS.ProcessEnv,
  name: string,
  { protocols, like }: { protocols: readonly string[]; like: string },
): string | undefined {
  const url = env[name]
  if (!url) return undefined
  const protocol = /^[a-z+]+:(?=\/\/[^/])/i.exec(url)?.[0].toLowerCase()
  // Several hosts with commas between are for the driver to read: no URL of the web has them.
  const readable = protocol?.startsWith('mongodb') || URL.canParse(url)
  if (protocol !== undefined && protocols.includes(protocol) && readable) return url
  const got = protocol === undefined ? 'something that is no such address' : `"${protocol}//..."`
  throw new ConfigError(`${name}: expected an address like ${like}, got ${got}`)
}

// The embedded store is a file of one process: another one beside it would have to be on the same disk.
function roleOf(env: NodeJS.ProcessEnv, storeUrl: string | undefined): Role {
  const role = oneOf(env, 'ROLE', 'all', roles)
  if (role === 'all' || storeUrl !== undefined) return role
  throw new ConfigError(
    `ROLE: expected "all" with the embedded store, got "${role}". Set STORE_URL=mongodb://... to run web and worker processes apart.`,
  )
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

function numberOf(env: NodeJS.ProcessEnv, name: string, initial: number, least: number, most: number): number {
  const text = env[name]
  if (text === undefined || text === '') return initial
  const number = Number(text)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new ConfigError(`${name}: expected a whole number from ${least} to ${most}, got "${text}"`)
}

function oneOf<W extends string>(env: NodeJS.ProcessEnv, name: string, initial: W, words: readonly W[]): W {
  const word = env[name] || initial
  const found = words.find((one) => one === word)
  if (found !== undefined) return found
  throw new ConfigError(`${name}: expected one of ${words.join(', ')}, got "${word}"`)
}

function smsUrlOf(env: NodeJS.ProcessEnv): string | undefined {
  const like = 'twilio://ACCOUNT_SID:TOKEN@api/?from=+15551234567'
  const url = urlOf(env, 'SMS_URL', { protocols: ['twilio:'], like })
  if (url === undefined || twilioOf(url)) return url
  throw new ConfigError(`SMS_URL: expected an address like ${like}, got one without an account, a token or a number`)
}

function egressAllowOf(text: string | undefined): string[] {
  const entries = listOf(text)
  try {
    openExceptions(entries)
  } catch (error) {
    throw new ConfigError(`HTTP_ALLOW: ${(error as Error).message.replace('Expected', 'expected')}`)
  }
  return entries
}

function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}
