import type { Happening } from '../resources/happenings.ts'
import { again } from '../resources/writing.ts'
import type { RecipeDocument } from '../store/documents/devices.ts'
import type { Tag } from '../store/documents/document.ts'
import type { AppStore } from '../store/port.ts'
import { writeBatch } from './device-import-batch.ts'
import { type CsvRow, csvRows, readColumns } from './device-import-csv.ts'
import type { RowRules } from './device-import-row.ts'
import { type JobContext, type JobDefinition, JobFailed } from './port.ts'

export const importKind = 'device-import'

/** The input of a job of kind `device-import`. */
export interface DeviceImportInput {
  /** Key of the CSV among the blobs. */
  csv: string
  /** Rows below the header. */
  rows: number
  tags: Tag[]
  matchTag?: string
  recipeId?: string
}

/** The output. A row that was written by an earlier start of the job counts as what it was then. */
export interface DeviceImportOutput {
  created: number
  updated: number
  failed: number
  /** The first 100. */
  problems: { row: number; message: string }[]
}

export interface DeviceImportDeps {
  /** Told of each new device; default nobody. */
  happened?(app: AppStore, happening: Happening, by: { type: 'experienceUser'; id: string; depth: 0 }): Promise<void>
}

const batchRows = 500
const mostProblems = 100

/**
 * Makes and updates devices from CSV, in batches. A row makes a device whose id follows from the job and the row, so that an import
 * that is started again makes none twice; it then begins at the first row. Only devices that the user who asked sees are found by
 * their tag. The text is removed when all is written.
 */
export function deviceImportJob({ happened }: DeviceImportDeps = {}): JobDefinition {
  return {
    kind: importKind,
    async run(context) {
      const { app, requestedBy } = context
      const input = context.input as DeviceImportInput
      const csv = await contentOf(app, input.csv)
      if (csv === undefined) return { output: await outputOfEarlier(context) }
      const rules: Omit<RowRules, 'columns'> = { tags: input.tags, recipe: await recipeOf(app, input.recipeId) }
      const output: DeviceImportOutput = { created: 0, updated: 0, failed: 0, problems: [] }
      const fail = (row: number, message: string) => {
        output.failed += 1
        if (output.problems.length < mostProblems) output.problems.push({ row, message })
      }
      let columns: RowRules['columns'] | undefined
      let completed = 0
      const matched = new Set<string>()

      const flush = async (rows: CsvRow[]) => {
        context.signal.throwIfAborted()
        const batch = { context, rows, rules: { ...rules, columns: columns! }, matchTag: input.matchTag, matched }
        const { created, updated, problems, madeIds } = await again(() => writeBatch(batch))
        output.created += created
        output.updated += updated
        for (const { row, message } of problems) fail(row, message)
        completed += rows.length
        await context.progress({ completed, total: input.rows, status: statusOf(output) })
        if (happened === undefined) return
        const by = { type: 'experienceUser' as const, id: requestedBy.id, depth: 0 as const }
        for (const device of await app.collection('devices').getMany(madeIds)) {
          await happened(app, { kind: 'device-create', device }, by)
        }
      }

      let rows: CsvRow[] = []
      for await (const row of csvRows(csv)) {
        if (columns === undefined) {
          const nameless = input.recipeId !== undefined
          columns = readColumns(row.cells, {
            nameless,
            matchTag: input.matchTag,
            fixed: input.tags.map(({ key }) => key),
          })
          continue
        }
        rows.push(row)
        if (rows.length < batchRows) continue
        await flush(rows)
        rows = []
      }
      if (rows.length > 0) await flush(rows)
      // Once this stands there, the text is needed no more.
      await context.write([])
      await app.blobs.remove(input.csv)
      return { output }
    },
  }
}

async function contentOf({ blobs }: AppStore, key: string): Promise<Uint8Array | undefined> {
  const content = await blobs.read(key)
  if (content === undefined) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function recipeOf(app: AppStore, id: string | undefined): Promise<RecipeDocument | undefined> {
  if (id === undefined) return undefined
  const recipe = await app.collection('recipes').get(id)
  if (recipe === undefined) throw new JobFailed('import.recipe', 'The recipe has been removed meanwhile')
  return recipe
}

function statusOf({ created, updated, failed }: DeviceImportOutput): string {
  return `${created} created, ${updated} updated, ${failed} failed`
}

/** What an earlier start has done, which ended after it had removed the text; the messages are lost with it. */
async function outputOfEarlier({ app, id }: JobContext): Promise<DeviceImportOutput> {
  const job = await app.collection('jobs').get(id)
  const { completed, total, status = '' } = job?.progress ?? { completed: 0 }
  const counts = /^(\d+) created, (\d+) updated, (\d+) failed$/.exec(status)
  if (completed !== total || counts === null) {
    throw new JobFailed('import.expired', 'The CSV is not kept any longer. Import it anew')
  }
  return { created: Number(counts[1]), updated: Number(counts[2]), failed: Number(counts[3]), problems: [] }
}
