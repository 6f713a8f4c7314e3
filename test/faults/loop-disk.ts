/** A file system of its own in a file, which can lose its power: only root can have one. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { programExists, run } from '../compat/process.ts'
import { debianPackage } from '../compat/tools.ts'

/** FS_IOC_SHUTDOWN, of ext4 and XFS alike, with the flag that leaves the journal unwritten: what was not synced is gone. */
const SHUTDOWN = `import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(fd, 0x8004587D, struct.pack('I', 2))`

const MAKE_FILE_SYSTEM = {
  ext4: ['mkfs.ext4', '-q', '-F', '-m', '0'],
  xfs: ['mkfs.xfs', '-q', '-f'],
} as const

/** What kind of disk: its size, and the options of its mount. */
export interface DiskOptions {
  readonly megabytes: number
  /** ext4 unless given; XFS wants 300 megabytes. */
  readonly fileSystem?: keyof typeof MAKE_FILE_SYSTEM
  /** Comma-separated options of `mount` besides `loop`. */
  readonly mountOptions?: string
}

export class LoopDisk {
  readonly #directory = mkdtempSync(join(tmpdir(), 'monedula-disk-'))
  readonly #options: DiskOptions
  /** Where it is mounted. */
  readonly path = join(this.#directory, 'mounted')
  readonly #image = join(this.#directory, 'image')

  private constructor(options: DiskOptions) {
    this.#options = options
  }

  static async create(options: DiskOptions): Promise<LoopDisk> {
    if (process.getuid?.() !== 0) throw new Error('only root may mount a file')
    if (options.fileSystem === 'xfs' && !(await programExists('mkfs.xfs'))) await debianPackage('xfsprogs')
    const disk = new LoopDisk(options)
    try {
      mkdirSync(disk.path)
      await run('truncate', ['-s', `${options.megabytes}M`, disk.#image])
      const [program, ...args] = MAKE_FILE_SYSTEM[options.fileSystem ?? 'ext4']
      await run(program, [...args, disk.#image])
      await disk.mount()
    } catch (error) {
      rmSync(disk.#directory, { recursive: true, force: true })
      throw error
    }
    return disk
  }

  async mount(): Promise<void> {
    const { mountOptions } = this.#options
    await run('mount', ['-o', mountOptions ? `loop,${mountOptions}` : 'loop', this.#image, this.path])
  }

  /** Everything that was not synced is lost, and nothing reaches the disk any more. */
  async cutPower(): Promise<void> {
    await run('python3', ['-c', SHUTDOWN, this.path])
  }

  async unmount(): Promise<void> {
    await run('umount', [this.path])
  }

  /** Unmounts where mounted, and removes the file. */
  async dispose(): Promise<void> {
    await run('umount', ['-q', '-l', this.path], { expectedCodes: [0, 1, 32] })
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/**
 * Gives a disk; where this machine cannot have one the test is skipped, loudly. Containers of CI often may not mount,
 * which is no fault of the project's, so that this is a skip there too.
 */
export async function diskOrSkip(context: TestContext, options: DiskOptions): Promise<LoopDisk | undefined> {
  try {
    return await LoopDisk.create(options)
  } catch (error) {
    const reason = `no file can be mounted here: ${(error as Error).message.split('\n')[0]}`
    console.error(`\n*** SKIPPED: ${context.name}: ${reason}\n`)
    context.skip(reason)
    return undefined
  }
}
