import { connect, type Socket } from 'node:net'

export interface LoadRequest {
  port: number
  method: 'GET' | 'POST'
  path: string
  /** Names and values. `content-length` is added. */
  headers: Record<string, string>
  body?: string
}

export interface LoadFigures {
  requests: number
  perSecond: number
  medianMs: number
  p99Ms: number
}

export interface Response {
  status: number
  body: string
}

/**
 * Asks over and over for a while, on connections that are kept alive, each with one request under way at a time. Rejects
 * for any status but 200: a figure of failures is no figure.
 */
export async function load(
  request: LoadRequest,
  { connections, milliseconds }: { connections: number; milliseconds: number },
): Promise<LoadFigures> {
  const bytes = bytesOf(request)
  const times: number[] = []
  const started = performance.now()
  const end = started + milliseconds
  const lane = async () => {
    const line = await openLine(request.port)
    try {
      for (let from = performance.now(); from < end; from = performance.now()) {
        const { status, raw } = await line.ask(bytes)
        if (status !== 200) throw new Error(`${request.method} ${request.path}: expected 200, got ${raw.toString()}`)
        times.push(performance.now() - from)
      }
    } finally {
      line.close()
    }
  }
  await Promise.all(Array.from({ length: connections }, lane))
  const seconds = (performance.now() - started) / 1000
  times.sort((a, b) => a - b)
  const part = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN
  return { requests: times.length, perSecond: times.length / seconds, medianMs: part(0.5), p99Ms: part(0.99) }
}

/** Asks once. */
export async function ask(request: LoadRequest): Promise<Response> {
  const line = await openLine(request.port)
  try {
    const { status, raw, bodyAt } = await line.ask(bytesOf(request))
    return { status, body: raw.toString('utf8', bodyAt) }
  } finally {
    line.close()
  }
}

function bytesOf({ method, path, headers, body }: LoadRequest): Buffer {
  const all = body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`)
}

interface Arrived {
  status: number
  raw: Buffer
  bodyAt: number
}

interface Line {
  ask(bytes: Buffer): Promise<Arrived>
  close(): void
}

// A client of its own, on bare sockets: the load generator must cost less than what it measures.
async function openLine(port: number): Promise<Line> {
  const socket = await connected(port)
  let waiting: PromiseWithResolvers<Arrived> | undefined
  let received: Buffer | undefined
  socket.on('data', (chunk) => {
    received = received ? Buffer.concat([received, chunk]) : chunk
    const arrived = readResponse(received)
    if (!arrived) return
    received = undefined
    waiting?.resolve(arrived)
  })
  socket.setTimeout(10_000, () => waiting?.reject(new Error('Expected an answer within 10 seconds, got none')))
  socket.on('error', (error) => waiting?.reject(error))
  socket.on('close', () => waiting?.reject(new Error('The server closed the connection')))
  return {
    ask(bytes) {
      waiting = Promise.withResolvers<Arrived>()
      socket.write(bytes)
      return waiting.promise
    },
    close: () => socket.destroy(),
  }
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** A whole response; undefined while some of it is on its way. */
function readResponse(raw: Buffer): Arrived | undefined {
  const head = raw.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const text = raw.toString('latin1', 0, head)
  const status = Number(text.slice(9, 12))
  const bodyAt = head + 4
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  if (length === undefined) throw new Error(`Expected a response with a content-length, got:\n${text}`)
  return raw.length >= bodyAt + Number(length) ? { status, raw, bodyAt } : undefined
}
