import { byType, json, path, read } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { checkAgainstSchema } from './json-schema.ts'

export const validatePayload = defineNode({
  type: 'validate-payload',
  aliases: ['ValidatePayloadNode'],
  group: 'logic',
  title: 'Validate Payload',
  summary: 'Takes one of two ways by whether a value fits a JSON Schema (draft 4).',
  outputs: ['invalid', 'valid'],
  needs: [],
  config: {
    schema: byType({
      key: 'schema',
      label: 'JSON Schema',
      help: 'The schema as JSON, or the path of one; draft 4, and $ref only within it.',
      typeKey: 'schemaType',
      required: true,
      default: 'json',
      kinds: { json: json({ required: true }), path: read({ required: true }) },
    }),
    value: path({ key: 'toValidatePath', label: 'Value', help: 'Empty: the whole payload.' }),
    errors: path({
      key: 'errorsPath',
      label: 'Errors',
      help: 'A list of what is wrong; empty when it is valid.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A voltage that is no number',
      config: {
        schema: '{"type":"object","properties":{"voltage":{"type":"number"}},"required":["voltage"]}',
        toValidatePath: 'data.body',
        errorsPath: 'working.errors',
      },
      payload: { data: { body: { voltage: 'high' } } },
      output: 'invalid',
      result: {
        data: { body: { voltage: 'high' } },
        working: { errors: [{ field: 'data.voltage', message: 'is the wrong type' }] },
      },
    },
  ],
  run({ config, payload }) {
    const value = config.value.given ? config.value.read() : payload
    const errors = checkAgainstSchema(value, config.schema)
    config.errors.write(errors)
    return errors.length === 0 ? 'valid' : 'invalid'
  },
})
