import { bodyTemplate, byType, path, read, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { Refusal } from '../services/listing.ts'
import { tagPairs, toTags } from '../tag-pairs.ts'

export const deviceImport = defineNode({
  type: 'device-import',
  aliases: [],
  group: 'experience',
  title: 'Device: Import',
  summary: 'Starts to make and update devices from the rows of a CSV text or file.',
  outputs: ['next'],
  needs: ['jobs'],
  config: {
    csv: byType({
      key: 'csvTemplate',
      label: 'CSV',
      typeKey: 'csvTemplateType',
      default: 'path',
      kinds: { path: read(), string: bodyTemplate() },
      help: 'Text, or a file of a form: columns name, description, deviceClass; all others are tags.',
    }),
    tags: tagPairs('deviceTags', { label: 'Tags of each device' }),
    matchTag: template({
      key: 'matchTagTemplate',
      label: 'Update by tag',
      help: 'A row updates the device with its value of this tag, if the user sees that one. Empty: each row is a new device.',
    }),
    recipe: template({
      key: 'recipeIdTemplate',
      label: 'Recipe of new devices',
      help: 'New devices begin as it says. Empty: none.',
    }),
    requestedBy: template({
      key: 'requestedByTemplate',
      label: 'For user',
      help: 'Only this user can watch the job; the user who asks when empty.',
      default: '{{experience.user.id}}',
    }),
    result: path({
      key: 'resultPath',
      label: 'Job',
      help: 'The job, or { error: { type, message } }.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A file of a form, into the group of the page',
      config: {
        ...{ csvTemplate: 'data.body.file', matchTagTemplate: 'serial', resultPath: 'working.job' },
        deviceTags: [{ keyTemplate: 'group', valueTemplate: '{{working.group.id}}' }],
      },
      payload: {
        data: {
          body: { file: { filename: 'pumps.csv', contentType: 'text/csv', data: 'bmFtZSxzZXJpYWwKUHVtcCxTMQo=' } },
        },
        experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } },
        working: { group: { id: '6521f7b20c1d4e8a9b3c5d72' } },
      },
    },
  ],
  async run({ config, use }) {
    const matchTag = config.matchTag.trim()
    const recipeId = config.recipe.trim()
    const start = () =>
      use.jobs.importDevices({
        ...{ csv: csvOf(config.csv), requestedBy: config.requestedBy.trim(), tags: toTags(config.tags) },
        ...(matchTag === '' ? {} : { matchTag }),
        ...(recipeId === '' ? {} : { recipeId }),
      })
    config.result.write(await orError(start))
  },
})

const MOST_FILE_CHARS = 16 << 20

/** Text as it stands, or the content of a file part `{ data }` (base64, UTF-8). */
function csvOf(source: unknown): string {
  if (typeof source === 'string') return source
  const data = source !== null && typeof source === 'object' && 'data' in source ? source.data : undefined
  if (typeof data !== 'string') {
    const got = source === undefined ? 'nothing' : Array.isArray(source) ? 'a list' : typeof source
    throw new Refusal('Validation', `Expected CSV text or a file of a form, got ${got}. Check the path.`)
  }
  if (data.length > MOST_FILE_CHARS) throw new Refusal('Validation', 'Expected a CSV file of at most 10 MB')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(data, 'base64'))
  } catch (cause) {
    throw new Refusal('Validation', 'Expected a CSV file in UTF-8; save it again as "CSV UTF-8"', { cause })
  }
}
