/** A server that tests use and that is not part of this repository. */
export interface Service {
  /** Starts it, or finds out why it cannot be had. `stop` is called after all tests. */
  start(): Promise<{ url: string; stop(): Promise<void> } | { reason: string }>
}

/** What tests get to know of a service, by `inject`. */
export type Provided = { url: string } | { reason: string }
