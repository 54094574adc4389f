import { choiceTemplate, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const deviceVerify = defineNode({
  type: 'device-verify',
  aliases: ['VerifyDeviceNode'],
  group: 'device',
  title: 'Device: Verify',
  summary: 'Checks that a device belongs to a user or a group.',
  outputs: ['not-verified', 'verified'],
  needs: ['tenancy'],
  config: {
    // Blank ids are no mistake of the author: they are what a request without an id gives, and are never verified.
    device: template({ key: 'deviceIdTemplate', label: 'Device id', help: 'One that does not exist is not verified.' }),
    subject: template({
      key: 'idTemplate',
      label: 'User id or e-mail, or group id',
      help: 'Who is asked about; "Kind" says which of them it is.',
      default: '{{experience.user.id}}',
    }),
    kind: choiceTemplate({
      key: 'idTypeTemplate',
      label: 'Kind',
      help: 'A user sees the devices of their groups and of those below; a group has its own and those of the groups below.',
      of: ['experienceUser', 'experienceGroup'],
    }),
  },
  examples: [
    {
      title: 'May the user see the device that the request names?',
      config: { deviceIdTemplate: '{{data.query.deviceId}}', idTemplate: '{{experience.user.id}}' },
      payload: {
        data: { query: { deviceId: '6521f7b20c1d4e8a9b3c5d71' } },
        experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } },
      },
    },
  ],
  async run({ config, use }) {
    const { device, subject, kind } = config
    const verified = await use.tenancy.verify({ device: device.trim(), subject: subject.trim(), kind })
    return verified ? 'verified' : 'not-verified'
  },
})
