import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { Agent, request } from 'undici'
import { openFunctionPool } from '../engine/sandbox/pool.ts'

/** Figures of one warm function node: calls or requests a second, medians and the 99th part of a hundred in ms. */
export interface FunctionFigures {
  what: string
  perSecond: number
  medianMs: number
  p99Ms: number
}

const script =
  'payload.working = { total: payload.data.rows.reduce((sum, row) => sum + row.n, 0), at: payload.time.getTime() }'
const value = {
  time: new Date(0),
  data: { rows: Array.from({ length: 20 }, (_, n) => ({ n, name: `row ${n} of the payload` })) },
}

/**
 * Measures a function node of 1 KB of payload: by itself, one after the other and 16 at a time, then behind a bare HTTP
 * server beside the same server without it. The added median is the difference of the last two pairs.
 */
export async function run(seconds = 3): Promise<FunctionFigures[]> {
  const pool = openFunctionPool()
  const call = () => pool.run({ script, value, application: 'bench' })
  const server = createServer((incoming, outgoing) => {
    const work = incoming.url === '/function' ? call() : Promise.resolve({ value })
    work.then(
      (result) => outgoing.end(JSON.stringify(result.value)),
      (error: Error) => outgoing.writeHead(500).end(error.message),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const dispatcher = new Agent({ connections: 16, pipelining: 1 })
  const get = async (path: string) => {
    const { statusCode, body } = await request(origin + path, { dispatcher })
    if (statusCode !== 200) throw new Error(await body.text())
    await body.dump()
  }
  try {
    await measure('warm', call, 2, 1)
    return [
      await measure('call, 1 at a time', call, 1, seconds),
      await measure('call, 16 at a time', call, 16, seconds),
      await measure('HTTP without, 1 at a time', () => get('/'), 1, seconds),
      await measure('HTTP with, 1 at a time', () => get('/function'), 1, seconds),
      await measure('HTTP without, 16 at a time', () => get('/'), 16, seconds),
      await measure('HTTP with, 16 at a time', () => get('/function'), 16, seconds),
    ]
  } finally {
    await dispatcher.close()
    server.close()
    await pool.close()
  }
}

async function measure(
  what: string,
  once: () => Promise<unknown>,
  at: number,
  seconds: number,
): Promise<FunctionFigures> {
  const times: number[] = []
  const start = performance.now()
  const end = start + seconds * 1_000
  const lane = async () => {
    while (performance.now() < end) {
      const from = performance.now()
      await once()
      times.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: at }, lane))
  const perSecond = Math.round(times.length / ((performance.now() - start) / 1_000))
  times.sort((a, b) => a - b)
  const part = (share: number) => Number((times[Math.floor(times.length * share)] ?? 0).toFixed(3))
  return { what, perSecond, medianMs: part(0.5), p99Ms: part(0.99) }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const figures = await run()
  console.table(figures)
  const median = (what: string) => figures.find((each) => each.what === what)?.medianMs ?? 0
  const added = median('HTTP with, 1 at a time') - median('HTTP without, 1 at a time')
  console.log(`added median of one warm function node: ${added.toFixed(3)} ms`)
}
