import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpClient } from '../../nodes/services/http.ts'
import { openEgress } from '../../server/egress.ts'

/** A request as it came over the wire. */
export interface Seen {
  method: string
  /** With its query, as it was sent. */
  url: string
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface ProviderAnswer {
  status?: number
  headers?: Record<string, string>
  body?: string | Uint8Array
}

export interface ProviderStandIn {
  /** The client of flows, its guard included; only the origin of a provider is exchanged for this one, and its name stays in `host`. */
  http: HttpClient
  /** Requests since the last call, each with the origin that it was for. */
  take(): (Seen & { origin: string })[]
  close(): Promise<void>
}

/** A server in the place of every provider: `answer` gets each request. Close it after use. */
export async function openProvider(
  answer: (seen: Seen & { origin: string }) => ProviderAnswer,
): Promise<ProviderStandIn> {
  const taken: (Seen & { origin: string })[] = []
  const origins = new Map<string, string>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url = '', headers } = request
    const seen = { method, url, headers, body: Buffer.concat(chunks), origin: origins.get(headers.host!) ?? '' }
    taken.push(seen)
    const { status = 200, headers: given = {}, body = '' } = answer(seen)
    response.writeHead(status, given).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const egress = openEgress({ allowPrivate: ['127.0.0.1'] })
  return {
    http: {
      send(request) {
        const url = new URL(request.url)
        origins.set(url.host, url.origin)
        const headers = { ...request.headers, host: url.host }
        return egress.send({ ...request, headers, url: here + request.url.slice(url.origin.length) })
      },
    },
    take: () => taken.splice(0),
    async close() {
      await egress.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
