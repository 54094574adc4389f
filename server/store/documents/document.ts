/** What every document has. `revision` starts at 1 and grows by one with each write. Times are milliseconds since the epoch. */
export interface Document {
  /** 24 hex characters. */
  id: string
  revision: number
  creationDate: number
  lastUpdated: number
}

export interface Tag {
  key: string
  value: string
}
