import { byType, json, list, path, read, template, text } from '../../engine/fields.ts'
import type { Payload } from '../../engine/payload.ts'
import { defineNode } from '../define.ts'
import { Refusal } from '../services/listing.ts'

const MOST_PARAMS = 100

export const losantApi = defineNode({
  type: 'losant-api',
  aliases: ['LosantApiNode'],
  group: 'data',
  title: 'Losant API',
  summary: 'Calls the published API on the resources of this application.',
  outputs: ['next'],
  needs: ['api', 'debug'],
  config: {
    resource: text({ key: 'resource', label: 'Resource', required: true, help: 'Such as devices or experienceUser.' }),
    action: text({ key: 'action', label: 'Action', required: true, help: 'Such as get or patch.' }),
    params: list({
      key: 'params',
      label: 'Parameters',
      help: 'One whose value renders to nothing is left out.',
      most: MOST_PARAMS,
      of: {
        name: text({ key: 'name', label: 'Name', help: 'Of the parameter, such as perPage.' }),
        value: byType({
          key: 'value',
          label: 'Value',
          help: 'A template of text, with json one of JSON, or with path where the value is found.',
          typeKey: 'type',
          default: 'string',
          kinds: { string: template(), json: json(), path: read() },
        }),
      },
    }),
    application: template({
      key: 'applicationIdTemplate',
      label: 'Application',
      help: 'Only this one can be reached.',
    }),
    token: template({
      key: 'apiTokenTemplate',
      label: 'API token',
      help: 'Empty: the call is made by the application.',
    }),
    result: path({
      key: 'responsePath',
      label: 'Response path',
      help: '{ result }, or { error: { type, statusCode, message } }. Empty: it is dropped.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The users of a group',
      config: {
        ...{ resource: 'experienceUsers', action: 'get', responsePath: 'working.users' },
        params: [
          { name: 'experienceGroupId', type: 'string', value: '{{data.query.group}}' },
          { name: 'perPage', type: 'string', value: '1000' },
        ],
      },
      payload: { data: { query: { group: '6521f7b20c1d4e8a9b3c5d72' } } },
    },
  ],
  async run({ config, use, node }) {
    const { resource, action } = config
    const given = config.params.filter(({ name, value }) => name !== '' && value !== undefined && value !== '')
    const params: Payload = Object.fromEntries(given.map(({ name, value }) => [name, value]))
    const request = { resource, action, params, application: config.application.trim() }
    try {
      if (config.token.trim() !== '')
        throw new Refusal('Unauthorized', 'Expected no API token: none can be checked here')
      config.result.write({ result: await use.api.call(request) })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { message } = error
      // The flow goes on, and may have no place for the error: its author finds it here.
      use.debug.write({ node, level: 'warn', message: `${resource}.${action}: ${message}`.slice(0, 1_000) })
      config.result.write({ error: { ...answers[error.type], message } })
    }
  },
})

const answers: Record<Refusal['type'], { type: string; statusCode: number }> = {
  NotFound: { type: 'NotFound', statusCode: 404 },
  Validation: { type: 'Validation', statusCode: 400 },
  AlreadyExists: { type: 'Validation', statusCode: 400 },
  Unauthorized: { type: 'Unauthorized', statusCode: 401 },
  RateLimit: { type: 'RateLimit', statusCode: 429 },
  Unavailable: { type: 'InternalServerError', statusCode: 503 },
}
