import { choice, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { lifetimeOf, tokenFields } from './token-fields.ts'

export const userAuthenticate = defineNode({
  type: 'user-authenticate',
  aliases: ['ExperienceUserAuthNode'],
  group: 'experience',
  title: 'User: Authenticate',
  summary: 'Checks e-mail and password, or a token, and gives the user and a token.',
  outputs: ['failed', 'authenticated'],
  needs: ['users'],
  config: {
    ...tokenFields,
    mode: choice({
      key: 'authMode',
      from: 'meta',
      label: 'By',
      help: 'What has to fit: e-mail and password, a token, or a token with the e-mail, or with both, of its user.',
      of: ['emailPassword', 'token', 'tokenEmail', 'tokenEmailPassword'],
    }),
    email: template({ key: 'emailTemplate', label: 'E-mail', help: 'Of the user, in any case.' }),
    password: template({ key: 'passwordTemplate', label: 'Password', help: 'Of the user.' }),
    token: template({
      key: 'tokenTemplate',
      label: 'Token',
      help: 'One that was issued to the user and has not expired.',
    }),
    userResult: path({ key: 'userResultPath', label: 'User', help: 'The user, when authenticated.', writes: true }),
    tokenResult: path({
      key: 'tokenResultPath',
      label: 'Token',
      help: 'A new token, when authenticated: for the cookie "authorization".',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Sign in with a form',
      config: {
        emailTemplate: '{{data.body.email}}',
        passwordTemplate: '{{data.body.password}}',
        tokenResultPath: 'working.token',
      },
      payload: { data: { body: { email: 'user1@example.com', password: 'correct horse' } } },
    },
  ],
  async run({ config, use }) {
    const { mode, email, password, token, invalidateExisting, extraData, ttl } = config
    const found = await use.users.authenticate({ mode, email: email.trim(), password, token: token.trim() })
    if (!found) return 'failed'
    const { user, byToken } = found
    if (byToken && !invalidateExisting) config.tokenResult.write(token.trim())
    else if (config.tokenResult.given || invalidateExisting) {
      const request = { idOrEmail: user.id, invalidateExisting, extraData, ...lifetimeOf(ttl) }
      config.tokenResult.write(await use.users.issueToken(request))
    }
    config.userResult.write(user)
    return 'authenticated'
  },
})
