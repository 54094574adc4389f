import { parseArgs } from 'node:util'
import { type Figure, toTable } from './figure.ts'
import { pinLoad, pinned } from './processes.ts'
import { type Effort, effortOf } from './rounds.ts'

type Bench = (effort: Effort) => Promise<Figure[]>

// Imported when they are run: what one loads would be in the memory of the others.
const benches: Record<string, () => Promise<Bench>> = {
  trivial: async () => (await import('./trivial.ts')).run,
  home: async () => (await import('./home.ts')).run,
  nodes: async () => (await import('./nodes.ts')).run,
  function: async () => (await import('./function-node.ts')).run,
  start: async () => (await import('./start.ts')).run,
  jobs: async () => (await import('./jobs.ts')).run,
  export: async () => (await import('./export.ts')).run,
  shared: async () => (await import('./shared.ts')).run,
  store: async () => (await import('./size.ts')).store,
  tenancy: async () => (await import('./size.ts')).tenancy,
}
// They take minutes: --quick leaves them out unless they are named.
const long = ['store', 'tenancy']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, full: { type: 'boolean', default: false } },
})
const unknown = positionals.filter((name) => !Object.hasOwn(benches, name))
if (unknown.length > 0) {
  console.error(`Expected names of ${Object.keys(benches).join(', ')}, got ${unknown.join(', ')}`)
  process.exit(1)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
pinLoad()
const figures: Figure[] = []
const usual = Object.keys(benches).filter((name) => !values.quick || !long.includes(name))
for (const name of positionals.length > 0 ? positionals : usual) {
  console.error(`${name} ...`)
  const bench = await benches[name]!()
  figures.push(...(await bench(effortOf(values))))
}
console.log(toTable(figures))
console.log(
  pinned ? 'Servers on core 0, load on core 1.' : 'Without taskset or a second core: servers and load share cores.',
)
