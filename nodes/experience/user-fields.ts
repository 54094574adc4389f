import { path, template } from '../../engine/fields.ts'
import { printValue } from '../../engine/template.ts'
import { bodyFields, givenFields } from '../body.ts'
import { tagPairs } from '../tag-pairs.ts'

/** The settings that creating and updating a user share. */
export const userFields = {
  ...bodyFields({ json: 'userJsonTemplate', path: 'userPayloadPath' }),
  email: template({ key: 'emailTemplate', label: 'E-mail' }),
  password: template({ key: 'passwordTemplate', label: 'Password' }),
  firstName: template({ key: 'firstNameTemplate', label: 'First name' }),
  lastName: template({ key: 'lastNameTemplate', label: 'Last name' }),
  tags: tagPairs('userTags'),
  result: path({ key: 'resultPath', label: 'Result', writes: true }),
}

/** The fields with some text, as the user schema has them. */
export function givenUserFields(config: { email: string; password: string; firstName: string; lastName: string }) {
  const { email, password, firstName, lastName } = config
  return givenFields({ email: email.trim(), password, firstName, lastName })
}

/** Ids from a list of rendered templates, blank ones dropped. */
export function idsOf(rendered: readonly unknown[]): string[] {
  return rendered.map((one) => printValue(one).trim()).filter((id) => id !== '')
}
