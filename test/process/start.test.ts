import { once } from 'node:events'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openResources } from '../../server/resources/resources.ts'
import { openSqlite } from '../../server/store/sqlite.ts'
import { clientOf } from '../helpers/client.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { application, type Contents, endpoint, envelope, experienceFlow, ref } from '../server/bundle/small-app.ts'
import { type Cli, cli, root } from './server-process.ts'

const ann = 'sanbruno@tekton.example'
const bob = 'norcal@tekton.example'

async function login(port: number, email: string, password: string): Promise<number> {
  return (await clientOf(port, 'generators.localhost').login(email, password)).status
}

async function stop(server: Cli): Promise<void> {
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
}

describe('start', () => {
  test('says in a few lines where everything is and how to sign in, which is so, also after a restart', async () => {
    const env = { DATA_DIR: await temporaryFolder() }
    const passwords = new Set<string>()
    for (const _ of [1, 2]) {
      const server = cli(['start'], env)
      const port = await server.port()
      expect(server.out.length).toBeLessThan(10)
      expect(server.out.join('\n')).toContain(`Generators: http://generators.localhost:${port}`)
      const [, password] = await server.line(/Password: (\S+)$/)
      passwords.add(password!)
      expect(await login(port, ann, password!)).toBe(302)
      expect(await login(port, ann, 'wrong-password')).toBe(401)
      await stop(server)
      expect(server.err).toEqual([])
    }
    expect(passwords.size).toBe(1)
    expect(await readFile(join(env.DATA_DIR, 'demo-password'), 'utf8')).toBe([...passwords][0])
  })

  test('--password is for those who have not chosen their own, and what is printed opens who it is printed for', async () => {
    const env = { DATA_DIR: await temporaryFolder() }
    const first = cli(['start'], env)
    const generated = (await first.line(/Password: (\S+)$/))[1]!
    await stop(first)

    const store = await openSqlite({ file: join(env.DATA_DIR, 'headgate.db') })
    const app = store.app((await store.hosts.find('generators'))!.scope)
    await openResources({ app, now: () => Date.now() }).users.update(bob, { password: 'bobs-own-word' })
    await store.close()

    const asked = cli(['start', '--password', 'asked-for-1'], env)
    const port = await asked.port()
    expect((await asked.line(/Password: (\S+)$/))[1]).toBe('asked-for-1')
    expect((await asked.line(/Sign in as: (.*)$/))[1]).not.toContain(bob)
    expect((await asked.line(/another password: (.*)$/))[1]).toBe(bob)
    expect(await login(port, ann, 'asked-for-1')).toBe(302)
    expect(await login(port, ann, generated)).toBe(401)
    expect(await login(port, bob, 'bobs-own-word')).toBe(302)
    expect(await login(port, bob, 'asked-for-1')).toBe(401)
    await stop(asked)

    const silent = cli(['start'], env)
    expect(await login(await silent.port(), ann, 'asked-for-1')).toBe(302)
    expect(silent.out.join('\n')).not.toContain('Password:')
    await stop(silent)
  })

  test('refuses a second server on one DATA_DIR, and starts at once when the first was killed', async () => {
    const env = { DATA_DIR: await temporaryFolder() }
    const first = cli(['start'], env)
    await first.port()
    const second = cli(['dev'], env)
    expect(await second.ended).toBe(1)
    expect(second.err).toEqual([expect.stringMatching(/^headgate: DATA_DIR: another server runs on /)])
    first.child.kill('SIGKILL')
    expect(await first.ended).toBe('SIGKILL')
    await stopWhenReady(cli(['start'], env))
  })
})

async function stopWhenReady(server: Cli): Promise<void> {
  await server.port()
  await stop(server)
}

describe('what cannot be done is one line and exit code 1:', () => {
  const missing = join(root, 'nowhere')
  test.each<[string, string[], Record<string, string>, RegExp]>([
    ['a setting', ['start'], { PORT: 'http' }, /PORT: expected a whole number/],
    ['another', ['start'], { STORE_URL: 'postgres://db' }, /STORE_URL: expected an address like mongodb:/],
    ['a folder', ['start', '--app', missing], {}, /Expected a folder that holds an application, got .*nowhere/],
    ['a slug', ['start', '--app', 'examples/generators=NO'], {}, /was not imported/],
    ['a password', ['start', '--password', 'short'], {}, /--password: expected 8 to 2048 characters, got 5/],
    ['an option', ['start', '--prot', '3000'], {}, /Unknown option '--prot'/],
    ['a word too many', ['start', 'here'], {}, /Unexpected argument 'here'/],
    ['a command', ['strat'], {}, /expected one of start, dev, check, .*, got "strat"/],
    ['a word of Object', ['toString'], {}, /expected one of start/],
    ['a store', ['start'], { DATA_DIR: 'damaged' }, /is damaged or no store/],
  ])('%s', async (_, args, env, message) => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'damaged'))
    await writeFile(join(folder, 'damaged/headgate.db'), 'x'.repeat(8192))
    const DATA_DIR = join(folder, env.DATA_DIR ?? 'data')
    const process = cli(args, { ...env, DATA_DIR })
    expect(await process.ended).toBe(1)
    const [line] = process.err.filter((one) => one.startsWith('headgate: '))
    expect(line).toMatch(message)
    expect(process.err.join('\n')).not.toMatch(/^\s+at /m)
    expect(process.out).toEqual([])
  })

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const server = cli(['start'], { DATA_DIR: await temporaryFolder(), PORT: String(port) })
    expect(await server.ended).toBe(1)
    expect(server.err).toEqual([expect.stringMatching(/^headgate: PORT: expected a free port, got \d+/)])
    expect(server.out).toEqual([])
    other.close()
  })
})

