/** @module What each setting of a context may be, for option tables, forms and completion. */
import { parseU64 } from '../common/hex.ts';
import type { Settings } from './context.ts';
import { DELIVERIES, FIELDS, PAGES, PLATFORMS, RUNNING, SETTINGS, VENDORS } from './context.ts';
import { parseVersion } from './version.ts';

/** One setting that a prediction may be given. */
export interface SettingInfo {
  name: keyof Settings;
  /** What it says, in a few words. */
  text: string;
  kind: 'words' | 'version' | 'yes-no' | 'number' | 'register';
  /** All values of `words` and `yes-no`; empty where they are not counted. */
  values: readonly string[];
}

const WORDS: Readonly<Partial<Record<keyof Settings, readonly string[]>>> = {
  vendor: VENDORS,
  delivery: Object.keys(DELIVERIES),
  platform: PLATFORMS,
  running: RUNNING,
  page: PAGES,
};
const REGISTERS: readonly (keyof Settings)[] = ['mcgStatus', 'mcgCap', 'bankStatus'];
const NUMBERS: readonly (keyof Settings)[] = ['cpus', 'monarchTimeout'];
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['true', true],
  ['on', true],
  ['no', false],
  ['false', false],
  ['off', false],
]);

function kindOf(name: keyof Settings): SettingInfo['kind'] {
  if (name === 'version') return 'version';
  if (WORDS[name] !== undefined) return 'words';
  return REGISTERS.includes(name) ? 'register' : NUMBERS.includes(name) ? 'number' : 'yes-no';
}

/**
 * Every setting with its values.
 *
 * @example
 * settings().find(s => s.name === 'running').values // ['user', 'kernel', 'kernel-recoverable', 'idle']
 */
export function settings(): SettingInfo[] {
  return SETTINGS.map(name => {
    const kind = kindOf(name);
    const values = WORDS[name] ?? (kind === 'yes-no' ? ['yes', 'no'] : []);
    return { name, text: FIELDS[name].text, kind, values };
  });
}

/** The value that a text is for a setting; undefined when it is none. */
export function settingValue(name: keyof Settings, text: string): Settings[keyof Settings] | undefined {
  const kind = kindOf(name);
  if (kind === 'version') return parseVersion(text) === undefined ? undefined : text;
  if (kind === 'words') return WORDS[name]?.includes(text) ? (text as Settings[keyof Settings]) : undefined;
  if (kind === 'yes-no') return BOOLEANS.get(text);
  const value = parseU64(text);
  if (value === undefined || kind === 'register') return value;
  return value > 0xffff_ffffn ? undefined : Number(value);
}
