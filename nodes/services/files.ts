import type { Payload } from '../../engine/payload.ts'

/** A file as flows see it. `url` is on the hosts of the application, from their root; that of a private one is signed. */
export type FileView = Payload & {
  id: string
  type: 'file'
  _type: 'file' | 'privateFile'
  name: string
  /** Without a slash at its end, but for the root. */
  parentDirectory: string
  contentType: string
  fileSize: number
  url: string
}

export type FileCriteria = { private: boolean } & ({ path: string } | { id: string })

/** The files that pages and end users load. Every method throws Refusal, also for a path that no file can have. */
export interface Files {
  /** Undefined where there is none. `urlTtlSeconds`: life of the link to a private file, default 900. */
  get(criteria: FileCriteria, options?: { urlTtlSeconds?: number }): Promise<FileView | undefined>
  /** With its contents, at most 5 MB. */
  read(criteria: FileCriteria): Promise<{ file: FileView; content: Uint8Array } | undefined>
  /** Directories need not exist. `contentType` default: as the name says. At most 5 MB. Fires triggers. */
  write(file: {
    name: string
    parentDirectory: string
    private: boolean
    content: Uint8Array
    contentType?: string
    overwrite: boolean
    urlTtlSeconds?: number
  }): Promise<FileView>
  /** False when there was none. Fires triggers. */
  remove(criteria: FileCriteria): Promise<boolean>
}
