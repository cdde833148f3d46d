import { UsageError } from '@syndrome/decode/common/errors.ts';
import { parseU64 } from '@syndrome/decode/common/hex.ts';
import { SETTINGS } from '@syndrome/decode/outlook/context.ts';
import type { Consumer, OutlookContext, Settings } from '@syndrome/decode/outlook/context.ts';
import { parseVersion } from '@syndrome/decode/outlook/version.ts';

/** What every command that asks the outlook takes. */
export interface ContextOptions {
  consumer?: string;
  set?: string[];
}

const CONSUMERS: readonly Consumer[] = ['linux', 'xen', 'qemu', 'kvm', 'vmm'];
const REGISTERS: ReadonlySet<keyof Settings> = new Set(['mcgStatus', 'mcgCap', 'bankStatus']);
const NUMBERS: ReadonlySet<keyof Settings> = new Set(['cpus', 'monarchTimeout']);
/** Settings that are words; an empty list takes any. */
const WORDS: Readonly<Partial<Record<keyof Settings, readonly string[]>>> = {
  version: [],
  vendor: ['intel', 'amd', 'arm'],
  delivery: [
    'exception',
    'poll',
    'cmci',
    'interrupt',
    'boot',
    'sea',
    'serror',
    'ghes-sea',
    'ghes-notify',
    'hmp',
    'qmp-ghes',
    'set-mce',
    'sigbus-ao',
    'sigbus-ar',
  ],
  platform: ['bare-metal', 'kvm', 'tcg'],
  running: ['user', 'kernel', 'kernel-recoverable', 'idle'],
  page: ['user', 'free', 'kernel', 'poisoned', 'none'],
};
const BOOLEANS: Readonly<Record<string, boolean>> = {
  yes: true,
  true: true,
  on: true,
  no: false,
  false: false,
  off: false,
};

function settingValue(name: keyof Settings, text: string): Settings[keyof Settings] {
  const words = WORDS[name];
  if (words !== undefined) {
    if (name === 'version' && parseVersion(text) === undefined) {
      throw new UsageError('E_USAGE', `--set version=${text}: no version`, {
        hint: 'A version begins with a number: 6.19.6, 7.0-rc3, 6.12.57+deb13-amd64, 11.1.3.',
      });
    }
    if (words.length === 0 || words.includes(text)) return text as Settings[keyof Settings];
    throw new UsageError('E_USAGE', `--set ${name}=${text}: expected ${words.join(', ')}`);
  }
  if (REGISTERS.has(name) || NUMBERS.has(name)) {
    const value = parseU64(text);
    if (value === undefined || (NUMBERS.has(name) && value > 0xffff_ffffn)) {
      throw new UsageError('E_USAGE', `--set ${name}=${text}: expected a number`);
    }
    return NUMBERS.has(name) ? Number(value) : value;
  }
  const value = Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined;
  if (value === undefined) throw new UsageError('E_USAGE', `--set ${name}=${text}: expected yes or no`);
  return value;
}

/** What `--consumer` and `--set` say. @throws UsageError. */
export function contextOf(options: ContextOptions): Partial<OutlookContext> {
  const known: Partial<Record<keyof Settings, Settings[keyof Settings]>> = {};
  for (const pair of options.set ?? []) {
    const at = pair.indexOf('=');
    const name = SETTINGS.find(s => s === pair.slice(0, at));
    if (at < 0 || name === undefined) {
      throw new UsageError('E_USAGE', `--set ${pair}: no such setting`, { hint: `Settings: ${SETTINGS.join(', ')}.` });
    }
    known[name] = settingValue(name, pair.slice(at + 1));
  }
  const consumer = CONSUMERS.find(c => c === options.consumer);
  if (options.consumer !== undefined && consumer === undefined) {
    throw new UsageError('E_USAGE', `--consumer ${options.consumer}: expected ${CONSUMERS.join(', ')}`);
  }
  return { ...known, ...(consumer === undefined ? {} : { consumer }) } as Partial<OutlookContext>;
}
