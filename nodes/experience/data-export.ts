import { choiceTemplate, flag, path, template, values } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { attributeNames } from '../device/attribute-names.ts'
import { timeOf } from '../device/state-reports.ts'
import { orError } from '../refusal.ts'

export const dataExport = defineNode({
  type: 'data-export',
  aliases: [],
  group: 'experience',
  title: 'Data: Export',
  summary: 'Starts to write an archive of the devices that a user or a group sees, with their history.',
  outputs: ['next'],
  needs: ['jobs', 'clock'],
  config: {
    kind: choiceTemplate({
      key: 'idTypeTemplate',
      label: 'Devices of',
      help: 'A user: the devices that they see. A group: its own and those of the groups below.',
      of: ['experienceUser', 'experienceGroup'],
    }),
    subject: template({
      key: 'idTemplate',
      label: 'User id or e-mail, or group id',
      help: 'Whose devices are exported; the user who asks when empty.',
      default: '{{experience.user.id}}',
    }),
    requestedBy: template({
      key: 'requestedByTemplate',
      label: 'For user',
      default: '{{experience.user.id}}',
      help: 'Only this user can watch and download the archive.',
    }),
    baseUrl: template({
      key: 'baseUrlTemplate',
      label: 'Address of the experience',
      default: '{{data.headers.x-forwarded-proto}}://{{data.headers.host}}',
      help: 'Where the link in the mail leads.',
    }),
    start: template({ key: 'startTemplate', label: 'Start', help: 'Empty: the beginning.' }),
    end: template({ key: 'endTemplate', label: 'End', help: 'Empty: now.' }),
    attributes: values({ key: 'attributes', label: 'Attributes', help: 'None: all.' }),
    mail: flag({
      key: 'mail',
      label: 'Mail when it is ready',
      help: 'To the user whom the export is for.',
      default: true,
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
      title: 'What the user sees',
      config: { resultPath: 'working.job' },
      payload: {
        data: { headers: { 'x-forwarded-proto': 'https', host: 'shop.example.com' } },
        experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } },
      },
    },
    {
      title: 'A group of the last week, without a mail',
      config: {
        ...{ idTypeTemplate: 'experienceGroup', idTemplate: '{{data.body.group}}', startTemplate: '-604800000' },
        ...{ mail: false, resultPath: 'working.job' },
      },
      payload: {
        data: {
          headers: { 'x-forwarded-proto': 'https', host: 'shop.example.com' },
          body: { group: '6521f7b20c1d4e8a9b3c5d72' },
        },
        experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } },
      },
    },
  ],
  async run({ config, use }) {
    const { kind, mail } = config
    const now = use.clock.now()
    const attributes = attributeNames(config.attributes)
    const started = use.jobs.exportData({
      ...{ subject: { kind, id: config.subject.trim() }, requestedBy: config.requestedBy.trim(), mail },
      baseUrl: config.baseUrl.trim(),
      ...(config.start.trim() === '' ? {} : { start: timeOf(config.start, now) }),
      ...(config.end.trim() === '' ? {} : { end: timeOf(config.end, now) }),
      ...(attributes.length === 0 ? {} : { attributes }),
    })
    config.result.write(await orError(started))
  },
})
