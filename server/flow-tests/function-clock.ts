import type { Functions } from '../../nodes/services/run.ts'

/** Function nodes whose scripts see the clock of the test, and random numbers that are the same in every run. */
export function withClock(real: Functions, clock: { now: number }): Functions {
  return { run: (call) => real.run({ ...call, script: `${preamble(clock.now)}${call.script}` }) }
}

// In one line, so that lines in messages stay those of the author. The global object is new for each call.
function preamble(now: number): string {
  const date = `new Proxy(Real, {
    construct: (_, given) => given.length > 0 ? new Real(...given) : new Real(${now}),
    apply: () => new Real(${now}).toString(),
    get: (_, key) => key === 'now' ? () => ${now} : Real[key],
  })`
  const random = '() => (seed = (seed * 48271) % 2147483647) / 2147483647'
  const script = `{ const Real = Date; let seed = 1; globalThis.Date = ${date}; Math.random = ${random} } `
  return script.replace(/\s*\n\s*/g, ' ')
}
