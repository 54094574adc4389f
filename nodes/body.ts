import { choice, json, lazy, read } from '../engine/fields.ts'
import type { Payload } from '../engine/payload.ts'
import { Refusal } from './services/listing.ts'

/** The settings of every node whose data may come from single fields, a JSON template or the payload. */
export function bodyFields(keys: { json: string; path: string }) {
  return {
    method: choice({
      key: 'dataMethod',
      label: 'Data from',
      help: 'individualFields: from the settings below. jsonTemplate and payloadPath: one object with all fields.',
      of: ['individualFields', 'jsonTemplate', 'payloadPath'],
    }),
    json: lazy(json({ key: keys.json, label: 'JSON template', help: 'With jsonTemplate: an object with all fields.' })),
    fromPath: read({
      key: keys.path,
      label: 'Payload path',
      help: 'With payloadPath: where an object with all fields is found.',
    }),
  }
}

interface BodySettings {
  method: 'individualFields' | 'jsonTemplate' | 'payloadPath'
  json: () => unknown
  fromPath: unknown
}

/** The body as one object; undefined when it comes from single fields. Throws Refusal for anything but an object. */
export function bodyOf({ method, json: fromJson, fromPath }: BodySettings): Payload | undefined {
  if (method === 'individualFields') return undefined
  const body = method === 'jsonTemplate' ? fromJson() : fromPath
  if (body !== null && typeof body === 'object' && !Array.isArray(body)) return body as Payload
  const got = body === undefined ? 'nothing' : Array.isArray(body) ? 'a list' : `${typeof body}`
  throw new Refusal('Validation', `Expected the data (${method}) to be an object, got ${got}`)
}

/** Only the keys that have some text: a blank template leaves a field as it is. */
export function givenFields(fields: Record<string, string>): Payload {
  return Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== ''))
}
