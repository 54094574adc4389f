import { text } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

/** Its payload, JSON text of an object, stands in `meta.payload`. */
export const virtualButton = defineTrigger({
  type: 'virtual-button',
  aliases: ['virtualButton'],
  title: 'Virtual Button',
  summary: 'Starts a run by hand or from another flow.',
  classes: ['cloud', 'experience', 'customNode', 'edge', 'embedded'],
  ownKey: true,
  config: {
    payload: text({
      key: 'payload',
      from: 'meta',
      label: 'Payload',
      help: 'JSON of an object.',
      check: (payload) =>
        payload.trim() === '' || isObject(payload) ? undefined : { code: 'template.not-json', message: EXPECTED },
    }),
  },
})

const EXPECTED = 'Expected the payload of a virtual button to be JSON text of an object'

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value)
  } catch {
    // Not JSON is the answer that was asked for.
    return false
  }
}
