import { type LoadFigures, type LoadRequest, load } from './load.ts'
import type { Started } from './processes.ts'

/** How long and how often is measured. */
export interface Effort {
  quick: boolean
  /** The sizes that take many minutes; only some benches have such. */
  full?: boolean
  /** Of each side at each number of connections; of contests in each of two halves. */
  rounds: number
  /** Of one side in one round. */
  milliseconds: number
  /** Of one side before the first round. */
  warmMs: number
}

export function effortOf({ quick, full }: Pick<Effort, 'quick' | 'full'>): Effort {
  return quick
    ? { quick, full, rounds: 3, milliseconds: 1_500, warmMs: 2_500 }
    : { quick, full, rounds: 5, milliseconds: 4_000, warmMs: 6_000 }
}

/** One of those that are compared. */
export interface Side {
  server: Started
  request: LoadRequest
}

/** `cpuUs`: microseconds of processor time that the server used for a request. */
export type SideFigures = LoadFigures & { cpuUs: number }

/**
 * Loads each side in turn (A B A B ...), so that what disturbs the machine disturbs all of them. Gives the figures of each
 * side, one a round.
 */
export async function interleave<Name extends string>(
  sides: Record<Name, Side>,
  { connections, effort }: { connections: number; effort: Effort },
): Promise<Record<Name, SideFigures[]>> {
  const names = Object.keys(sides) as Name[]
  const figures = Object.fromEntries(names.map((name) => [name, [] as SideFigures[]])) as Record<Name, SideFigures[]>
  for (const name of names) await load(sides[name].request, { connections, milliseconds: effort.warmMs })
  for (let round = 0; round < effort.rounds; round += 1) {
    // The order turns around each time: nobody always comes after the same neighbour.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const { request, server } = sides[name]
      const before = server.cpuMs()
      const measured = await load(request, { connections, milliseconds: effort.milliseconds })
      figures[name].push({ ...measured, cpuUs: ((server.cpuMs() - before) * 1000) / measured.requests })
    }
  }
  return figures
}

export interface Contest<Name extends string> {
  /** Each starts one side; all of them are stopped at the end. */
  starts: Record<Name, () => Promise<Side>>
  /** Throws unless the sides that were started answer as they should. */
  check(sides: Record<Name, Side>): Promise<void>
  connections: readonly number[]
  effort: Effort
}

/**
 * Interleaves sides in two halves. In the second the servers are started anew, in the other order: which of them is the
 * oldest alone makes a difference of up to a fifth. Gives the figures by number of connections.
 */
export async function contest<Name extends string>(
  options: Contest<Name>,
): Promise<Map<number, Record<Name, SideFigures[]>>> {
  const { starts, check, connections, effort } = options
  const names = Object.keys(starts) as Name[]
  const all = new Map<number, Record<Name, SideFigures[]>>()
  for (const order of [names, names.toReversed()]) {
    const sides = {} as Record<Name, Side>
    try {
      for (const name of order) sides[name] = await starts[name]()
      await check(sides)
      for (const count of connections) {
        const half = await interleave(sides, { connections: count, effort })
        const before = all.get(count)
        for (const name of names) half[name] = [...(before?.[name] ?? []), ...half[name]]
        all.set(count, half)
      }
    } finally {
      for (const side of Object.values<Side>(sides)) await side.server.stop()
    }
  }
  return all
}
