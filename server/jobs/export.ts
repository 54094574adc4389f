import type { DeviceDocument } from '../store/documents/devices.ts'
import type { UserDocument } from '../store/documents/people.ts'
import type { AppStore } from '../store/port.ts'
import { openTenancy, type TenancyRule } from '../tenancy/rule.ts'
import type { Archive } from './archive.ts'
import { batches } from './batches.ts'
import { archived, attemptKey } from './export-attempt.ts'
import {
  EXPORTS_PREFIX,
  type ExportInput,
  type ExportOutput,
  exportKind,
  exportLifetimeMs,
  mayHave,
} from './export-document.ts'
import {
  devicesFile,
  type ExportedDevice,
  type ExportFacts,
  historyFile,
  historyPath,
  manifestFile,
  openTagColumns,
} from './export-files.ts'
import { type Lines, openLines } from './export-lines.ts'
import { exportMail } from './export-mail.ts'
import { type JobContext, type JobDefinition, JobFailed, type Jobs } from './port.ts'
import { runResourceExport } from './resource-export.ts'
import { isResourceExport } from './resource-export-document.ts'

export interface ExportDeps {
  now(): number
  jobsOf(app: AppStore): Jobs
}

/** Devices whose attributes are looked up in one go. */
const batchSize = 100

/**
 * The job that writes an archive of devices and their history. In it is each device that `list` gives for the subject when
 * its page of devices is read, and that the subject still sees when its history is read; it stands once, and `devices.csv`, the history and
 * the manifest agree on it. Each attempt writes a blob of its own; the one that ends the job is the archive, and the same
 * write asks for the mail: one of each, however many workers died. Exports that the published API asks for are jobs of this kind, too.
 */
export function exportJob(deps: ExportDeps): JobDefinition {
  return {
    kind: exportKind,
    async run(context) {
      if (isResourceExport(context.input)) return await runResourceExport(context, context.input, deps)
      const { app, id } = context
      const input = context.input as ExportInput
      const created = deps.now()
      const asked = await askedFor(context, input)
      const jobs = deps.jobsOf(app)
      const blobKey = await attemptKey(context, jobs, created)
      const lines = openLines<ExportedDevice>(app.blobs, `${blobKey}.lines`)
      try {
        const [blob, counts] = await archived(context, { blobKey, created }, (archive) => {
          return fill({ context, input, archive, lines, facts: { ...asked.facts, created } })
        })
        const user = (await askedFor(context, input)).user
        const expiresAt = deps.now() + exportLifetimeMs
        const output: ExportOutput = {
          ...{ blobKey, ...blob, ...counts, expiresAt },
          ...{ fileName: fileNameOf(asked.facts, created), downloadPath: `${EXPORTS_PREFIX}${id}` },
        }
        const mail = { kind: 'mail', key: `mail:${id}`, input: exportMail(user.email, input, output) }
        return { output, operations: input.mail ? [jobs.insertion(mail)] : [] }
      } catch (error) {
        await app.blobs.remove(blobKey).catch(() => undefined) // The clean-up comes later.
        throw error
      } finally {
        await lines.remove().catch(() => undefined) // Likewise.
      }
    },
  }
}

/** Who asked, and for what. Throws JobFailed when he may not, or no longer, have it. */
async function askedFor({ app, requestedBy }: JobContext, input: ExportInput) {
  const tenancy = openTenancy(app)
  const { subject } = input
  const user = await tenancy.user(requestedBy.id)
  if (user === undefined || !(await mayHave(tenancy, user.id, subject))) {
    throw new JobFailed('export.forbidden', 'Expected a user who may see these devices; he may not, or no longer')
  }
  const name =
    subject.kind === 'experienceUser' ? nameOf(user) : ((await app.collection('groups').get(subject.id))?.name ?? '')
  const facts = { application: app.scope.application, subject: { ...subject, name }, requestedBy: user.id }
  return { user, facts: { ...facts, range: input } }
}

function nameOf({ firstName, lastName, email }: UserDocument): string {
  return [firstName, lastName].filter(Boolean).join(' ') || email
}

