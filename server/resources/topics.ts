import type { Devices } from '../../nodes/services/devices.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { Mqtt } from '../../nodes/services/messages.ts'
import type { Exchange } from '../mqtt/exchange.ts'
import { readState } from '../mqtt/state.ts'
import { deviceTopicOf, isCustom, isTopic } from '../mqtt/topics.ts'
import type { AppStore } from '../store/port.ts'
import type { Actor } from './happenings.ts'

const mostBytes = 256 * 1024

/** Topics of one application, as `actor` publishes to them. */
export function openTopics({
  app,
  now,
  actor,
  devices,
  exchange,
}: {
  app: AppStore
  now(): number
  actor: Actor
  devices: Pick<Devices, 'report'>
  exchange: Exchange
}): Mqtt {
  return {
    async publish({ topic, message }) {
      const payload = Buffer.from(message)
      if (payload.length > mostBytes) {
        throw new Refusal('Validation', `Expected a message of at most ${mostBytes} bytes, got ${payload.length}`)
      }
      const expected = 'Expected a topic that begins with neither "losant" nor "$" and has no "+" and "#"'
      if (!isTopic(topic)) throw new Refusal('Validation', `${expected}, got "${topic.slice(0, 80)}"`)
      if (isCustom(topic)) return await exchange.publish(app, { topic, payload }, actor)
      const named = deviceTopicOf(topic)
      if (named?.purpose !== 'state') throw new Refusal('Validation', `${expected}, got "${topic.slice(0, 80)}"`)
      const reports = readState(message, { deviceId: named.deviceId, now: now() })
      if (reports === undefined) {
        throw new Refusal(
          'Validation',
          'Expected state as JSON, { "data": { ... } } or a list of these, got something else',
        )
      }
      await devices.report(reports)
    },
  }
}
