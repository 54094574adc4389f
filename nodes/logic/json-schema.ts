import { FlowError } from '../../engine/errors.ts'
import { sizeOf } from '../../engine/payload.ts'
import { compileSchema } from './schema-compile.ts'
import { type FieldError, openWalk } from './schema-walk.ts'

const MOST_SCHEMA_BYTES = 256 << 10

/**
 * The ways in which a value does not fit a JSON Schema of draft 4: an empty list when it fits, at most 100. Fields begin
 * with the word `data`. Throws `schema.invalid` for a schema that is not usable, `schema.work` when the check would take
 * long: the schema is an author's code, and a small one can ask for endless work, so each step of the check is counted.
 */
export function checkAgainstSchema(value: unknown, schema: unknown): FieldError[] {
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) {
    throw new FlowError('schema.invalid', 'Expected a JSON Schema, got something other than an object')
  }
  if (sizeOf(schema, MOST_SCHEMA_BYTES) > MOST_SCHEMA_BYTES) {
    throw new FlowError('schema.invalid', `Expected a JSON Schema of at most ${MOST_SCHEMA_BYTES} bytes`)
  }
  const walk = openWalk()
  compileSchema(schema)(value, 'data', walk)
  return walk.errors
}