interface Filling {
  context: JobContext
  input: ExportInput
  archive: Archive
  lines: Lines<ExportedDevice>
  facts: Omit<ExportFacts, 'devices' | 'points'>
}

/** Writes everything into the archive, history first: only then is it known which columns and counts there are. */
async function fill({ context, input, archive, lines, facts }: Filling): Promise<{ devices: number; points: number }> {
  const counts = { devices: 0, points: 0 }
  const columns = openTagColumns()
  for await (const device of exportedDevices(context, input, archive)) {
    columns.meet(device.tags)
    counts.devices += 1
    counts.points += device.points
    await lines.add(device)
  }
  await lines.end()
  await context.progress({ completed: counts.devices, total: counts.devices, status: 'Writing the list of devices' })
  const list = await archive.add('devices.csv', devicesFile(lines.read(), columns.sorted()))
  const files = async function* () {
    yield { path: 'devices.csv', ...list }
    for await (const { id, points, file } of lines.read()) {
      if (file) yield { deviceId: id, points, ...file }
    }
  }
  await archive.add('manifest.json', manifestFile({ ...facts, ...counts }, files()))
  await archive.end()
  return counts
}

/** Each device, once its history is in the archive. */
async function* exportedDevices(
  context: JobContext,
  input: ExportInput,
  archive: Archive,
): AsyncGenerator<ExportedDevice> {
  const { app, signal } = context
  const tenancy = openTenancy(app)
  const filter = await worldOf(tenancy, input)
  const devices = app.collection('devices')
  const expected = await devices.count(filter)
  let completed = 0
  for await (const batch of batches(devices.each(filter), batchSize)) {
    const last = await app.telemetry.last(
      batch.map(({ id }) => id),
      input.attributes,
    )
    for (const device of batch) {
      signal.throwIfAborted()
      const total = Math.max(expected, completed + 1)
      const status = (points: number) => `Device ${completed + 1} of ${total}${points > 0 ? `, report ${points}` : ''}`
      const tell = (points: number) => context.progress({ completed, total, status: status(points) })
      await tell(0)
      if (!(await isSeen(tenancy, device, input))) continue
      const stored = last.get(device.id) ?? {}
      const names = device.attributes.map(({ name }) => name).filter((name) => Object.hasOwn(stored, name))
      // Attributes that the device no longer has may still have history.
      const others = Object.keys(stored).filter((name) => !names.includes(name))
      yield await exportOne({ app, archive, device, columns: [...names, ...others.sort()], input, tell })
      completed += 1
    }
  }
}

async function exportOne(given: {
  app: AppStore
  archive: Archive
  device: DeviceDocument
  columns: readonly string[]
  input: ExportInput
  tell(points: number): Promise<void>
}): Promise<ExportedDevice> {
  const { device, columns, input } = given
  const { id, name, deviceClass, description, tags } = device
  let points = 0
  const onPoints = async (count: number) => {
    points = count
    await given.tell(count)
  }
  const path = historyPath(device)
  const range = { deviceId: id, columns, start: input.start, end: input.end }
  const file = columns.length === 0 ? undefined : await given.archive.add(path, historyFile(given.app, range, onPoints))
  return { id, name, deviceClass, description, tags, points, ...(file ? { file: { path, ...file } } : {}) }
}

async function worldOf(tenancy: TenancyRule, { subject }: ExportInput) {
  return subject.kind === 'experienceUser'
    ? await tenancy.devicesOfUser(subject.id)
    : tenancy.devicesOfGroup(subject.id)
}

// Hours may lie between the page that a device was on and its turn.
async function isSeen(tenancy: TenancyRule, device: DeviceDocument, { subject }: ExportInput): Promise<boolean> {
  return await tenancy.verify({ device: device.id, subject: subject.id, kind: subject.kind })
}

/** Plain letters: it stands in a header and on any disk. */
function fileNameOf({ subject }: Pick<ExportFacts, 'subject'>, created: number): string {
  const words = subject.name.normalize('NFKD').replace(/[^A-Za-z0-9]+/g, '-')
  const name = words
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
    .toLowerCase()
  return `${name || 'data'}-export-${new Date(created).toISOString().slice(0, 10)}.zip`
}
