import { expect, test } from 'vitest'
import { email } from '../../../nodes/output/email.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const config = {
  toAddresses: ['{{to}}', 'b@example.com'],
  subjectTemplate: 'Hi',
  bodyTemplate: '<b>{{name}}</b>',
  resultPath: 'out',
}

test('sends to every address that the templates give', async () => {
  const send = noting<unknown[], void>(undefined as undefined)
  const payload = { to: ['a@example.com', 'c@example.com'], name: '<x>' }
  const outcome = await runNode(email, { config, payload, use: { mail: { send: send.method } } })
  const to = ['a@example.com', 'c@example.com', 'b@example.com']
  expect(send.calls).toEqual([[{ to, subject: 'Hi', html: '<b>&lt;x&gt;</b>' }]])
  expect(outcome.payload.out).toEqual({ success: true })
})

test('a refused mail is put at the result path', async () => {
  const send = noting<unknown[], void>(new Refusal('RateLimit', 'Too many'))
  const { payload } = await runNode(email, { config, use: { mail: { send: send.method } } })
  expect(payload.out).toEqual({ error: { type: 'RateLimit', message: 'Too many' } })
})

test('a mail that is to be sent only once says for what', async () => {
  const send = noting<unknown[], void>(undefined as undefined)
  const once = { ...config, onceTemplate: ' {{id}} {{name}} ' }
  await runNode(email, {
    config: once,
    payload: { to: 'a@example.com', id: 7, name: 'x' },
    use: { mail: { send: send.method } },
  })
  await runNode(email, {
    config: { ...once, onceTemplate: ' ' },
    payload: { to: 'a@example.com' },
    use: { mail: { send: send.method } },
  })
  expect(send.calls.map(([mail]) => (mail as { key?: string }).key)).toEqual(['7 x', undefined])
})
