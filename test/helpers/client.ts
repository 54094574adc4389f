import http from 'node:http'

export interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  text: string
}

export interface ClientRequest {
  method?: string
  path: string
  headers?: Record<string, string>
  form?: Record<string, string>
  json?: unknown
  body?: string | Uint8Array
}

/** A client of one host name that keeps cookies, as a browser does. It follows no redirect. */
export interface Client {
  send(request: ClientRequest): Promise<Answer>
  get(path: string): Promise<Answer>
  /** Posts the sign-in form of the examples. */
  login(email: string, password: string): Promise<Answer>
  cookies: Map<string, string>
}

export function clientOf(port: number, host: string): Client {
  const cookies = new Map<string, string>()
  const client: Client = {
    cookies,
    async send(request) {
      const { body, type } = bodyOf(request)
      const headers: Record<string, string> = { host: `${host}:${port}`, ...type, ...request.headers }
      if (cookies.size > 0) headers.cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body))
      const answer = await exchange({ port, path: request.path, method: request.method ?? 'GET', headers }, body)
      for (const line of answer.headers['set-cookie'] ?? []) keep(cookies, line)
      return answer
    },
    get: (path) => client.send({ path }),
    login: (email, password) => client.send({ method: 'POST', path: '/login', form: { email, password } }),
  }
  return client
}

function bodyOf(request: ClientRequest): { body?: string | Uint8Array; type?: Record<string, string> } {
  if (request.form) {
    return {
      body: new URLSearchParams(request.form).toString(),
      type: { 'content-type': 'application/x-www-form-urlencoded' },
    }
  }
  if (request.json === undefined) return { body: request.body }
  return { body: JSON.stringify(request.json), type: { 'content-type': 'application/json' } }
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';')
  const name = pair.slice(0, pair.indexOf('='))
  const gone = attributes.some((one) => /^\s*max-age=0/i.test(one) || /^\s*expires=Thu, 01 Jan 1970/i.test(one))
  if (gone) cookies.delete(name)
  else cookies.set(name, pair.slice(pair.indexOf('=') + 1))
}

function exchange(options: http.RequestOptions, body: string | Uint8Array | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', ...options }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const { statusCode = 0, headers } = response
        resolve({ status: statusCode, headers, text: Buffer.concat(parts).toString() })
      })
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}
