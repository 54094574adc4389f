import { execFile } from 'node:child_process'
import { cp, readFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { clientOf } from '../helpers/client.ts'
import { PASSWORD } from '../helpers/server.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { cli, root } from './server-process.ts'

const run = promisify(execFile)

/** What the Dockerfile copies out of the repository. */
async function sources(): Promise<string[]> {
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8')
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) => names!.split(' '))
  return [...new Set(copied)]
}

test('what the image holds is enough to serve: no package of development is used', { timeout: 300_000 }, async () => {
  const folder = join(await temporaryFolder(), 'app')
  for (const source of await sources()) await cp(join(root, source), join(folder, source), { recursive: true })
  // Installed with the Node that runs it, as in the image.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` }
  await run('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund'], { cwd: folder, env })

  const settings = { DATA_DIR: await temporaryFolder(), NODE_ENV: 'production', MQTT_PORT: '0' }
  const server = cli(['start', '--password', PASSWORD], settings, folder)
  const port = await server.port()
  expect(await clientOf(port, 'localhost').get('/readyz')).toMatchObject({ status: 200 })
  const client = clientOf(port, 'generators.localhost')
  const login = await client.login('norcal@tekton.example', PASSWORD)
  expect(login, server.err.join('\n')).toMatchObject({ status: 302 })
  expect(JSON.parse((await client.get('/api/devices')).text)).toHaveLength(9)
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(server.err).toEqual([])

  for (const args of [['test', 'examples/generators'], ['check', 'examples'], ['nodes']]) {
    const command = cli(args, settings, folder)
    expect(await command.ended, command.err.join('\n')).toBe(0)
  }
})
