// The one door to the kinds of setting: nodes and triggers take them from here.
export type { Field, PayloadHolder, Resolved, Setting, ValueOf } from './field.ts'
export { byType, compileGroup, group, lazy, list, optional, texts, values } from './fields-compound.ts'
export { choice, flag, text, unused } from './fields-literal.ts'
export { type Place, path, read, wholePayload } from './fields-path.ts'
export {
  bodyTemplate,
  choiceTemplate,
  expression,
  json,
  numberTemplate,
  template,
  value,
} from './fields-template.ts'
