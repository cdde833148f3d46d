/**
 * What some tests need beyond the parts in the cache. Where it is missing they are skipped with the reason; where
 * SYNDROME_TESTS_REQUIRE (as in .ci/run) or SYNDROME_REQUIRE names it, they fail with the same reason.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fetcher } from '../fetcher.ts';
import { openLayout } from '../layout.ts';

const NEEDS = ['mirror', 'libvirt', 'systemd', 'fence', 'sanlock', 'packers', 'postgres', 'prometheus'] as const;
type Need = (typeof NEEDS)[number];

/** What brings libvirt, for the reason of a test that is skipped. */
export const LIBVIRT_APT_LINE =
  'apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold libvirt-daemon-system libvirt-clients libvirt-daemon-driver-qemu qemu-system-x86 qemu-utils';

/** SYNDROME_REQUIRE adds to what .ci/run requires by itself. */
function required(): string {
  return `${process.env['SYNDROME_TESTS_REQUIRE'] ?? ''},${process.env['SYNDROME_REQUIRE'] ?? ''}`;
}

/** What the environment requires. @throws an Error for a word that is no need, which would require nothing */
export function requiredNeeds(words = required()): Need[] {
  return words.split(/[\s,]+/).flatMap(word => {
    if (word === '') return [];
    const need = NEEDS.find(n => n === word);
    if (need === undefined) throw new Error(`SYNDROME_TESTS_REQUIRE: no test needs "${word}", but ${NEEDS.join(', ')}`);
    return [need];
  });
}

/** Goes on with a test, skips it, or fails it. @param missing why it cannot run; undefined when it can */
export function skipWithout(
  context: { skip(reason: string): void },
  need: Need,
  missing: string | undefined,
  needs: readonly Need[] = requiredNeeds(),
): void {
  if (missing === undefined) return;
  if (needs.includes(need)) throw new Error(`a ${need} is required here: ${missing}`);
  context.skip(missing);
}

/** Why no package can be fetched here, as apt says it; undefined when one can. */
export async function noMirror(mirror?: string): Promise<string | undefined> {
  const cache = mkdtempSync(join(tmpdir(), 'mirror-'));
  try {
    const fetcher = new Fetcher(openLayout(cache), { mirror });
    if (mirror === undefined && fetcher.offline) return 'SYNDROME_OFFLINE is set';
    // The smallest of the lists.
    await fetcher.index('mirror', fetcher.hostArch(), ['trixie-updates']);
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'E_SUPPLY_NETWORK' || code === 'E_SUPPLY_NO_MIRROR') return message;
    throw error;
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
