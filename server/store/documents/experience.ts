import type { Document } from './document.ts'

export interface StaticReply {
  type: 'page' | 'redirect'
  value: string
  statusCode?: number
}

/** Part of an experience version. */
export interface VersionedDocument extends Document {
  /** Name of the experience version. */
  version: string
  /** The document of `develop` that this is the snapshot of: what names that one means this one here. */
  copyOf?: string
}

export interface EndpointDocument extends VersionedDocument {
  method: string
  route: string
  access: 'public' | 'authenticated' | 'group' | 'device'
  enabled: boolean
  description?: string
  endpointTags: Record<string, string>
  experienceGroupIds: string[]
  deviceIdTemplate?: string
  staticReply?: StaticReply
  unauthorizedReply?: StaticReply
}

export interface ViewDocument extends VersionedDocument {
  name: string
  viewType: 'page' | 'layout' | 'component'
  body: string
  description?: string
  viewTags: Record<string, string>
  layoutId?: string
  headers?: Record<string, string>
}

export interface GlobalValue {
  key: string
  /** JSON text. */
  json: string
  description?: string
  cloudOnly?: boolean
}

export interface ExperienceVersionDocument extends Document {
  version: string
  description?: string
  endpointDefaultCors: boolean
  allowedCorsOrigins?: string[]
  globals: GlobalValue[]
  responseHeaders?: Record<string, string>
  notFoundReply?: StaticReply
  unauthorizedReply?: StaticReply
}

export interface FileDocument extends Document {
  /** Path from the root of the application's files, with a leading slash. */
  path: string
  contentType: string
  sizeBytes: number
  private: boolean
  /** Key of its content in the blobs. */
  blob: string
  /** SHA-256 of the content, hex: the ETag. */
  sha256: string
  /** Who wrote it last, where that is known. */
  authorType?: string
  authorId?: string
}

/** The one document about the application itself; its id is the application's id. */
export interface ApplicationDocument extends Document {
  name: string
  description?: string
  globals: GlobalValue[]
  /** Signs tokens, links and streams of this application. */
  secret: string
  blobUrlTTL?: number
  readme?: string
}

/** Where an imported document came from: placeholder or natural key of the bundle -> id, so that a second import updates. */
export interface OriginDocument extends Document {
  kind: string
  key: string
  targetId: string
  /** SHA-256 of what was imported, hex: what is as it was needs no second import. */
  hash?: string
  /** The ids that its list of groups or devices held: those that are there beside them were added by hand. */
  listed?: string[]
}

/** What flows prove themselves with to other services. */
export interface CredentialDocument extends Document {
  name: string
  type: string
  /** What of its settings is no secret. */
  shown: Record<string, unknown>
  /** All settings, as JSON, sealed with SECRET_KEY. */
  sealed: string
}

/** An address that other systems call. Absent settings stand as their defaults. */
export interface WebhookDocument extends Document {
  name: string
  description?: string
  /** Secret: the part of the address that opens it. */
  token: string
  /** SHA-256 of the token, hex: what it is looked up by. */
  tokenHash: string
  enabled: boolean
  /** Of the answer to a call that waits for no reply. */
  responseCode: number
  verificationType: 'none' | 'facebook' | 'fitbit' | 'twilio' | 'alexa'
  verificationCode: string
  waitForReply: boolean
  /** Both empty: nobody is asked. */
  basicAuthUsername: string
  basicAuthPassword: string
  isWebsocket: boolean
  castBuffersAs: 'array' | 'binary' | 'utf8' | 'base64' | 'hex'
  annotateMultipart: boolean
}
