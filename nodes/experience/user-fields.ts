import { path, template } from '../../engine/fields.ts'
import { printValue } from '../../engine/template.ts'
import { bodyFields, givenFields } from '../body.ts'
import { tagPairs } from '../tag-pairs.ts'

/** The settings that creating and updating a user share. */
export const userFields = {
  ...bodyFields({ json: 'userJsonTemplate', path: 'userPayloadPath' }),
  email: template({
    key: 'emailTemplate',
    label: 'E-mail',
    help: 'No two users have the same. Needed to create; empty in an update: as it is.',
  }),
  password: template({
    key: 'passwordTemplate',
    label: 'Password',
    help: 'At least 8 characters. Needed to create; empty in an update: as it is.',
  }),
  firstName: template({
    key: 'firstNameTemplate',
    label: 'First name',
    help: 'Empty: none, or in an update as it is.',
  }),
  lastName: template({ key: 'lastNameTemplate', label: 'Last name', help: 'Empty: none, or in an update as it is.' }),
  tags: tagPairs('userTags'),
  result: path({
    key: 'resultPath',
    label: 'Result',
    help: 'The user, never with a password; { error: { type, message } } when it is refused.',
    writes: true,
  }),
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
