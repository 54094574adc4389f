import { nodes, triggers } from '../../nodes/index.ts'
import { testFileRule } from '../flow-tests/test-file-rules.ts'
import { bundleSchema } from './bundle-schema.ts'
import { type Described, flowSchema } from './flow-schema.ts'
import type { JsonSchema } from './json-schema.ts'

/** The published schemas, by the name of their file. Made when asked for. */
export const schemas: Record<string, () => JsonSchema> = {
  'flow.schema.json': () => flowSchema({ nodes: nodes as readonly Described[], triggers }),
  'bundle.schema.json': bundleSchema,
  'flow-test.schema.json': () => ({
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Tests of a Headgate flow',
    description: 'A file of flow tests: see docs/flow-tests.md. Made by npm run generate.',
    ...testFileRule.schema,
  }),
}

const texts = new Map<string, string>()

/** A schema as its file holds it; undefined for a name that none has. Made once. */
export function schemaText(name: string): string | undefined {
  if (!Object.hasOwn(schemas, name)) return undefined
  const text = texts.get(name) ?? `${JSON.stringify(schemas[name]!(), null, 2)}\n`
  texts.set(name, text)
  return text
}
