import { type LoadFigures, type LoadRequest, load } from './load.ts'

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

/**
 * Loads each side in turn (A B A B ...), so that what disturbs the machine disturbs all of them. Gives the figures of each
 * side, one a round.
 */
export async function interleave<Side extends string>(
  sides: Record<Side, LoadRequest>,
  { connections, effort }: { connections: number; effort: Effort },
): Promise<Record<Side, LoadFigures[]>> {
  const names = Object.keys(sides) as Side[]
  const figures = Object.fromEntries(names.map((name) => [name, [] as LoadFigures[]])) as Record<Side, LoadFigures[]>
  for (const name of names) await load(sides[name], { connections, milliseconds: effort.warmMs })
  for (let round = 0; round < effort.rounds; round += 1) {
    // The order turns around each time: nobody always comes after the same neighbour.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      figures[name].push(await load(sides[name], { connections, milliseconds: effort.milliseconds }))
    }
  }
  return figures
}
