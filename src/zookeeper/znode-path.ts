import { ZooKeeperError } from './zookeeper-error.ts'

/**
 * Path rules of ZooKeeper (`PathUtils.validatePath`): absolute, no empty, `.` or `..` name, no trailing slash, no
 * control characters, and none of the code units U+D800 to U+F8FF and U+FFF0 to U+FFFF.
 */
export function validatePath(path: string): void {
  if (path === '/') return
  const names = path.split('/')
  const valid =
    path.startsWith('/') &&
    names.slice(1).every(name => name !== '' && name !== '.' && name !== '..') &&
    !FORBIDDEN.test(path)
  if (!valid) throw new ZooKeeperError('BAD_ARGUMENTS', { path })
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what a path may not hold
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/

/** The path of the parent; `/` for the children of the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** `path` as a session under `chroot` means it. An empty chroot changes nothing. */
export function underChroot(chroot: string, path: string): string {
  if (chroot === '') return path
  return path === '/' ? chroot : chroot + path
}

/** The opposite of {@link underChroot}. */
export function withoutChroot(chroot: string, path: string): string {
  if (chroot === '') return path
  return path === chroot ? '/' : path.slice(chroot.length)
}
