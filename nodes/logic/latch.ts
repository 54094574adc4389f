import { expression, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const latch = defineNode({
  type: 'latch',
  aliases: ['LatchNode'],
  group: 'logic',
  title: 'Latch',
  summary: 'Takes one way once when something begins, and not again until a second expression has reset it.',
  outputs: ['not-latched', 'latched'],
  needs: ['values'],
  config: {
    latches: expression({
      key: 'latchExpression',
      label: 'Latches when',
      help: 'True while nothing is latched: the latch closes, and the output is "latched".',
      required: true,
    }),
    resets: expression({
      key: 'resetExpression',
      label: 'Resets when',
      help: 'True while it is latched: the latch opens again.',
      required: true,
    }),
    id: template({ key: 'latchIdTemplate', label: 'Id', help: 'One latch for each, such as {{device.id}}.' }),
    latchResult: path({
      key: 'latchResultPath',
      label: 'Result of the first expression',
      help: 'Whether the first expression is true.',
      writes: true,
    }),
    resetResult: path({
      key: 'resetResultPath',
      label: 'Result of the second expression',
      help: 'Whether the second expression is true.',
      writes: true,
    }),
    wasLatched: path({
      key: 'wasLatchedPath',
      label: 'Latched before',
      help: 'Whether it was latched before this run.',
      writes: true,
    }),
    isLatched: path({
      key: 'isLatchedPath',
      label: 'Latched now',
      help: 'Whether it is latched from now on.',
      writes: true,
    }),
    branch: path({ key: 'branchPath', label: 'Result', help: 'Whether it has latched just now.', writes: true }),
  },
  examples: [
    {
      title: 'Too hot for the first time',
      config: {
        latchExpression: '{{data.celsius}} > 80',
        resetExpression: '{{data.celsius}} < 70',
        latchIdTemplate: '{{device.id}}',
        isLatchedPath: 'working.hot',
      },
      payload: { data: { celsius: 81 }, device: { id: 'd1' } },
      output: 'latched',
      result: { data: { celsius: 81 }, device: { id: 'd1' }, working: { hot: true } },
    },
  ],
  async run({ config, use, node }) {
    const latches = Boolean(config.latches)
    const resets = Boolean(config.resets)
    const was = await use.values.transition(`latch:${node.id}:${config.id}`, (before) => {
      const stays = before === true ? !resets : latches
      // What is not latched is forgotten: ids that come once leave nothing behind.
      return { after: stays || undefined, result: before === true }
    })
    const is = was ? !resets : latches
    const newly = !was && is
    config.latchResult.write(latches)
    config.resetResult.write(resets)
    config.wasLatched.write(was)
    config.isLatched.write(is)
    config.branch.write(newly)
    return newly ? 'latched' : 'not-latched'
  },
})