test('a wrong option is told with the usage of its command alone', async () => {
  const check = cli(['check', '--jsn'], { DATA_DIR: await temporaryFolder() })
  expect(await check.ended).toBe(1)
  expect(check.err).toEqual([
    "headgate: Unknown option '--jsn'",
    '',
    expect.stringMatching(/^ {2}check PATH\.\.\. \[--json\] /),
  ])
})

test('help says what there is', async () => {
  const env = { DATA_DIR: await temporaryFolder() }
  const help = cli(['--help'], env)
  expect(await help.ended).toBe(0)
  for (const command of ['start', 'dev', 'check', 'run', 'import', 'export', 'version', 'nodes']) {
    expect(help.out.join('\n')).toMatch(new RegExp(`^  ${command} `, 'm'))
  }
})

/** Answers `GET /slow` after a second. */
const slow: Contents = {
  'application.yaml': application(),
  'endpoints.yaml': envelope('ExperienceEndpoint', endpoint('get', '/slow')),
  'Slow.yaml': envelope(
    'ExperienceFlowVersion',
    experienceFlow('slow', {
      triggers: [
        {
          ...{ key: ref('experienceEndpoint', 'get-slow'), type: 'endpoint', config: {}, meta: {} },
          outputIds: [['say']],
        },
      ],
      nodes: [
        {
          id: 'say',
          type: 'DebugNode',
          config: { message: 'waiting', level: 'info' },
          meta: {},
          outputIds: [['wait']],
        },
        { id: 'wait', type: 'DelayNode', config: { delay: 1 }, meta: {}, outputIds: [['reply']] },
        {
          ...{ id: 'reply', type: 'EndpointReplyNode', meta: {}, outputIds: [[]] },
          config: {
            replyType: 'custom',
            responseCodeTemplate: '200',
            bodyTemplateType: 'string',
            bodyTemplate: 'late',
          },
        },
      ],
    }),
  ),
}

async function slowServer(): Promise<{ server: Cli; answer: Promise<{ status: number; text: string }> }> {
  const folder = await temporaryFolder()
  for (const [path, content] of Object.entries(slow)) {
    await mkdir(dirname(join(folder, 'slow', path)), { recursive: true })
    await writeFile(join(folder, 'slow', path), content)
  }
  const server = cli(['dev', join(folder, 'slow')], { DATA_DIR: join(folder, 'data') })
  const answer = clientOf(await server.port(), 'slow.localhost').get('/slow')
  answer.catch(() => undefined)
  await server.line(/waiting/)
  return { server, answer }
}

describe('a signal', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s lets requests end, then the process, with 0', async (signal) => {
    const { server, answer } = await slowServer()
    server.child.kill(signal)
    // As a terminal and npm both send it.
    server.child.kill(signal)
    expect(await answer).toMatchObject({ status: 200, text: 'late' })
    expect(await server.ended).toBe(0)
  })

  test('that comes again ends it at once', async () => {
    const { server, answer } = await slowServer()
    server.child.kill('SIGTERM')
    const again = setInterval(() => server.child.kill('SIGINT'), 150)
    expect(await server.ended).toBe(130)
    clearInterval(again)
    // The request was not waited for.
    await expect(answer).rejects.toThrow()
  })
})

test('examples start from a copy under another slug', async () => {
  const folder = await temporaryFolder()
  await cp(join(root, 'examples/one-to-many'), join(folder, 'copy'), { recursive: true })
  const server = cli(['start', '--app', `${folder}/copy=first`, '--app', `${folder}/copy=second`], {
    DATA_DIR: join(folder, 'data'),
  })
  const port = await server.port()
  for (const host of ['first.localhost', 'second.localhost']) {
    expect((await clientOf(port, host).get('/login')).status).toBe(200)
  }
  await stop(server)
})
