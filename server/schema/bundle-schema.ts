import { type Kind, kinds } from '../bundle/kinds.ts'
import { kindSchema } from './flow-schema.ts'
import type { JsonSchema } from './json-schema.ts'

/**
 * The schema of the files of an application folder: those that hold resources, whose kind is in `resourceType`, and the tests
 * of flows beside them.
 */
export function bundleSchema(): JsonSchema {
  const known = kinds.filter(({ supported }) => supported)
  const definitions = known.filter(({ open }) => !open).map((kind) => [kind.name, resourceSchema(kind)] as const)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A file of a Headgate application',
    description: 'A file of an application folder, such as application.yaml or devices.yaml. Made by npm run generate.',
    if: { type: 'object', required: ['tests'], not: { required: ['resourceType'] } },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema.
    then: { $ref: 'flow-test.schema.json' },
    else: resourcesSchema(known),
    definitions: Object.fromEntries(definitions),
  }
}

function resourcesSchema(known: readonly Kind[]): JsonSchema {
  return {
    type: 'object',
    required: ['resourceType', 'resources', 'version'],
    properties: {
      // A kind that is not known is left out, with a word; Device and ExperienceGroup are other names of the trees.
      resourceType: { anyOf: [{ enum: kinds.map(({ name }) => name) }, { type: 'string' }] },
      resources: { type: 'array', items: { type: 'object' } },
      version: { const: 1 },
    },
    allOf: known.map((kind) => ({
      if: { properties: { resourceType: { enum: namesOf(kind) } } },
      // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema.
      then: kind.open
        ? { $ref: 'flow.schema.json' }
        : { properties: { resources: { items: { $ref: `#/definitions/${kind.name}` } } } },
    })),
  }
}

const otherNames: Record<string, string> = { DeviceTree: 'Device', ExperienceGroupTree: 'ExperienceGroup' }

function namesOf({ name }: Kind): string[] {
  return Object.hasOwn(otherNames, name) ? [name, otherNames[name]!] : [name]
}

function resourceSchema(kind: Kind): JsonSchema {
  const own = kindSchema(kind)
  const properties: Record<string, JsonSchema> = {
    ...(own.properties as Record<string, JsonSchema>),
    exportHash: {},
    localFilename: { type: 'string', minLength: 1, description: 'The file beside it that holds its text.' },
    ...(kind.tree ? { children: { type: ['array', 'null'], items: { $ref: `#/definitions/${kind.name}` } } } : {}),
  }
  return { ...own, properties }
}
