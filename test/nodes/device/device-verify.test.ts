import { expect, test } from 'vitest'
import { deviceVerify } from '../../../nodes/device/device-verify.ts'
import { groupVerify } from '../../../nodes/experience/group-verify.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const payload = { experience: { user: { id: 'u1' } }, data: { query: { deviceId: 'd1' } } }

test.each([
  [true, 'verified'],
  [false, 'not-verified'],
])('asks whether the device belongs to the user who asks: %s', async (answer, output) => {
  const verify = noting<unknown[], boolean>(answer)
  const config = { deviceIdTemplate: '{{data.query.deviceId}}' }
  const outcome = await runNode(deviceVerify, { config, payload, use: { tenancy: { verify: verify.method } } })
  expect(verify.calls).toEqual([[{ device: 'd1', subject: 'u1', kind: 'experienceUser' }]])
  expect(outcome).toMatchObject({ output, payload })
})

test('asks for a group, and passes on blank ids instead of failing', async () => {
  const verify = noting<unknown[], boolean>(false)
  const config = { deviceIdTemplate: '{{none}}', idTemplate: 'g1', idTypeTemplate: 'experienceGroup' }
  const outcome = await runNode(deviceVerify, { config, use: { tenancy: { verify: verify.method } } })
  expect(verify.calls).toEqual([[{ device: '', subject: 'g1', kind: 'experienceGroup' }]])
  expect(outcome.output).toBe('not-verified')
})

test.each([
  [true, 'member'],
  [false, 'not-member'],
])('asks whether the user is a member of a group: %s', async (answer, output) => {
  const verifyGroup = noting<unknown[], boolean>(answer)
  const use = { tenancy: { verifyGroup: verifyGroup.method } }
  const outcome = await runNode(groupVerify, { config: { groupIdTemplate: 'g1' }, payload, use })
  expect(verifyGroup.calls).toEqual([[{ user: 'u1', group: 'g1' }]])
  expect(outcome.output).toBe(output)
})
