import { text } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const note = defineNode({
  type: 'note',
  aliases: ['AnnotationNode'],
  group: 'debug',
  title: 'Note',
  summary: 'Explains a part of the flow to whoever reads it.',
  outputs: [],
  needs: [],
  config: {
    markdown: text({ key: 'annotationText', from: 'meta', label: 'Text', help: 'Markdown.' }),
    olderMarkdown: text({ key: 'text', label: 'Text (older name)', help: 'Where older files have the Markdown.' }),
  },
  examples: [{ title: 'It changes nothing', config: {}, payload: { data: 1 }, result: { data: 1 } }],
  run() {
    // Nothing leads to a note, and it has no effect.
  },
})
