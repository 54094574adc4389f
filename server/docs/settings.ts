import type { Field } from '../../engine/fields.ts'

/** A setting, as its page shows it. */
export interface SettingRow {
  label: string
  /** The stored key, with the way to it. */
  key: string
  kind: string
  /** What stands when nothing is said; or that something must be. */
  initial: string
  help: string
}

type AnyField = Field<unknown>
type Fields = Record<string, AnyField>

const kinds: Record<string, string> = {
  template: 'template',
  'choice-template': 'template that gives one of',
  expression: 'expression',
  value: 'value template',
  number: 'number or template',
  json: 'JSON template',
  text: 'text',
  flag: 'true or false',
  choice: 'one of',
  path: 'path',
  read: 'path',
  texts: 'list of templates',
  values: 'list of value templates',
  list: 'list',
  group: 'group',
  unused: 'nothing',
  'whole-payload': 'nothing: the whole payload is meant',
  'custom-inputs': 'the inputs of the custom node',
}

/** All settings of a node or trigger in their order; those inside of lists and groups follow theirs. */
export function settingRows(fields: Fields, before = ''): SettingRow[] {
  return Object.values(fields).flatMap((one) => {
    const root = one.from === 'meta' ? 'meta.' : ''
    const key = `${before}${root}${one.key}`
    const own = { label: one.label ?? '', key, kind: kindOf(one), initial: initialOf(one), help: one.help ?? '' }
    const isList = one.kind === 'list'
    const inner = isList || one.kind === 'group' ? settingRows(one.of as Fields, `${key}${isList ? '[]' : ''}.`) : []
    return [own, ...inner]
  })
}

function kindOf(one: AnyField): string {
  if (one.kind === 'by-type') {
    const each = Object.entries(one.kinds as Fields).map(([word, inner]) => `\`${word}\`: ${kindOf(inner)}`)
    return `by \`${one.typeKey}\`: ${each.join('; ')}`
  }
  const word = kinds[one.kind] ?? one.kind
  const choices = Array.isArray(one.of)
    ? ` ${one.of
        .filter((text) => text !== '')
        .map((text) => `\`${text}\``)
        .join(', ')}`
    : ''
  return `${word}${choices}`
}

function initialOf(one: AnyField): string {
  const { default: initial, required, kind } = one
  if (kind === 'by-type') return `\`${initial}\``
  if (initial !== undefined && initial !== '') return `\`${JSON.stringify(initial).replace(/^"(.*)"$/, '$1')}\``
  return required ? '**required**' : ''
}
