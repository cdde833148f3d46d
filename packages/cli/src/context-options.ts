import { UsageError } from '@syndrome/decode/common/errors.ts';
import { CONSUMERS } from '@syndrome/decode/outlook/consumer.ts';
import { SETTINGS } from '@syndrome/decode/outlook/context.ts';
import type { OutlookContext, Settings } from '@syndrome/decode/outlook/context.ts';
import { settings, settingValue } from '@syndrome/decode/outlook/settings.ts';

/** What every command that asks the outlook takes. */
export interface ContextOptions {
  consumer?: string;
  set?: string[];
}

const EXPECTED: Readonly<Record<string, string>> = { 'yes-no': 'yes or no', number: 'a number', register: 'a number' };

function valueOf(name: keyof Settings, text: string): Settings[keyof Settings] {
  const value = settingValue(name, text);
  if (value !== undefined) return value;
  const { kind, values } = settings().find(s => s.name === name) ?? { kind: 'words', values: [] };
  if (kind === 'version') {
    throw new UsageError('E_USAGE', `--set version=${text}: no version`, {
      hint: 'A version begins with a number: 6.19.6, 7.0-rc3, 6.12.57+deb13-amd64, 11.1.3.',
    });
  }
  throw new UsageError('E_USAGE', `--set ${name}=${text}: expected ${EXPECTED[kind] ?? values.join(', ')}`);
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
    known[name] = valueOf(name, pair.slice(at + 1));
  }
  const consumer = CONSUMERS.find(c => c === options.consumer);
  if (options.consumer !== undefined && consumer === undefined) {
    throw new UsageError('E_USAGE', `--consumer ${options.consumer}: expected ${CONSUMERS.join(', ')}`);
  }
  return { ...known, ...(consumer === undefined ? {} : { consumer }) } as Partial<OutlookContext>;
}
