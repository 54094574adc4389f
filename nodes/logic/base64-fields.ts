import { FlowError } from '../../engine/errors.ts'
import { type Place, path, template } from '../../engine/fields.ts'

/** The settings of both directions; older files have other keys. */
export const base64Fields = {
  source: path({
    key: 'source',
    label: 'Text',
    help: 'Where the text is found; a number or a flag counts as its text.',
  }),
  olderSource: template({
    key: 'sourceTemplate',
    label: 'Text (older name)',
    help: 'The text itself, in files that name no path.',
  }),
  destination: path({ key: 'destination', label: 'Result', help: 'Where the result is put.', writes: true }),
  olderDestination: path({
    key: 'resultPath',
    label: 'Result (older name)',
    help: 'Where the result is put, in files that have no newer key.',
    writes: true,
  }),
}

interface Base64Settings {
  source: Place
  olderSource: string
  destination: Place
  olderDestination: Place
}

/** The text to work on. Throws `encoding.source` for what is no text. */
export function base64Source({ source, olderSource }: Base64Settings): string {
  const value = source.given ? source.read() : olderSource
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  const got = value === undefined ? 'nothing' : value === null ? 'null' : `a value of type ${typeof value}`
  throw new FlowError('encoding.source', `Expected a text, got ${got}. Check the path "Text".`)
}

/** Where the result goes. */
export function base64Destination({ destination, olderDestination }: Base64Settings): Place {
  return destination.given ? destination : olderDestination
}
