import { FlowError } from '../../engine/errors.ts'
import { choice, path, read } from '../../engine/fields.ts'
import { parseJsonText } from '../../engine/json-text.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'

export const jsonDecode = defineNode({
  type: 'json-decode',
  aliases: ['JsonDecodeNode'],
  group: 'logic',
  title: 'JSON: Decode',
  summary: 'Reads JSON text into a value.',
  outputs: ['next'],
  needs: [],
  config: {
    source: read({
      key: 'source',
      label: 'Text',
      help: 'Where the JSON text is found. What is no text counts as decoded.',
      required: true,
    }),
    destination: path({
      key: 'destination',
      label: 'Value',
      help: 'Where the value is put; left alone when it fails.',
      required: true,
      writes: true,
    }),
    onError: choice({
      key: 'errorBehavior',
      label: 'When it fails',
      help: 'throw: the run fails.',
      of: ['throw', 'payloadPath'],
    }),
    errorPlace: path({
      key: 'errorPath',
      label: 'Error',
      help: 'With "payloadPath": where { name, message } is put.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'An object',
      config: { source: 'data.body', destination: 'working.order' },
      payload: { data: { body: '{"id":7}' } },
      output: 'next',
      result: { data: { body: '{"id":7}' }, working: { order: { id: 7 } } },
    },
    {
      title: 'Keep the failure',
      config: { source: 'data', destination: 'data', errorBehavior: 'payloadPath', errorPath: 'working.error' },
      payload: { data: '' },
      output: 'next',
      result: {
        data: '',
        working: { error: { name: 'JsonError', message: 'Expected JSON text, got "" (Unexpected end of JSON input)' } },
      },
    },
  ],
  run({ config }) {
    try {
      config.destination.write(decode(config.source))
    } catch (error) {
      if (config.onError === 'throw' || !(error instanceof FlowError)) throw error
      // The destination is left alone.
      config.errorPlace.write({ name: error.name, message: error.message })
    }
  },
})

// What is no text was decoded before. Copied in either case: the copy also refuses what is nested too deep.
function decode(source: unknown): unknown {
  if (source === undefined) throw failure('nothing', undefined)
  if (typeof source !== 'string') return copyBounded(source)
  try {
    return copyBounded(parseJsonText(source))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw failure(`${JSON.stringify(source.slice(0, 50))} (${error.message})`, error)
  }
}

function failure(got: string, cause: unknown): FlowError {
  return new FlowError('json.source', `Expected JSON text, got ${got}`, { name: 'JsonError', cause })
}
