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
