import { FlowError } from '../../engine/errors.ts'
import type { HttpClient } from '../../nodes/services/http.ts'
import { type JobDefinition, JobFailed } from './port.ts'

/** The kind of the jobs that tell another server of an export. */
export const callbackKind = 'export-callback'

export interface CallbackInput {
  url: string
  body: CallbackBody
}

/** What is posted: `downloadUrl` of an export that was written, `error` of one that failed for good. */
export type CallbackBody = { jobId: string; applicationId: string } & (
  | { success: true; downloadUrl: string }
  | { success: false; error: { name: string; message: string } }
)

const mostAttempts = 3
const backoffMs = { first: 10_000, most: 120_000 }
const timeoutMs = 30_000

/**
 * Posts what became of an export, through the guard of requests that leave. At least once: 2xx ends it, no answer and 5xx are tried
 * again, three times in all, and any other answer fails it for good.
 */
export function exportCallbackJob({ http }: { http: HttpClient }): JobDefinition {
  return {
    kind: callbackKind,
    mostAttempts,
    backoffMs,
    async run({ input, signal, attempt }) {
      const { url, body } = input as CallbackInput
      const status = await post(http, { url, body, signal }).catch((error: unknown) => {
        if (!(error instanceof FlowError)) throw error
        // An address that is refused stays refused.
        if (error.code === 'http.refused' || error.code === 'http.request' || attempt >= mostAttempts)
          throw failed(error)
        throw error
      })
      if (status >= 200 && status < 300) return { output: { status } }
      const answer = new JobFailed('export.callback', `Expected 2xx as the answer to the callback, got ${status}`)
      if (status < 500 || attempt >= mostAttempts) throw answer
      throw new Error(answer.message)
    },
  }
}

async function post(http: HttpClient, { url, body, signal }: CallbackInput & { signal: AbortSignal }): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  const request = { method: 'POST', url, headers, body: JSON.stringify(body), timeoutMs, signal }
  return (await http.send({ ...request, followRedirects: false, verifyTls: true })).status
}

function failed(cause: FlowError): JobFailed {
  return new JobFailed('export.callback', `The callback could not be sent: ${cause.message}`, { cause })
}
