/** What can be wrong with an application folder, by code. What is wrong inside a flow has the codes of engine/errors.ts. */
export const bundleErrors = {
  'bundle.path': 'A path, or what a link points to, leaves the folder',
  'bundle.limit': 'Too many files, a file that is too large, or one that is nested too deep',
  'bundle.yaml': 'A file is not YAML, or not UTF-8 text',
  'bundle.json': 'A file is not JSON',
  'bundle.envelope': 'A file is not an envelope of resourceType, resources and version 1',
  'bundle.kind': 'A kind of resource that is not known; it is left out',
  'bundle.missing': 'A file that a resource names, or the application itself, is missing',
  'bundle.duplicate': 'Two resources have the same id, or what must be unique among them',
  'bundle.host': 'An experience version has no address of its own, because its slug is none or is taken',
  'bundle.conflict': 'The slug or a document belongs to another application',
  'resource.field': 'A field of a resource is missing, of the wrong type or out of bounds',
  'resource.unknown': 'A field that is not known; it is left out',
  'route.reserved': 'A route that no request reaches, because the server itself answers there',
  'table.row': 'A row of a data table does not fit its columns, or its file is no CSV',
  'reference.unresolved': 'A reference to something that the folder does not hold',
  'flow.invalid': 'A file that was given as a flow is not one',
} as const

export type BundleErrorCode = keyof typeof bundleErrors

/** One thing wrong with one place. An `error` stops an import, a `warning` does not. */
export interface Problem {
  code: string
  message: string
  severity: 'error' | 'warning'
  /** Path in the folder, with slashes. */
  file: string
  /** Name of the flow. */
  flow?: string
  /** Id of the node. */
  node?: string
  /** JSON pointer into the file. */
  pointer?: string
  /** One-based. */
  line?: number
}

/** Makes a problem of a code in `bundleErrors`; an error unless `place` says otherwise. */
export function problem(
  code: BundleErrorCode,
  file: string,
  message: string,
  place: Partial<Omit<Problem, 'code' | 'file' | 'message'>> = {},
): Problem {
  return { code, message, severity: 'error', file, ...place }
}

/** The JSON pointer one step further. */
export function pointTo(pointer: string, step: string | number): string {
  return `${pointer}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
