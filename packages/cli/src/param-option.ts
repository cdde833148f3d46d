/** @module `--param NAME=VALUE[,VALUE]`: which variants of a scenario with parameters are meant. */
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { repeated } from './decode-commands.ts';

/** The option, as commander takes it: it may be given several times. */
export const PARAM = [
  '--param <name=values>',
  'of a scenario with parameters only the variants with one of these values (several: separated by commas)',
  repeated,
] as const;

/**
 * Values by parameter; a parameter that is given twice has the values of both.
 * @example chosenParams(['page=anon,thp']) // Map { 'page' => ['anon', 'thp'] }
 * @throws UsageError E_USAGE
 */
export function chosenParams(given: readonly string[] = []): Map<string, string[]> {
  const chosen = new Map<string, string[]>();
  for (const text of given) {
    const [, name, values] = /^([a-z][a-z0-9-]*)=(.+)$/.exec(text) ?? [];
    if (name === undefined || values === undefined) {
      throw new UsageError('E_USAGE', `--param ${text}: expected NAME=VALUE or NAME=VALUE,VALUE`);
    }
    chosen.set(name, [...(chosen.get(name) ?? []), ...values.split(',')]);
  }
  return chosen;
}
