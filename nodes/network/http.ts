import { FlowError } from '../../engine/errors.ts'
import {
  bodyTemplate,
  byType,
  choice,
  flag,
  group,
  json,
  lazy,
  list,
  numberTemplate,
  path,
  template,
  text,
  unused,
} from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { usedCredential, withCredential, withoutSecret } from './http-credential.ts'
import { describeRequest, type RequestParts, toRequest, toResponse } from './http-message.ts'

export const http = defineNode({
  type: 'http',
  aliases: ['HttpNode'],
  group: 'network',
  title: 'HTTP',
  summary: 'Sends a request to another server and puts its answer on the payload.',
  outputs: ['next'],
  needs: ['http', 'clock', 'credentials'],
  config: {
    method: choice({
      key: 'method',
      label: 'Method',
      of: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'],
    }),
    url: template({
      key: 'uriTemplate',
      label: 'URL',
      help: 'Addresses inside the network are refused, unless the server allows them.',
      required: true,
    }),
    headers: list({
      key: 'headerInfo',
      label: 'Headers',
      most: 100,
      of: { name: text({ key: 'key', label: 'Name' }), value: template({ key: 'valueTemplate', label: 'Value' }) },
    }),
    bodyType: choice({
      key: 'bodyType',
      label: 'Body is',
      help: 'string and jsonTemplate: the body below. urlencoded and multipart: the form fields. url: the address of what is sent.',
      of: ['string', 'none', 'jsonTemplate', 'urlencoded', 'multipart', 'url'],
    }),
    // Read only where the method takes a body.
    body: lazy(
      byType({
        key: 'bodyTemplate',
        label: 'Body',
        typeKey: 'bodyType',
        default: 'string',
        kinds: {
          ...{ string: bodyTemplate(), jsonTemplate: json(), url: template({ required: true, label: 'Body' }) },
          ...{ none: unused(), urlencoded: unused(), multipart: unused() },
        },
      }),
    ),
    fields: lazy(
      list({
        key: 'bodyFields',
        label: 'Form fields',
        most: 1000,
        of: {
          name: template({ key: 'keyTemplate', label: 'Name' }),
          value: template({ key: 'valueTemplate', label: 'Value' }),
        },
      }),
    ),
    bodyEncoding: template({ key: 'requestEncodingTemplate', label: 'Encoding of the body', default: 'utf8' }),
    auth: choice({ key: 'authType', label: 'Authentication', of: ['none', 'basic', 'clientCert', 'credential'] }),
    credentials: group({
      key: 'authCredentials',
      label: 'Credentials',
      of: {
        user: template({ key: 'usernameTemplate', label: 'User name' }),
        password: template({ key: 'passwordTemplate', label: 'Password' }),
        key: template({ key: 'keyTemplate', label: 'Private key' }),
        cert: template({ key: 'certTemplate', label: 'Certificate' }),
      },
    }),
    credential: template({
      key: 'credentialNameTemplate',
      label: 'Credential',
      help: 'Name of a stored one, used when the authentication says so. A path alone is then below its URL; redirects are not followed.',
    }),
    caCert: template({ key: 'caCertTemplate', label: 'CA certificate' }),
    skipTlsCheck: flag({ key: 'disableSSLVerification', label: 'Accept any certificate' }),
    skipRedirects: flag({
      key: 'disableRedirects',
      label: 'Do not follow redirects',
      help: 'The answer is then the redirect itself.',
    }),
    seconds: numberTemplate({ key: 'timeoutTemplate', label: 'Timeout in seconds', default: 30, help: 'At most 30.' }),
    encoding: template({ key: 'encodingTemplate', label: 'Encoding of the answer', default: 'utf8' }),
    result: path({
      key: 'responsePath',
      label: 'Answer',
      help: '{ statusCode, headers, body, requestDuration, request }',
      writes: true,
    }),
    onError: choice({
      key: 'errorBehavior',
      label: 'When it fails',
      help: 'payloadPath: a request without an answer puts { error } at the path below, and the flow goes on.',
      of: ['throw', 'payloadPath'],
    }),
    errorPlace: path({ key: 'errorPath', label: 'Error', writes: true }),
  },
  examples: [
    {
      title: 'Read a list',
      config: { uriTemplate: 'https://example.com/items?of={{data.kind}}', responsePath: 'working.answer' },
      payload: { data: { kind: 'pump' } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const started = use.clock.now()
    const send = (parts: RequestParts) => use.http.send({ ...parts, signal })
    const name = config.credential
    const used =
      config.auth === 'credential' ? await usedCredential(use.credentials, { name, url: config.url }) : undefined
    const asked = used ? { ...config, url: used.url } : config
    try {
      const request = await toRequest(asked, send)
      const response = await send(used ? withCredential(request, used) : request)
      const requestDuration = use.clock.now() - started
      const answer = toResponse(response, config.encoding)
      config.result.write({ ...answer, requestDuration, request: describeRequest(asked) })
    } catch (cause) {
      const error = withoutSecret(cause, used)
      if (config.onError === 'throw' || !(error instanceof FlowError) || !answered.has(error.code)) throw error
      const { message, code } = error
      config.errorPlace.write({
        error: { message, code: systemCodeOf(error.cause) ?? code },
        request: describeRequest(asked),
      })
    }
  },
})

// What can be handled in the flow; a flow that asks for what does not exist fails.
const answered: ReadonlySet<string> = new Set([
  ...['http.url', 'http.request', 'http.refused', 'http.redirects', 'http.timeout', 'http.too-large', 'http.failed'],
])

/** `ECONNREFUSED`, `ENOTFOUND` and the like, where the system gave one. */
function systemCodeOf(cause: unknown): string | undefined {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}
