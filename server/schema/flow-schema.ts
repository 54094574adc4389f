import { flowClasses } from '../../engine/document.ts'
import type { Field } from '../../engine/fields.ts'
import { kinds } from '../bundle/kinds.ts'
import { fieldsSchema } from './field-schema.ts'
import { type JsonSchema, objectOf, orNull } from './json-schema.ts'

/** The words of a node or trigger that its schema is made of. */
export interface Described {
  type: string
  aliases: readonly string[]
  title: string
  summary: string
  config: Record<string, Field<unknown>>
}

const MOST_ENTRIES = 5_000

/**
 * The schema of a flow file: a bare flow, or an envelope with flows. Types that are not known may have any settings. What a
 * flow file may hold where the reader says nothing, it takes.
 */
export function flowSchema({
  nodes,
  triggers,
}: {
  nodes: readonly Described[]
  triggers: readonly Described[]
}): JsonSchema {
  const definitions: Record<string, JsonSchema> = {
    outputs: {
      description: 'For each output the ids of the nodes that follow.',
      ...orNull({ type: 'array', maxItems: MOST_ENTRIES, items: { type: ['array', 'null'] } }),
    },
    global: objectOf(
      {
        key: { type: 'string', pattern: '^[0-9a-zA-Z_-]{1,255}$', not: { const: '__proto__' } },
        json: { type: 'string', description: 'JSON text.' },
      },
      ['key', 'json'],
    ),
    node: entrySchema('node', nodes, { id: { description: 'Unique in the flow.' } }),
    trigger: entrySchema('trigger', triggers, { key: { description: 'Which one it is, or what it listens to.' } }),
    flow: {
      type: 'object',
      properties: {
        flowClass: { enum: [...flowClasses, null], default: 'cloud' },
        triggers: orNull({ type: 'array', maxItems: MOST_ENTRIES, items: { $ref: '#/definitions/trigger' } }),
        nodes: orNull({ type: 'array', maxItems: MOST_ENTRIES, items: { $ref: '#/definitions/node' } }),
        globals: orNull({ type: 'array', maxItems: 100, items: { $ref: '#/definitions/global' } }),
      },
    },
    envelope: envelopeSchema(),
  }
  for (const [word, list] of [
    ['node', nodes],
    ['trigger', triggers],
  ] as const) {
    for (const one of list) definitions[`${word}-${one.type}`] = settingsSchema(one)
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A flow of Headgate',
    description: 'A flow file: a flow, or an envelope with flows. Made from the node types by npm run generate.',
    if: { type: 'object', required: ['resourceType'] },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema.
    then: { $ref: '#/definitions/envelope' },
    else: { $ref: '#/definitions/flow' },
    definitions,
  }
}

function entrySchema(word: string, list: readonly Described[], more: Record<string, JsonSchema>): JsonSchema {
  const names = list.flatMap(({ type, aliases, title, summary }) =>
    [...aliases, type].map((name) => ({ const: name, title, description: summary })),
  )
  const settings = list.map(({ type, aliases }) => ({
    if: { properties: { type: { enum: [...aliases, type] } }, required: ['type'] },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema.
    then: { $ref: `#/definitions/${word}-${type}` },
  }))
  return {
    ...{ type: 'object', required: ['type'] },
    properties: {
      ...more,
      type: { anyOf: [...names, { type: 'string', minLength: 1 }] },
      config: { type: ['object', 'null'] },
      meta: { type: ['object', 'null'] },
      outputIds: { $ref: '#/definitions/outputs' },
    },
    allOf: settings,
  }
}

function settingsSchema({ title, summary, config }: Described): JsonSchema {
  const settings = fieldsSchema(config)
  const hasMust = (settings.required as string[] | undefined) !== undefined
  const meta = Object.values(config).some((one) => one.from === 'meta')
    ? orNull(fieldsSchema(config, 'meta'))
    : undefined
  return {
    ...{ title, description: summary },
    // Without settings that must be there, none at all will do.
    properties: { config: hasMust ? settings : orNull(settings), ...(meta ? { meta } : {}) },
    ...(hasMust ? { required: ['config'] } : {}),
  }
}

const flowKinds = ['Flow', 'FlowVersion', 'ExperienceFlowVersion']

function envelopeSchema(): JsonSchema {
  const resources = kinds
    .filter(({ name }) => flowKinds.includes(name))
    .map(({ name, fields, required }) => ({
      if: { properties: { resourceType: { const: name } } },
      // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema.
      then: {
        properties: {
          resources: { items: { allOf: [kindSchema({ fields, required }), { $ref: '#/definitions/flow' }] } },
        },
      },
    }))
  return {
    type: 'object',
    required: ['resourceType', 'resources', 'version'],
    properties: {
      resourceType: { enum: flowKinds },
      resources: { type: 'array', items: { type: 'object' } },
      version: { const: 1 },
    },
    allOf: resources,
  }
}

/** The fields of a kind of resource, and an id. */
export function kindSchema({ fields, required }: Pick<(typeof kinds)[number], 'fields' | 'required'>): JsonSchema {
  const properties = Object.entries(fields).map(([name, rule]) => {
    const schema = rule.schema ?? {}
    return [name, required.includes(name) ? schema : orNull(schema)] as const
  })
  const id = { type: 'string', pattern: '^(~exportplaceholderid-[^~]+~|[0-9a-f]{24})$' }
  return objectOf({ id, ...Object.fromEntries(properties) }, required)
}
