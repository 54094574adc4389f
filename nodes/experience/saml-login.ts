import { path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { signInUrl } from './saml.ts'
import { readProvider, readService } from './saml-metadata.ts'

export const samlLogin = defineNode({
  type: 'saml-login',
  aliases: ['SamlLoginRedirectNode'],
  group: 'experience',
  title: 'SAML: Login URL',
  summary: 'Makes the address to which a user is redirected to sign in by SAML.',
  outputs: ['next'],
  needs: [],
  config: {
    service: template({
      key: 'spMetadataTemplate',
      label: 'Metadata of the service',
      help: 'XML, with an EntityDescriptor of this application.',
      required: true,
    }),
    provider: template({
      key: 'idpMetadataTemplate',
      label: 'Metadata of the identity provider',
      help: 'XML, as the provider gives it.',
      required: true,
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ redirectUrl }, or { error: { type, message } }.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Metadata of neither',
      config: { spMetadataTemplate: '<a/>', idpMetadataTemplate: '<b/>', resultPath: 'working.saml' },
      payload: {},
      output: 'next',
      result: {
        working: {
          saml: {
            error: {
              type: 'Validation',
              message:
                'Expected XML metadata of the service with an EntityDescriptor with an entityID and SPSSODescriptor, got none',
            },
          },
        },
      },
    },
  ],
  async run({ config }) {
    const login = async () => {
      const parties = { service: await readService(config.service), provider: await readProvider(config.provider) }
      return { redirectUrl: await signInUrl(parties) }
    }
    config.result.write(await orError(login))
  },
})
