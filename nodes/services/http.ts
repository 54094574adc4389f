export interface HttpRequest {
  method: string
  url: string
  headers: Record<string, string>
  body?: string | Uint8Array
  timeoutMs: number
  followRedirects: boolean
  verifyTls: boolean
  /** PEM texts. */
  caCert?: string
  clientCert?: { cert: string; key: string }
  signal: AbortSignal
}

export interface HttpClient {
  /** Sends a request through the egress guard. Any answer is a response; throws FlowError `http.*` when there is none. */
  send(request: HttpRequest): Promise<HttpResponse>
}

export interface HttpResponse {
  status: number
  /** Names in lower case. */
  headers: Record<string, string | string[]>
  body: Uint8Array
}
