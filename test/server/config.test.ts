import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isLoopback, readConfig } from '../../server/config.ts'
import { publicOrigin } from '../../server/public-url.ts'
import { temporaryFolder } from '../helpers/store.ts'

test('needs no setting at all', async () => {
  const dataDir = join(await temporaryFolder(), 'new')
  const config = readConfig({ DATA_DIR: dataDir })
  expect(config).toMatchObject({
    port: 3000,
    host: '127.0.0.1',
    baseDomain: 'localhost',
    publicUrl: undefined,
    smtpUrl: undefined,
    storeUrl: undefined,
    redisUrl: undefined,
    role: 'all',
    trustedProxies: [],
  })
  expect(config.secretKey).toMatch(/^[0-9a-f]{64}$/)
  expect(readConfig({ DATA_DIR: dataDir }).secretKey).toBe(config.secretKey)
  expect(await readFile(join(dataDir, 'secret-key'), 'utf8')).toBe(config.secretKey)
  expect((await stat(join(dataDir, 'secret-key'))).mode & 0o077).toBe(0)
})

test.each([
  [{ PORT: 'http' }, 'PORT: expected a whole number from 0 to 65535, got "http"'],
  [{ PORT: '70000' }, 'PORT'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL: expected one of fatal'],
  [{ ROLE: 'boss' }, 'ROLE: expected one of web, worker, all, got "boss"'],
  [{ ROLE: 'worker' }, 'ROLE: expected "all" with the embedded store, got "worker"'],
  [{ STORE_URL: 'postgres://user:hush@db/x' }, 'STORE_URL: expected an address like mongodb://'],
  [{ STORE_URL: 'hush' }, 'STORE_URL: expected an address like mongodb://host:27017/headgate, got something'],
  [{ STORE_URL: 'mongodb:///hush' }, 'STORE_URL'],
  [{ REDIS_URL: 'http://:hush@x' }, 'REDIS_URL: expected an address like redis://host:6379, got "http://..."'],
  [{ REDIS_URL: 'redis://:hush@x:port' }, 'REDIS_URL'],
  [{ JOB_CONCURRENCY: '0' }, 'JOB_CONCURRENCY'],
  [{ SMTP_URL: 'mail.example.com' }, 'SMTP_URL: expected an address like smtp://'],
  [{ HOST: '0.0.0.0' }, 'SECRET_KEY'],
  [
    { HOST: '0.0.0.0', SECRET_KEY: 'x'.repeat(64) },
    'ADMIN_PASSWORD: expected 12 characters or more because HOST=0.0.0.0',
  ],
  [{ HOST: 'example.com', SECRET_KEY: 'x'.repeat(64), ADMIN_PASSWORD: 'hush' }, 'ADMIN_PASSWORD'],
  [{ ADMIN_PASSWORD: 'hush' }, 'ADMIN_PASSWORD: expected 12 characters or more, got 4'],
  [{ DATA_DIR: join(import.meta.filename, 'below-a-file') }, 'DATA_DIR'],
  [{ PUBLIC_URL: 'apps.example.com' }, 'PUBLIC_URL: expected an address like https://apps.example.com, got "apps'],
  [{ PUBLIC_URL: 'ftp://apps.example.com' }, 'PUBLIC_URL'],
  [{ PUBLIC_URL: 'https://apps.example.com/below' }, 'PUBLIC_URL'],
  [
    { PUBLIC_URL: 'https://apps.example.com', BASE_DOMAIN: 'example.com' },
    'PUBLIC_URL: expected an address of BASE_DOMAIN (example.com), got apps.example.com',
  ],
  [{ REPLY_TIMEOUT_MS: '-1' }, 'REPLY_TIMEOUT_MS'],
  [
    { HTTP_ALLOW: '10.0.0.0/8, a b' },
    'HTTP_ALLOW: expected an address, a network such as 10.1.0.0/16 or a host name, got "a b"',
  ],
])('refuses %j with one line', async (env, message) => {
  const dataDir = await temporaryFolder()
  const read = () => readConfig({ DATA_DIR: dataDir, ...env })
  expect(read).toThrow(expect.objectContaining({ name: 'ConfigError', message: expect.stringContaining(message) }))
  expect(read).toThrow(expect.objectContaining({ message: expect.not.stringMatching(/\n|hush/) }))
})

test('takes web and worker processes on a store that they share', async () => {
  const shared = { STORE_URL: 'mongodb://one:27017,two:27017/headgate?replicaSet=rs', REDIS_URL: 'rediss://:p@cache' }
  const config = readConfig({ DATA_DIR: await temporaryFolder(), ROLE: 'worker', ...shared })
  expect(config).toMatchObject({ role: 'worker', storeUrl: shared.STORE_URL, redisUrl: shared.REDIS_URL })
})

test('takes an address that can be reached from outside with a secret key and an admin password', async () => {
  const env = { HOST: '0.0.0.0', SECRET_KEY: 'x'.repeat(64), ADMIN_PASSWORD: 'correct horse battery' }
  const config = readConfig({ DATA_DIR: await temporaryFolder(), ...env })
  expect(config).toMatchObject({ host: '0.0.0.0', adminPassword: 'correct horse battery' })
})

test.each([
  [{}, 'localhost', 'http://shop.localhost:3000'],
  [{ PORT: '80', BASE_DOMAIN: 'Example.com' }, 'example.com', 'http://shop.example.com'],
  [{ PUBLIC_URL: 'https://Apps.example.com/' }, 'apps.example.com', 'https://shop.apps.example.com'],
  [
    { PUBLIC_URL: 'https://apps.example.com:8443', PORT: '8080' },
    'apps.example.com',
    'https://shop.apps.example.com:8443',
  ],
])('%j means the base domain %s, and %s for what is below', async (env, baseDomain, shop) => {
  const config = readConfig({ DATA_DIR: await temporaryFolder(), ...env })
  expect(config.baseDomain).toBe(baseDomain)
  expect(publicOrigin(config, `shop.${baseDomain}`)).toBe(shop)
})

test.each([
  ['localhost', true],
  ['::1', true],
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  // Names that anyone can register, and point at this machine from a page of theirs.
  ['127.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example', false],
  ['128.0.0.1', false],
])('takes %s for this machine: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})
