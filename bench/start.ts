import { setTimeout as sleep } from 'node:timers/promises'
import { type Figure, median, round } from './figure.ts'
import { ask, load } from './load.ts'
import { memoryOf, type Started } from './processes.ts'
import type { Effort } from './rounds.ts'
import { post } from './trivial.ts'
import { openWorld, type World } from './world.ts'

const flows = 100
const mostSeconds = 1.5
const mostMb = 180
// Long enough for what the last requests left behind to be written and collected, short of the rest of idle children.
const settleMs = 15_000

/** From the start of the process to the first answer of one of 100 flows; then what it keeps of the memory. */
export async function run(effort: Effort): Promise<Figure[]> {
  const world = await openWorld({ moreFlows: flows })
  try {
    const first: number[] = []
    const again: number[] = []
    for (let round = 0; round < effort.rounds; round += 1) {
      again.push(await timeOfStart(world))
      await world.forget()
      first.push(await timeOfStart(world))
    }
    return [
      seconds(`cold start to first answer, ${flows} flows, as stored`, again),
      seconds(`cold start to first answer, ${flows} flows, first import with it`, first),
      ...(await memory(world)),
    ]
  } finally {
    await world.close()
  }
}

function seconds(what: string, times: number[]): Figure {
  const middle = median(times)
  const least = Math.min(...times).toFixed(2)
  const most = Math.max(...times).toFixed(2)
  return {
    what,
    figure: `${middle.toFixed(2)} s (${least}-${most})`,
    budget: `<= ${mostSeconds} s`,
    met: middle <= mostSeconds,
  }
}

async function timeOfStart(world: World): Promise<number> {
  const started = performance.now()
  const server = await world.start()
  try {
    const { status, body } = await ask(last(server, world))
    if (body !== `{ "words": "hello ${flows - 1}" }`)
      throw new Error(`Expected the last flow to answer, got ${status} ${body}`)
    return (performance.now() - started) / 1000
  } finally {
    await server.stop()
  }
}

function last({ port }: Started, { host }: World) {
  return { method: 'GET', path: `/flow/${flows - 1}`, port, headers: { host } } as const
}

async function memory(world: World): Promise<Figure[]> {
  const server = await world.start()
  try {
    await load(last(server, world), { connections: 16, milliseconds: 1_000 })
    await load(post('/function', server.port, world.host), { connections: 16, milliseconds: 2_000 })
    await sleep(settleMs)
    const { pssMb, rssMb, processes } = memoryOf(server.pid)
    const what = `idle memory, server and function processes (${processes} in all)`
    const line = (name: string, mb: number): Figure => ({
      what: `${what}, ${name}`,
      figure: `${round(mb)} MB`,
      budget: `<= ${mostMb} MB`,
      // Fewer: the second child of function nodes is missing.
      met: mb <= mostMb && processes >= 3,
    })
    return [line('proportional (PSS)', pssMb), line('resident (RSS)', rssMb)]
  } finally {
    await server.stop()
  }
}
