import type { ExportInput, ExportOutput } from './export-document.ts'
import type { MailJobInput } from './mail-job.ts'

/** The mail that says where an archive is. */
export function exportMail(
  to: string,
  { origin, subject }: ExportInput,
  { downloadPath, devices, points, sizeBytes, expiresAt }: ExportOutput,
): MailJobInput {
  const link = escapeHtml(`${origin}${downloadPath}`)
  const until = new Date(expiresAt).toISOString().replace('T', ' ').slice(0, 16)
  const what = subject.kind === 'experienceUser' ? 'your devices' : 'the devices of the group'
  const html = [
    `<p>The export of ${what} is ready: ${amount(devices, 'device')} with ${amount(points, 'report')}, ${sizeOf(sizeBytes)}.</p>`,
    `<p><a href="${link}">Download the archive</a></p>`,
    `<p>You need to be logged in; nobody else can use this link. It works until ${until} UTC.</p>`,
    `<p>If the link does not open, copy this address into your browser:<br>${link}</p>`,
  ]
  return { to: [to], subject: 'Your data export is ready', html: html.join('\n') }
}

function amount(count: number, word: string): string {
  return `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
