import type { AppStore, WriteOperation } from '../store/port.ts'
import { type CallbackBody, type CallbackInput, callbackKind } from './export-callback.ts'
import type { MailJobInput } from './mail-job.ts'
import type { Jobs } from './port.ts'
import type { ResourceExportInput, ResourceExportOutput } from './resource-export-document.ts'

interface Told {
  app: AppStore
  jobs: Jobs
  jobId: string
  input: ResourceExportInput
}

/** What asks for the mail and the callback of an export that is written; to be written with the end of its job: one of each. */
export function deliveries({ app, jobs, jobId, input }: Told, output: ResourceExportOutput): WriteOperation[] {
  const { downloadUrl } = output
  const mail: MailJobInput | undefined = input.email === undefined ? undefined : mailOf(input.email, output)
  return [
    ...(mail === undefined ? [] : [jobs.insertion({ kind: 'mail', key: `mail:${jobId}`, input: mail })]),
    ...callback({ app, jobs, input }, `callback:${jobId}`, { success: true, downloadUrl }),
  ]
}

/** What tells of an export that failed for good. A person may have it tried again: each failure is told by itself. */
export function failures(told: Omit<Told, 'jobId'>, error: { name: string; message: string }): WriteOperation[] {
  return callback(told, undefined, { success: false, error })
}

type Result = CallbackBody extends infer B ? (B extends unknown ? Omit<B, 'jobId' | 'applicationId'> : never) : never

function callback({ app, jobs, input }: Omit<Told, 'jobId'>, key: string | undefined, result: Result) {
  if (input.callbackUrl === undefined) return []
  const whose = { jobId: input.publicId, applicationId: app.scope.application }
  const given: CallbackInput = { url: input.callbackUrl, body: { ...result, ...whose } as CallbackBody }
  return [jobs.insertion({ kind: callbackKind, input: given, ...(key === undefined ? {} : { key }) })]
}

function mailOf(to: string, { downloadUrl, fileName, expiresAt }: ResourceExportOutput): MailJobInput {
  const link = escapeHtml(downloadUrl)
  const until = new Date(expiresAt).toISOString().replace('T', ' ').slice(0, 16)
  const html = [
    `<p>The export ${escapeHtml(fileName)} is ready.</p>`,
    `<p><a href="${link}">Download the file</a></p>`,
    `<p>Whoever has this link can download it, until ${until} UTC.</p>`,
    `<p>If the link does not open, copy this address into your browser:<br>${link}</p>`,
  ]
  return { to: [to], subject: 'Your export is ready', html: html.join('\n') }
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
