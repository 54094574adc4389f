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
      help: 'GET and HEAD send no body.',
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
      help: 'At most 100; those that belong to the connection, such as content-length, are left out.',
      most: 100,
      of: {
        name: text({ key: 'key', label: 'Name', help: 'Such as Authorization; empty: left out.' }),
        value: template({ key: 'valueTemplate', label: 'Value', help: 'Without line breaks.' }),
      },
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
        help: 'Text, JSON, or the URL of what is sent, as "Body is" says.',
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
        help: 'Of urlencoded and multipart, at most 1000.',
        most: 1000,
        of: {
          name: template({ key: 'keyTemplate', label: 'Name', help: 'Of the field.' }),
          value: template({ key: 'valueTemplate', label: 'Value', help: 'Of the field, as text.' }),
        },
      }),
    ),
    bodyEncoding: template({
      key: 'requestEncodingTemplate',
      label: 'Encoding of the body',
      help: 'What a body of text is written in: utf8, base64, hex, latin1 and others; utf8 when empty.',
      default: 'utf8',
    }),
    auth: choice({
      key: 'authType',
      label: 'Authentication',
      help: 'basic: name and password. clientCert: certificate and key. credential: a stored one, by its name.',
      of: ['none', 'basic', 'clientCert', 'credential'],
    }),
    credentials: group({
      key: 'authCredentials',
      label: 'Credentials',
      help: 'Of basic and clientCert.',
      of: {
        user: template({ key: 'usernameTemplate', label: 'User name', help: 'For basic.' }),
        password: template({
          key: 'passwordTemplate',
          label: 'Password',
          help: 'For basic; it is not put on the payload.',
        }),
        key: template({ key: 'keyTemplate', label: 'Private key', help: 'For clientCert, in PEM form.' }),
        cert: template({ key: 'certTemplate', label: 'Certificate', help: 'For clientCert, in PEM form.' }),
      },
    }),
    credential: template({
      key: 'credentialNameTemplate',
      label: 'Credential',
      help: 'Name of a stored one, used when the authentication says so. A path alone is then below its URL; redirects are not followed.',
    }),
    caCert: template({
      key: 'caCertTemplate',
      label: 'CA certificate',
      help: 'In PEM form: an authority to trust. Empty: those that everybody trusts.',
    }),
    skipTlsCheck: flag({
      key: 'disableSSLVerification',
      label: 'Accept any certificate',
      help: 'Off: a certificate that cannot be trusted is a failure.',
    }),
    skipRedirects: flag({
      key: 'disableRedirects',
      label: 'Do not follow redirects',
      help: 'The answer is then the redirect itself.',
    }),
    seconds: numberTemplate({ key: 'timeoutTemplate', label: 'Timeout in seconds', default: 30, help: 'At most 30.' }),
    encoding: template({
      key: 'encodingTemplate',
      label: 'Encoding of the answer',
      help: 'utf8: text, or the value of JSON. base64, base64url and hex: bytes as text. utf8 when empty.',
      default: 'utf8',
    }),
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
    errorPlace: path({
      key: 'errorPath',
      label: 'Error',
      help: 'With payloadPath: where { error: { message, code }, request } is put.',
      writes: true,
    }),
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
