/** What flows have written to a file by the published API: the history of devices, or devices, events or rows themselves. */
export type ResourceExportInput = Delivery &
  (
    | ({ of: 'points' } & PointsAsked)
    | { of: 'devices'; query: unknown; format: 'csv' | 'json' }
    | { of: 'events'; query: unknown; format: 'csv' | 'json'; excludeUpdates: boolean }
    | ({ of: 'rows' } & RowsAsked)
  )

export interface Delivery {
  /** The id by which whoever asked knows the job: that of the job itself is too long for the format. */
  publicId: string
  /** Where the application is reached, as `https://shop.example.com`: for the link. */
  origin: string
  email?: string
  callbackUrl?: string
}

export interface PointsAsked {
  devices: DeviceSelection
  /** Undefined: all that the devices have. */
  attributes?: string[]
  /** Milliseconds since the epoch; start <= time < end. */
  start: number
  end: number
  includeDate: boolean
  includeId: boolean
  filePerDevice: boolean
}

export interface DeviceSelection {
  ids?: string[]
  tags?: { key?: string; value?: string }[]
  /** In the place of the others. */
  query?: unknown
}

export interface RowsAsked {
  tableId: string
  query: unknown
  sortColumn?: string
  sortDirection?: 'asc' | 'desc'
  limit?: number
  offset?: number
}

/** As the output of a job of kind `data-export` that was asked for by the published API. */
export interface ResourceExportOutput {
  blobKey: string
  fileName: string
  contentType: string
  sizeBytes: number
  sha256: string
  /** Milliseconds since the epoch. */
  expiresAt: number
  downloadUrl: string
}

/** True for the input of an export that was asked for by the published API, not by a user of the experience. */
export function isResourceExport(input: unknown): input is ResourceExportInput {
  return input !== null && typeof input === 'object' && Object.hasOwn(input, 'of')
}
