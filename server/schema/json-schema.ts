/** A JSON Schema of draft 07, which editors know best. */
export type JsonSchema = Record<string, unknown>

/** What may be missing or null. */
export function orNull(schema: JsonSchema): JsonSchema {
  return Object.keys(schema).length === 0 ? {} : { anyOf: [schema, { type: 'null' }] }
}

/** An object with these fields and any others. Nothing of it has to be there but what is in `required`. */
export function objectOf(properties: Record<string, JsonSchema>, required: readonly string[] = []): JsonSchema {
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) }
}
