import { Refusal } from '../../../nodes/services/listing.ts'
import type { GlobalValue } from '../../store/documents/experience.ts'
import { type Check, flag, keyText, listOf, readBody, refused, text } from '../check.ts'

const fields = { key: keyText, json: text(1, 32_767), description: text(0, 1_024), cloudOnly: flag }

const one: Check<GlobalValue> = (value, place) => {
  const { key, json, ...others } = readBody(value, fields, `a global (${place})`)
  if (key === undefined) throw refused(`${place}.key`, 'text', undefined)
  if (json === undefined) throw refused(`${place}.json`, 'JSON text', undefined)
  try {
    JSON.parse(json)
  } catch {
    throw refused(`${place}.json`, 'JSON text', json)
  }
  return { key, json, ...others }
}

/** At most 100 globals, each key once. */
export const globalList: Check<GlobalValue[]> = (value, place) => {
  const globals = listOf(one, 100)(value, place)
  const twice = globals.find(({ key }, i) => globals.findIndex((other) => other.key === key) !== i)
  if (twice) throw new Refusal('Validation', `Expected each global once, got "${twice.key}" twice`)
  return globals
}
