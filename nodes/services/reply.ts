import type { Payload } from '../../engine/payload.ts'

export interface CookieChange {
  name: string
  /** Undefined removes the cookie. */
  value?: string
  path?: string
  maxAgeMs?: number
}

export type ReplyBody =
  | { kind: 'page'; pageId: string; layoutId?: string; data: unknown }
  | { kind: 'redirect'; location: string }
  /** Objects are sent as JSON, strings as they stand, undefined as an empty body. */
  | { kind: 'custom'; body: unknown }

export interface Reply {
  body: ReplyBody
  /** 100-599; undefined: 200, or 302 for a redirect. */
  status?: number
  headers: [name: string, value: string][]
  cookies: CookieChange[]
  sameSite?: 'none' | 'lax' | 'strict'
}

export interface Replies {
  /**
   * Answers the request that waits under `replyId`; a no-op when it is already answered or unknown. Pages are rendered
   * now, with this run's globals; throws or rejects with FlowError `view.*` or `template.*` when that fails, and the request goes on
   * waiting. Without a promise it is done already.
   */
  send(replyId: string, reply: Reply, context: { payload: Payload; experienceVersion?: string }): Promise<void> | void
  /**
   * Sends a message to a WebSocket client of a webhook, by the `replyId` of its connection, whichever process holds it; a no-op
   * when it has gone or is unknown.
   */
  message(client: string, message: ClientMessage): Promise<void>
}

export interface ClientMessage {
  bytes: Uint8Array
  /** Else the bytes are a text in UTF-8. */
  binary: boolean
}
