import { randomUUID } from 'node:crypto'
import type { Jobs } from '../../nodes/services/jobs.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { type DeviceImportInput, importKind } from '../jobs/device-import.ts'
import { csvRows, mostCsvBytes, mostRows, readColumns } from '../jobs/device-import-csv.ts'
import type { UserDocument } from '../store/documents/people.ts'
import type { AppStore, Filter } from '../store/port.ts'
import { isObject, keyText, refused, tagList } from './check.ts'
import { type JobServiceDeps, requesterOf, toJobView } from './jobs.ts'

type Request = Parameters<Jobs['importDevices']>[0]

/** How many imports a user may begin within an hour. */
const mostAnHour = 20
const hourMs = 60 * 60 * 1000

/** Imports that flows ask for: all that can be told before is checked before anything is kept. */
export function openImports({ app, now, tenancy, jobs }: JobServiceDeps): Pick<Jobs, 'importDevices'> {
  const collection = app.collection('jobs')
  const ofKind: Filter = { field: 'kind', op: 'eq', value: importKind }

  async function checkRate(user: UserDocument): Promise<void> {
    const recent: Filter = { field: 'creationDate', op: 'gte', value: now() - hourMs }
    const own: Filter = { field: 'requestedBy.id', op: 'eq', value: user.id }
    if ((await collection.count({ all: [own, ofKind, recent] })) < mostAnHour) return
    throw new Refusal('RateLimit', `Expected at most ${mostAnHour} imports of a user in an hour; try again later`)
  }

  /** An import that failed or was canceled can be done again for an hour: then its text goes. */
  async function forgetOld(): Promise<void> {
    const ended: Filter = { field: 'endedAt', op: 'lt', value: now() - hourMs }
    const sort = { field: 'endedAt', direction: 'desc' } as const
    const given: Filter = { field: 'status', op: 'in', value: ['failed', 'canceled'] }
    const old = await collection.find({ filter: { all: [ofKind, given, ended] }, sort, limit: 100 })
    for (const job of old) await app.blobs.remove((job.input as DeviceImportInput).csv)
  }

  return {
    async importDevices(request) {
      const user = await tenancy.user(request.requestedBy)
      if (user === undefined) throw new Refusal('NotFound', 'Expected the id or e-mail address of a user who asks')
      const { bytes, ...rest } = await check(request, app)
      await checkRate(user)
      await forgetOld()
      const input: DeviceImportInput = { csv: `${importKind}/${randomUUID()}`, ...rest }
      await app.blobs.put(input.csv, bytes)
      return toJobView(await jobs.add({ kind: importKind, input, requestedBy: requesterOf(user) }))
    },
  }
}

/** Throws Refusal for what cannot be imported. */
async function check(request: Request, app: AppStore): Promise<Omit<DeviceImportInput, 'csv'> & { bytes: Buffer }> {
  // Characters first: a text that is far too long is not even measured.
  const bytes = request.csv.length > mostCsvBytes ? undefined : Buffer.from(request.csv)
  if (bytes === undefined || bytes.length > mostCsvBytes) {
    throw new Refusal('Validation', `Expected CSV of at most ${mostCsvBytes} bytes; import it in parts`)
  }
  const tags = tagList(request.tags, 'tags')
  const matchTag = request.matchTag?.trim() ? keyText(request.matchTag.trim(), 'matchTag') : undefined
  const recipeId = request.recipeId?.trim().toLowerCase() || undefined
  if (recipeId !== undefined) await checkRecipe(app, recipeId)
  let rows = -1
  for await (const { cells } of csvRows(bytes)) {
    rows += 1
    const fixed = tags.map(({ key }) => key)
    if (rows === 0) readColumns(cells, { nameless: recipeId !== undefined, matchTag, fixed })
    if (rows <= mostRows) continue
    throw new Refusal('Validation', `Expected at most ${mostRows} rows of CSV; import it in parts`)
  }
  if (rows < 1)
    throw new Refusal('Validation', `Expected CSV with a header and a row, got ${rows < 0 ? 'nothing' : 'no row'}`)
  return { bytes, rows, tags, ...(matchTag ? { matchTag } : {}), ...(recipeId ? { recipeId } : {}) }
}

async function checkRecipe(app: AppStore, id: string): Promise<void> {
  const recipe = await app.collection('recipes').get(id)
  if (recipe === undefined) throw refused('recipeId', 'the id of a recipe', id)
  // Where devices stand is looked up here, once, and not for each row.
  for (const key of ['parentId', 'gatewayId']) {
    const place = isObject(recipe.template) ? recipe.template[key] : undefined
    if (typeof place !== 'string' || place === '') continue
    const device = await app.collection('devices').get(place.toLowerCase())
    const classes = key === 'parentId' ? ['system'] : ['gateway', 'edgeCompute']
    if (device === undefined || !classes.includes(device.deviceClass)) {
      throw refused(`${key} of the recipe`, `the id of a device of class ${classes.join(' or ')}`, place)
    }
  }
}
