import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ask } from '../load.ts'
import { type Started, startSilent } from '../processes.ts'

const folder = join(import.meta.dirname, 'node-red')
const program = join(folder, 'node_modules/node-red/red.js')

/** Installs Node-RED beside this file unless it is there. Rejects when the registry cannot be reached. */
export async function installNodeRed(): Promise<void> {
  if (existsSync(program)) return
  const flags = ['--no-package-lock', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund']
  await promisify(execFile)('npm', ['install', ...flags], { cwd: folder })
}

/** Starts Node-RED without editor and admin API, with the trivial flow: http in, change, http response. */
export async function startNodeRed(): Promise<Started> {
  const home = await mkdtemp(join(tmpdir(), 'headgate-bench-node-red-'))
  const settings = join(home, 'settings.js')
  await writeFile(join(home, 'flows.json'), JSON.stringify(flow))
  const started = await startSilent(async (port) => {
    await writeFile(settings, `module.exports = ${JSON.stringify(settingsOf(port))}`)
    return { args: [program, '--settings', settings, '--userDir', home], cwd: home }
  })
  const stop = async () => {
    await started.stop()
    await rm(home, { recursive: true, force: true })
  }
  await answers(started.port).catch(async (error) => {
    await stop()
    throw error
  })
  return { ...started, stop }
}

function settingsOf(uiPort: number) {
  return {
    uiPort,
    uiHost: '127.0.0.1',
    httpAdminRoot: false,
    httpNodeRoot: '/',
    disableEditor: true,
    flowFile: 'flows.json',
    credentialSecret: false,
    telemetry: { enabled: false },
    diagnostics: { enabled: false },
    logging: { console: { level: 'error', metrics: false, audit: false } },
  }
}

// Node-RED takes a node without a place on the canvas for a configuration.
const place = { z: 'tab', x: 100, y: 100, name: '' }
const flow = [
  { id: 'tab', type: 'tab', label: 'Bench' },
  { ...place, id: 'in', type: 'http in', url: '/trivial', method: 'post', upload: false, wires: [['change']] },
  {
    ...{ ...place, id: 'change', type: 'change', wires: [['out']] },
    rules: [{ t: 'set', p: 'payload.seen', pt: 'msg', to: 'true', tot: 'bool' }],
  },
  { ...place, id: 'out', type: 'http response', statusCode: '', headers: {}, wires: [] },
]

async function answers(port: number): Promise<void> {
  const headers = { host: 'localhost', 'content-type': 'application/json' }
  const request = { port, method: 'POST', path: '/trivial', headers, body: '{"seen":false}' } as const
  for (let tries = 0; ; tries += 1) {
    const response = await ask(request).catch((error: unknown) => ({ status: 0, body: String(error) }))
    if (response.status === 200) return
    if (tries === 100) throw new Error(`Expected Node-RED to answer, got ${response.status} ${response.body}`)
    await sleep(200)
  }
}
