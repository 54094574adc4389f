import { middle, said } from './compare.ts'
import { type Figure, round } from './figure.ts'
import { ask } from './load.ts'
import { type Effort, interleave } from './rounds.ts'
import { post } from './trivial.ts'
import { openWorld } from './world.ts'

const mostMs = 1.5
const leastPerSecond = 1_200

/** A function node in a request: endpoint, function, reply against endpoint, reply. */
export async function run(effort: Effort): Promise<Figure[]> {
  const world = await openWorld()
  const server = await world.start()
  try {
    const sides = {
      with: { server, request: post('/function', server.port, world.host) },
      without: { server, request: post('/echo', server.port, world.host) },
    }
    const { body } = await ask(sides.with.request)
    if (JSON.parse(body).seen !== true) throw new Error(`Expected the script to mark the body, got ${body}`)
    const many = await interleave(sides, { connections: 16, effort })
    const one = await interleave(sides, { connections: 1, effort })
    const perSecond = middle(many.with, 'perSecond')
    const addedMs = middle(one.with, 'medianMs') - middle(one.without, 'medianMs')
    return [
      {
        what: 'one warm function node, 16 connections',
        figure: said(many.with),
        baseline: said(many.without),
        budget: `>= ${round(leastPerSecond)}/s`,
        met: perSecond >= leastPerSecond,
      },
      {
        what: '  processor time of a request, with its processes',
        figure: `${round(middle(many.with, 'cpuUs'))} us`,
        baseline: `${round(middle(many.without, 'cpuUs'))} us`,
      },
      {
        what: 'one warm function node, 1 connection: added median',
        figure: `${round(addedMs)} ms (${said(one.with)})`,
        baseline: said(one.without),
        budget: `<= ${mostMs} ms`,
        met: addedMs <= mostMs,
      },
    ]
  } finally {
    await server.stop()
    await world.close()
  }
}
