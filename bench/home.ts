import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare } from './compare.ts'
import type { Figure } from './figure.ts'
import { ask, type LoadRequest } from './load.ts'
import { type Started, startServer } from './processes.ts'
import { contest, type Effort, type Side } from './rounds.ts'
import { openWorld, type World } from './world.ts'

/**
 * The page that people open: session, the 20 devices of a user with their state, page in layout with a component for each.
 * Against the same page hand-written on Express, node:sqlite and Handlebars, which has to give the same HTML.
 */
export async function run(effort: Effort): Promise<Figure[]> {
  const world = await openWorld()
  const side = async (starting: Promise<Started>) => {
    const server = await starting
    return { server, request: get(server.port, world) }
  }
  const starts = { ours: () => side(world.start()), twin: () => side(startTwin(world)) }
  try {
    const measured = await contest({ starts, check: sameHtml, connections: [16, 1], effort })
    return [...measured].flatMap(([connections, { ours, twin }]) => {
      const count = `${connections} ${connections === 1 ? 'connection' : 'connections'}`
      return compare(`home page, ${count}, against hand-written`, ours, twin, 0.9)
    })
  } finally {
    await world.close()
  }
}

async function startTwin({ data }: World): Promise<Started> {
  const home = await mkdtemp(join(tmpdir(), 'headgate-bench-twin-'))
  const file = join(home, 'world.json')
  await writeFile(file, JSON.stringify(data))
  const started = await startServer({ args: ['bench/twin/server.ts', file, join(home, 'twin.db')] })
  return {
    ...started,
    async stop() {
      await started.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}

function get(port: number, { host, token }: World): LoadRequest {
  return { method: 'GET', path: '/', port, headers: { host, cookie: `authorization=${token}` } }
}

async function sameHtml({ ours, twin }: { ours: Side; twin: Side }): Promise<void> {
  const [a, b] = [(await ask(ours.request)).body.split('\n'), (await ask(twin.request)).body.split('\n')]
  const line = a.findIndex((text, index) => text !== b[index])
  if (line >= 0 || a.length !== b.length) {
    throw new Error(`Expected the same HTML, got in line ${line + 1}:\n  ours: ${a[line]}\n  twin: ${b[line]}`)
  }
  const cards = a.filter((text) => text.includes('class="card"')).length
  if (cards !== 20) throw new Error(`Expected a page of 20 devices, got ${cards}`)
}
