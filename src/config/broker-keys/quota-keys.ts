import type { ConfigTable } from '../config-def.ts'
import { atLeast } from '../validators.ts'

/** Measuring of quotas. */
export const quotaKeys = {
  'quota.window.num': {
    type: 'int',
    default: 11,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Time windows over which client quotas are measured.',
  },
  'quota.window.size.seconds': {
    type: 'int',
    default: 1,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Length of such a window, in seconds.',
  },
  'replication.quota.window.num': {
    type: 'int',
    default: 11,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Time windows over which replication quotas are measured.',
  },
  'replication.quota.window.size.seconds': {
    type: 'int',
    default: 1,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Length of such a window, in seconds.',
  },
  'alter.log.dirs.replication.quota.window.num': {
    type: 'int',
    default: 11,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Time windows over which quotas of moves between data directories are measured.',
  },
  'alter.log.dirs.replication.quota.window.size.seconds': {
    type: 'int',
    default: 1,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Length of such a window, in seconds.',
  },
  'controller.quota.window.num': {
    type: 'int',
    default: 11,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Time windows over which quotas of controller mutations are measured.',
  },
  'controller.quota.window.size.seconds': {
    type: 'int',
    default: 1,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Length of such a window, in seconds.',
  },
  'client.quota.callback.class': {
    type: 'class',
    default: null,
    importance: 'low',
    doc: 'Class that decides client quotas; Java classes cannot be loaded, so a value is refused.',
  },
} satisfies ConfigTable
