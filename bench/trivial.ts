import { compare } from './compare.ts'
import type { Figure } from './figure.ts'
import { ask, type LoadRequest } from './load.ts'
import { installNodeRed, startNodeRed } from './peers/node-red.ts'
import { type Started, startServer } from './processes.ts'
import { type Effort, interleave, type Side } from './rounds.ts'
import { openWorld } from './world.ts'

/** POST of 1 KB of JSON, one value set, the body as reply: a flow against Express alone and against Node-RED. */
export async function run(effort: Effort): Promise<Figure[]> {
  const world = await openWorld()
  const servers: Started[] = []
  const start = async (starting: Promise<Started>) => {
    const started = await starting
    servers.push(started)
    return started
  }
  try {
    const ours = await start(world.start())
    const express = await start(startServer({ args: ['bench/peers/express.ts'] }))
    const reason = await installOrReason()
    const nodeRed = reason === undefined ? await start(startNodeRed()) : undefined
    const sides: Record<string, Side> = {
      ours: { server: ours, request: post('/trivial', ours.port, world.host) },
      express: { server: express, request: post('/trivial', express.port) },
      ...(nodeRed && { nodeRed: { server: nodeRed, request: post('/trivial', nodeRed.port) } }),
    }
    await sameAnswers(sides)
    const figures: Figure[] = []
    for (const connections of [16, 1]) {
      const measured = await interleave(sides, { connections, effort })
      const what = `trivial flow, ${connections} ${connections === 1 ? 'connection' : 'connections'}`
      if (measured.nodeRed) figures.push(...compare(`${what}, against Node-RED 5`, measured.ours!, measured.nodeRed, 1))
      else figures.push({ what: `${what}, against Node-RED 5`, figure: `not measured: ${reason}`, budget: '>= 1 x' })
      figures.push(...compare(`${what}, against Express 5`, measured.ours!, measured.express!, 0.6))
    }
    return figures
  } finally {
    for (const server of servers) await server.stop()
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
