import { type LoadFigures, type LoadRequest, load } from './load.ts'
import type { Started } from './processes.ts'

/** How long and how often is measured. */
export interface Effort {
  quick: boolean
  rounds: number
  /** Of one side in one round. */
  milliseconds: number
  /** Of one side before the first round. */
  warmMs: number
}

export function effortOf(quick: boolean): Effort {
  return quick
    ? { quick, rounds: 3, milliseconds: 1_500, warmMs: 2_500 }
    : { quick, rounds: 7, milliseconds: 4_000, warmMs: 8_000 }
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
