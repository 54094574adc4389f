import { compare } from './compare.ts'
import type { Figure } from './figure.ts'
import { ask, type LoadRequest } from './load.ts'
import { installNodeRed, startNodeRed } from './peers/node-red.ts'
import { type Started, startServer } from './processes.ts'
import { contest, type Effort, type Side } from './rounds.ts'
import { openWorld } from './world.ts'

/** POST of 1 KB of JSON, one value set, the body as reply: a flow against Express alone and against Node-RED. */
export async function run(effort: Effort): Promise<Figure[]> {
  const world = await openWorld()
  const reason = await installOrReason()
  const side = async (starting: Promise<Started>, host?: string): Promise<Side> => {
    const server = await starting
    return { server, request: post('/trivial', server.port, host) }
  }
  const starts: Record<string, () => Promise<Side>> = {
    ours: () => side(world.start(), world.host),
    express: () => side(startServer({ args: ['bench/peers/express.ts'] })),
    ...(reason === undefined && { nodeRed: () => side(startNodeRed()) }),
  }
  try {
    const measured = await contest({ starts, check: sameAnswers, connections: [16, 1], effort })
    return [...measured].flatMap(([connections, { ours, express, nodeRed }]) => {
      const what = `trivial flow, ${connections} ${connections === 1 ? 'connection' : 'connections'}`
      return [
        ...(nodeRed
          ? compare(`${what}, against Node-RED 5`, ours!, nodeRed, 1)
          : [{ what: `${what}, against Node-RED 5`, figure: `not measured: ${reason}`, budget: '>= 1 x' }]),
        ...compare(`${what}, against Express 5`, ours!, express!, 0.6),
      ]
    })
  } finally {
    await world.close()
  }
}

/** A POST of 1 KB of JSON. */
export function post(path: string, port: number, host = 'localhost'): LoadRequest {
  return { method: 'POST', path, port, headers: { host, 'content-type': 'application/json' }, body }
}

const body = JSON.stringify({
  name: 'San Bruno Generator 1',
  rows: Array.from({ length: 20 }, (_, n) => ({ n, time: 1_700_000_000_000 + n, what: 'reading' })),
})

async function installOrReason(): Promise<string | undefined> {
  try {
    await installNodeRed()
    return undefined
  } catch (error) {
    return `it could not be installed (${(error as Error).message.split('\n', 1)[0]})`
  }
}

async function sameAnswers(sides: Record<string, Side>): Promise<void> {
  const wanted = JSON.stringify({ ...JSON.parse(body), seen: true })
  for (const [side, { request }] of Object.entries(sides)) {
    const got = await ask(request)
    if (got.body !== wanted) throw new Error(`${side}: expected ${wanted}, got ${got.status} ${got.body}`)
  }
}
