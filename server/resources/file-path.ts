import { refused } from './check.ts'

const mostName = 1_024
const mostPath = 2_048
const mostDepth = 30

/**
 * The path of a file in the tree of an application's files: from the root, without empty, `.` or `..` parts and without what no
 * file system takes, since an application can be exported as a folder. Throws Refusal.
 */
export function filePath(directory: string, name: string): string {
  if (name === '' || name.length > mostName || name.includes('/')) {
    throw refused('name', `text of 1 to ${mostName} characters without "/"`, name)
  }
  return wholePath(`${directoryPath(directory)}${name}`, 'name')
}

/** A directory with a slash at either end; blank is the root. Throws Refusal. */
export function directoryPath(directory: string): string {
  const parts = directory.split('/').filter((part) => part !== '')
  return parts.length === 0 ? '/' : `${wholePath(`/${parts.join('/')}`, 'parentDirectory')}/`
}

/** A whole path, the slash in front given or not. Throws Refusal. */
export function wholePath(path: string, place = 'path'): string {
  const whole = path.startsWith('/') ? path : `/${path}`
  const parts = whole.slice(1).split('/')
  const usable = parts.every((part) => part !== '' && part !== '.' && part !== '..' && part === part.toWellFormed())
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a path must not have.
  if (!usable || parts.length > mostDepth || whole.length > mostPath || /[\\\u0000-\u001f\u007f]/.test(whole)) {
    throw refused(place, 'a path without ".", "..", "\\" and control characters', path)
  }
  return whole
}

/** Name, and the directory that it is in, without a slash at the end but for the root. */
export function partsOf(path: string): { name: string; parentDirectory: string } {
  const at = path.lastIndexOf('/')
  return { name: path.slice(at + 1), parentDirectory: path.slice(0, at) || '/' }
}

/** The directories that a file lies in, outermost first, without the root. */
export function directoriesOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1)
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`)
}
