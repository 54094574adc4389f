import { FlowError } from '../../engine/errors.ts'
import { numberTemplate, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

const MINUTE_MS = 60_000

export const throttle = defineNode({
  type: 'throttle',
  aliases: ['ThrottleNode'],
  group: 'logic',
  title: 'Throttle',
  summary: 'Lets a flow pass at most so often a minute.',
  outputs: ['throttled', 'passed'],
  needs: ['values', 'clock'],
  config: {
    rate: numberTemplate({
      key: 'ratePerMinute',
      label: 'Times a minute',
      required: true,
      help: '0.1: every 10 minutes.',
    }),
    id: template({ key: 'throttleIdTemplate', label: 'Id', help: 'Counts each apart, such as {{device.id}}.' }),
    timeSince: path({
      key: 'timeSincePath',
      label: 'Milliseconds since the last pass',
      help: 'Written on both outputs; nothing the first time.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The first time passes',
      config: { ratePerMinute: 2, throttleIdTemplate: '{{device.id}}' },
      payload: { device: { id: 'd1' } },
      output: 'passed',
      result: { device: { id: 'd1' } },
    },
  ],
  async run({ config, use, node }) {
    if (config.rate === undefined || !(config.rate > 0)) {
      throw new FlowError('throttle.rate', `Expected "Times a minute" to be above 0, got ${config.rate}`)
    }
    const interval = MINUTE_MS / config.rate
    const now = use.clock.now()
    const { passes, since } = await use.values.transition(`throttle:${node.id}:${config.id}`, (before) => {
      const since = typeof before === 'number' ? now - before : undefined
      // Clocks of two machines differ a little; one that was set back by more lets pass.
      const passes = since === undefined || Math.abs(since) >= interval
      return { after: passes ? now : before, result: { passes, since } }
    })
    if (since !== undefined) config.timeSince.write(since)
    return passes ? 'passed' : 'throttled'
  },
})
