import { type Check, ids, isObject, keyText, listOf, oneOf, readBody, refused, text } from './check.ts'
import { folds } from './time-series-fold.ts'

const words = Object.keys(folds)

const tagFields = { key: text(0, 255), value: text(0, 255) }

const childFields = {
  name: keyText,
  mode: oneOf(['all', 'whitelist', 'blacklist']),
  deviceIds: ids(1_000),
  deviceTags: listOf((tag, place) => readBody(tag, tagFields, `a tag (${place})`), 100),
}

const ruleFields = {
  aggregation: oneOf(words),
  // Of those that the format has for systems none takes an option.
  aggregationOptions: listOf((option, place) => {
    throw refused(place, 'no option', option)
  }, 100),
  childAttributes: listOf((child, place) => {
    const given = readBody(child, childFields, `an attribute of children (${place})`)
    if (given.name === undefined) throw refused(`${place}.name`, 'the name of an attribute', undefined)
    if (given.mode === undefined) throw refused(`${place}.mode`, 'all, whitelist or blacklist', undefined)
    return given
  }, 256),
}

/** How an attribute of a system is made of those of its children. Throws Refusal. */
export const systemRule: Check<Record<string, unknown>> = (value, place) => {
  if (!isObject(value)) throw refused(place, 'an object', value)
  return readBody(value, ruleFields, `the rule of an attribute of a system (${place})`)
}
