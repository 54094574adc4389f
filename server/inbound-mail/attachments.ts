import type { JobDefinition, Jobs } from '../jobs/port.ts'
import { openFiles } from '../resources/files.ts'
import type { Actor } from '../resources/happenings.ts'
import { anyone } from '../resources/happenings.ts'
import { newId } from '../store/id.ts'
import type { AppStore } from '../store/port.ts'
import type { ReadAttachment } from './read-mail.ts'

/** An attachment, as flows get it. */
export interface AttachmentView {
  filename: string
  contentType: string
  /** On the hosts of the application, until the file is removed. */
  url: string
  size: number
}

const cleanupKind = 'inbound-mail-cleanup'
const by: Actor = anyone
/** Files stay a little longer than the links to them. */
const graceMs = 60_000
const defaultTtlSeconds = 86_400

/**
 * Keeps attachments as private files for as long as the application's links to blobs live (`blobUrlTTL`, default a day). What
 * removes them is queued first: nothing of a mail that is not taken in the end stays for longer.
 */
export async function keepAttachments(
  attachments: readonly ReadAttachment[],
  { app, jobs, now }: { app: AppStore; jobs: Jobs; now(): number },
): Promise<AttachmentView[]> {
  if (attachments.length === 0) return []
  const application = await app.collection('application').get(app.scope.application)
  const ttlSeconds = application?.blobUrlTTL ?? defaultTtlSeconds
  const directory = `/inbound-mail/${newId()}`
  await jobs.add({ kind: cleanupKind, input: { directory }, dueAt: now() + ttlSeconds * 1_000 + graceMs })
  const files = openFiles({ app, now, actor: by })
  const views: AttachmentView[] = []
  for (const [index, { filename, contentType, bytes }] of attachments.entries()) {
    const url = await files.writeReport(`${directory}/${index + 1}-${nameOf(filename)}`, bytes, ttlSeconds)
    views.push({ filename: filename.slice(0, 255), contentType: contentType.slice(0, 255), url, size: bytes.length })
  }
  return views
}

/** The job that removes the attachments of one mail. */
export function attachmentCleanupJob({ now }: { now(): number }): JobDefinition {
  return {
    kind: cleanupKind,
    async run({ app, input }) {
      const { directory } = input as { directory: string }
      const files = openFiles({ app, now, actor: by })
      const filter = {
        all: [
          { field: 'private', op: 'eq', value: true },
          { field: 'path', op: 'startsWith', value: `${directory}/` },
        ],
      } as const
      for await (const { path } of app.collection('files').each(filter)) await files.remove({ path, private: true })
      return undefined
    },
  }
}

// Of a stranger: nothing of it may matter to a path, a header or a shell.
function nameOf(filename: string): string {
  return (
    filename
      .normalize('NFKC')
      .replace(/[^\w.-]+/g, '_')
      .replace(/^\.+/, '_')
      .slice(-100) || 'attachment'
  )
}
