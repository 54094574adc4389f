import { flag, path, text } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const loopCap = defineNode({
  type: 'loop-cap',
  aliases: ['LoopCapNode'],
  group: 'logic',
  title: 'Loop: End of Turn',
  summary: 'Ends a turn of a loop: keeps its payload, gives a value to the mapped list, or stops the loop.',
  outputs: [],
  endsTurnOf: 'loop',
  needs: [],
  config: {
    loop: text({ key: 'loopNodeId', label: 'Loop', help: 'Id of the loop whose turn ends here.', required: true }),
    shouldBreak: flag({ key: 'shouldBreak', label: 'Stop the loop', help: 'No turn follows.' }),
    mapped: path({
      key: 'mapValuePath',
      label: 'Mapped value',
      help: 'What this turn adds to the mapped list; blank: what the loop says.',
    }),
  },
  examples: [{ title: 'Next turn', config: { loopNodeId: 'loop1' }, payload: { working: {} } }],
  run(context) {
    const { loop, mapped, shouldBreak } = context.config
    context.endTurn(loop, { mapped: mapped.given ? { value: mapped.read() } : undefined, last: shouldBreak })
  },
})
