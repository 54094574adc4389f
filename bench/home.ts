import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare } from './compare.ts'
import type { Figure } from './figure.ts'
import { ask, type LoadRequest } from './load.ts'
import { type Started, startServer } from './processes.ts'
import { type Effort, interleave } from './rounds.ts'
import { openWorld, type World } from './world.ts'

/**
 * The page that people open: session, the 20 devices of a user with their state, page in layout with a component for each.
 * Against the same page hand-written on Express, node:sqlite and Handlebars, which has to give the same HTML.
 */
export async function run(effort: Effort): Promise<Figure[]> {
  const world = await openWorld()
  const home = await mkdtemp(join(tmpdir(), 'headgate-bench-twin-'))
  const servers: Started[] = []
  try {
    const ours = await world.start()
    servers.push(ours)
    const twin = await startTwin(world, home)
    servers.push(twin)
    const sides = {
      ours: { server: ours, request: get(ours.port, world) },
      twin: { server: twin, request: get(twin.port, world) },
    }
    await sameHtml(sides.ours.request, sides.twin.request)
    const figures: Figure[] = []
    for (const connections of [16, 1]) {
      const measured = await interleave(sides, { connections, effort })
      const what = `home page, ${connections} ${connections === 1 ? 'connection' : 'connections'}, against hand-written`
      figures.push(...compare(what, measured.ours, measured.twin, 0.9))
    }
    return figures
  } finally {
    for (const server of servers) await server.stop()
    await rm(home, { recursive: true, force: true })
    await world.close()
  }
}

async function startTwin({ data }: World, home: string): Promise<Started> {
  const file = join(home, 'world.json')
  await writeFile(file, JSON.stringify(data))
  return await startServer({ args: ['bench/twin/server.ts', file, join(home, 'twin.db')] })
}

function get(port: number, { host, token }: World): LoadRequest {
  return { method: 'GET', path: '/', port, headers: { host, cookie: `authorization=${token}` } }
}

async function sameHtml(ours: LoadRequest, theirs: LoadRequest): Promise<void> {
  const [a, b] = [(await ask(ours)).body.split('\n'), (await ask(theirs)).body.split('\n')]
  const line = a.findIndex((text, index) => text !== b[index])
  if (line >= 0 || a.length !== b.length) {
    throw new Error(`Expected the same HTML, got in line ${line + 1}:\n  ours: ${a[line]}\n  twin: ${b[line]}`)
  }
  const cards = a.filter((text) => text.includes('class="card"')).length
  if (cards !== 20) throw new Error(`Expected a page of 20 devices, got ${cards}`)
}
