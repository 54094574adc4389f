import type { Payload } from '../../engine/payload.ts'

/** TLS of a connection; texts in PEM form. Without `ca` the authorities of the system count. */
export interface ConnectionTls {
  verify: boolean
  ca?: string
  cert?: string
  key?: string
}

export interface RedisRequest {
  /** One server, or members of a cluster. */
  hosts: { host: string; port: number }[]
  cluster: boolean
  /** Blank: the default user. */
  user: string
  /** Blank: none. */
  password: string
  database: number
  tls: ConnectionTls | undefined
  command: string
  args: string[]
  signal: AbortSignal
}

export interface SqlRequest {
  system: 'pg' | 'mysql'
  host: string
  /** Default that of the system. */
  port: number | undefined
  user: string
  password: string
  /** Blank: that of the user. */
  database: string
  tls: ConnectionTls | undefined
  query: string
  signal: AbortSignal
}

export interface MongoRequest {
  uri: string
  collection: string
  method: MongoMethod
  /** Extended JSON, in the order of the method of the driver. */
  args: unknown[]
  signal: AbortSignal
}

export const mongoMethods = [
  ...(['count', 'find', 'findOne', 'insertOne', 'insertMany', 'updateOne', 'updateMany', 'replaceOne'] as const),
  ...(['deleteOne', 'deleteMany', 'distinct', 'aggregate', 'countDocuments', 'insert', 'update', 'remove'] as const),
] as const

export type MongoMethod = (typeof mongoMethods)[number]

/**
 * Databases of someone else. Only addresses that an HTTP request may reach are connected to. A question takes at most 30 seconds, its
 * answer is at most 10,000 rows and 5 MB. Connections are kept for the next run of the same application. All throw Refusal: Validation
 * for what the service refused, Unavailable when it cannot be reached.
 */
export interface Connections {
  /** The reply as Redis gave it. */
  redis(request: RedisRequest): Promise<unknown>
  /** The rows; undefined for a statement that has none. */
  sql(request: SqlRequest): Promise<Payload[] | undefined>
  /** What the method of the driver gives, as JSON: ids and dates as text. */
  mongo(request: MongoRequest): Promise<unknown>
}
