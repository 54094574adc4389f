import { FlowError } from '../../engine/errors.ts'
import { numberTemplate } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

const MOST_SECONDS = 59

export const delay = defineNode({
  type: 'delay',
  aliases: ['DelayNode'],
  group: 'logic',
  title: 'Delay',
  summary: 'Waits a number of seconds before the branch goes on.',
  outputs: ['next'],
  needs: ['clock'],
  config: {
    seconds: numberTemplate({ key: 'delay', label: 'Seconds', help: 'From 0 to 59.' }),
    olderSeconds: numberTemplate({
      key: 'durationTemplate',
      label: 'Seconds (older name)',
      help: 'Read where "Seconds" is empty.',
    }),
  },
  examples: [
    {
      title: 'A tenth of a second',
      config: { delay: '0.1' },
      payload: { data: 1 },
      output: 'next',
      result: { data: 1 },
    },
  ],
  async run({ config, use, signal }) {
    const seconds = config.seconds ?? config.olderSeconds
    if (seconds === undefined || !(seconds >= 0 && seconds <= MOST_SECONDS)) {
      throw new FlowError(
        'delay.range',
        `Expected a delay of 0 to ${MOST_SECONDS} seconds, got ${seconds ?? 'nothing'}. Check the setting "Seconds".`,
      )
    }
    await use.clock.sleep(seconds * 1000, signal)
  },
})
