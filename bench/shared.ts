import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import { openStore } from '../server/store/open.ts'
import { openPrivateMongo } from '../test/services/mongo.ts'
import { openPrivateRedis } from '../test/services/redis.ts'
import { type Figure, median, round } from './figure.ts'
import { type LoadRequest, load } from './load.ts'
import type { Started } from './processes.ts'
import type { Effort } from './rounds.ts'
import { run as runTenancy } from './tenancy.ts'
import { openWorld, type World } from './world.ts'

/** What the servers stand on: a MongoDB and a Redis, private ones unless MONGODB_URL names another. */
interface Services {
  /** Of a new database. */
  storeUrl(): string
  redisUrl: string
  /** FerretDB, which looks through a whole collection for most queries, takes a small world. */
  small: boolean
  close(): Promise<void>
}

/** The home page from one and from two web processes on MongoDB and Redis, and the rules of tenancy on MongoDB. */
export async function run(effort: Effort): Promise<Figure[]> {
  const services = await openServices()
  try {
    return [...(await throughput(services, effort)), ...(await tenancy(services, effort))]
  } finally {
    await services.close()
  }
}

async function openServices(): Promise<Services> {
  const given = process.env.MONGODB_URL
  const mongo = given === undefined ? await openPrivateMongo() : undefined
  const redis = await openPrivateRedis()
  return {
    storeUrl() {
      const url = new URL(given ?? mongo!.url)
      url.pathname = `headgate_bench_${randomBytes(6).toString('hex')}`
      return url.href
    },
    redisUrl: redis.url,
    small: given === undefined,
    close: async () => void (await Promise.all([mongo?.close(), redis.close()])),
  }
}

async function throughput({ storeUrl, redisUrl }: Services, { rounds, milliseconds }: Effort): Promise<Figure[]> {
  const world = await openWorld({ settings: { STORE_URL: storeUrl(), REDIS_URL: redisUrl, ROLE: 'web' } })
  const servers: Started[] = []
  try {
    const figures: Figure[] = []
    const perSecond: number[] = []
    for (const count of [1, 2]) {
      servers.push(await world.start())
      const measured: number[] = []
      for (let n = 0; n < rounds; n++) measured.push(await loadAll(servers, world, milliseconds))
      perSecond.push(median(measured))
      const web = count === 1 ? 'one web process' : 'two web processes'
      figures.push({
        what: `home page on MongoDB, ${web}`,
        figure: `${round(perSecond.at(-1)!)}/s`,
        ...(count === 2 && {
          baseline: `${round(perSecond[0]!)}/s`,
          ratio: (perSecond[1]! / perSecond[0]!).toFixed(2),
        }),
      })
    }
    figures.push({
      what: 'processor cores of this machine, for servers, MongoDB and load',
      figure: `${cpus().length}`,
    })
    return figures
  } finally {
    for (const server of servers) await server.stop()
    await world.close()
  }
}

/** Sixteen connections over all servers; the requests a second of all. */
async function loadAll(servers: readonly Started[], { host, token }: World, milliseconds: number): Promise<number> {
  const request = (port: number): LoadRequest => {
    return { method: 'GET', path: '/', port, headers: { host, cookie: `authorization=${token}` } }
  }
  const connections = 16 / servers.length
  const figures = await Promise.all(servers.map(({ port }) => load(request(port), { connections, milliseconds })))
  return figures.reduce((sum, { perSecond }) => sum + perSecond, 0)
}

async function tenancy({ storeUrl, small }: Services, { quick }: Effort): Promise<Figure[]> {
  const devices = small ? 1_000 : quick ? 100_000 : 1_000_000
  const store = await openStore(storeUrl(), '')
  try {
    const timed = await runTenancy({ store, devices, share: small ? 0.01 : 0.1 })
    return timed.map(({ what, p50Us, p99Us, amount }) => ({
      what: `tenancy on MongoDB, ${round(devices)} devices: ${what}`,
      figure: p50Us === undefined ? round(amount!) : `${round(p50Us / 1000)} ms, p99 ${round(p99Us! / 1000)} ms`,
    }))
  } finally {
    await store.close()
  }
}
