import { type Figure, round } from './figure.ts'
import type { Effort } from './rounds.ts'
import { run as runStore } from './store.ts'
import { run as runTenancy } from './tenancy.ts'

/** As the benches of the store and of tenancy say it. */
interface Timed {
  what: string
  p50Us?: number
  p99Us?: number
  cpuUs?: number
  amount?: number
}

const verifyUs = 25
const pageUs = 10_000

/** The store with a million devices (a tenth of it, when quick), through its port. */
export async function store(effort: Effort): Promise<Figure[]> {
  return toFigures('store', await runStore({ devices: devicesOf(effort) }))
}

/** The rules of tenancy in a world of that size. */
export async function tenancy(effort: Effort): Promise<Figure[]> {
  return toFigures('tenancy', await runTenancy({ devices: devicesOf(effort) }))
}

function devicesOf({ quick }: Effort): number {
  return quick ? 100_000 : 1_000_000
}

function toFigures(name: string, timed: readonly Timed[]): Figure[] {
  return timed.map(({ what, p50Us, p99Us, cpuUs, amount }) => {
    const most = budgetOf(what)
    return {
      what: `${name}: ${what}`,
      figure:
        p50Us === undefined
          ? round(amount ?? Number.NaN)
          : `${said(p50Us)}, p99 ${said(p99Us ?? Number.NaN)}${cpuUs === undefined ? '' : `, cpu ${said(cpuUs)}`}`,
      ...(most === undefined ? {} : { budget: `p99 <= ${said(most)}`, met: (p99Us ?? Number.NaN) <= most }),
    }
  })
}

/** Most microseconds at the 99th part of a hundred; undefined: shown alone. */
function budgetOf(what: string): number | undefined {
  if (what.startsWith('verify') || what.startsWith('matches')) return verifyUs
  return /^first page of 20( with its count)?,/.test(what) ? pageUs : undefined
}

function said(us: number): string {
  return us < 1_000 ? `${round(us)} us` : `${round(us / 1_000)} ms`
}
