/** @module Whether systemd starts a VM's process again by itself: after its end, or with the host (systemd.service(5), systemctl(1)). */
import { runOnce } from './acts/child.ts';

/** A service of a process: of the system's manager, or of that of a user. */
export interface Unit {
  name: string;
  /** Whose manager has it, as a numeric user id; undefined for the system's. */
  user?: number;
}

/** Whether a unit starts again, and what systemd said of it. */
interface UnitAnswer {
  again: boolean;
  /** For a person and an audit: `Restart=no UnitFileState=disabled`, or why it could not be asked. */
  said: string;
}

/** Whoever has one of these is started with it, or upholds it (systemd.unit(5), "Mapping of unit properties to their inverses"). */
const PULLED_BY = ['WantedBy', 'RequiredBy', 'RequisiteOf', 'UpheldBy', 'TriggeredBy'] as const;
const ASKED = ['LoadState', 'UnitFileState', 'Restart', 'RestartForceExitStatus', ...PULLED_BY];
/** States of a unit's file in which nothing of its own starts it at boot (systemctl(1), "is-enabled"). */
const NOT_AT_BOOT: ReadonlySet<string> = new Set([
  'disabled',
  'static',
  'indirect',
  'linked',
  'linked-runtime',
  'masked',
  'masked-runtime',
  'transient',
]);
const ANSWER_MS = 3000;
/** Reports may say what was true so long ago; a proof never does. */
const OLD_MS = 60_000;

/**
 * What the properties of a unit mean: it starts again when it is enabled, when another unit pulls it in, or when it is restarted after a
 * kill. A unit that is not loaded, or of which something is not said, is to be feared.
 * @param text lines `Name=value` of `systemctl show`
 * @example startsAgain('LoadState=loaded\nUnitFileState=disabled\nRestart=no\nRestartForceExitStatus=\n…')
 */
export function startsAgain(text: string): UnitAnswer {
  const said = new Map(
    text.split('\n').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const is = (name: string): string | undefined => said.get(name)?.trim();
  const why: string[] = [];
  if (is('LoadState') !== 'loaded') why.push(`LoadState=${is('LoadState') ?? '?'}`);
  const file = is('UnitFileState') ?? '?';
  if (!NOT_AT_BOOT.has(file)) why.push(`UnitFileState=${file}`);
  if (is('Restart') !== 'no') why.push(`Restart=${is('Restart') ?? '?'}`);
  // These exit codes restart it whatever Restart= says.
  const forced = is('RestartForceExitStatus') ?? '';
  if (forced !== '') why.push(`RestartForceExitStatus=${forced}`);
  for (const name of PULLED_BY) {
    const by = is(name) ?? '';
    if (by !== '') why.push(`${name}=${by}`);
  }
  return why.length > 0
    ? { again: true, said: why.join(' ').slice(0, 500) }
    : { again: false, said: `Restart=no UnitFileState=${file}` };
}

interface UnitsOptions {
  /** Program and first arguments. Default `['systemctl']`. */
  systemctl?: readonly string[];
}

/** Asks systemd. Its answers are kept for reports, and asked for anew for a proof. */
export class Units {
  readonly #systemctl: readonly string[];
  readonly #known = new Map<string, { at: number; answer: UnitAnswer }>();

  constructor({ systemctl = ['systemctl'] }: UnitsOptions = {}) {
    this.#systemctl = systemctl;
  }

  /** Asks now; where it cannot be asked, it starts again for all that is known. */
  async ask(unit: Unit, signal: AbortSignal = AbortSignal.timeout(ANSWER_MS)): Promise<UnitAnswer> {
    const answer = await this.#ask(unit, signal);
    this.#known.set(keyOf(unit), { at: performance.now(), answer });
    return answer;
  }

  /** As {@link ask}, or as it was said within the last minute. */
  async lately(unit: Unit): Promise<UnitAnswer> {
    const known = this.#known.get(keyOf(unit));
    return known !== undefined && performance.now() - known.at < OLD_MS ? known.answer : this.ask(unit);
  }

  async #ask({ name, user }: Unit, signal: AbortSignal): Promise<UnitAnswer> {
    // Only its own user reaches a user's manager without a login session.
    if (user !== undefined && user !== process.geteuid?.())
      return { again: true, said: `it is a unit of user ${user}, whose manager this agent cannot ask` };
    const manager = user === undefined ? ['--system'] : ['--user'];
    const properties = ASKED.flatMap(property => ['-p', property]);
    const ran = await runOnce([...this.#systemctl, ...manager, 'show', ...properties, '--', name], ANSWER_MS, signal);
    if (ran.code !== 0) return { again: true, said: `systemctl: ${ran.output.slice(0, 200) || 'no answer'}` };
    return startsAgain(ran.output);
  }
}

const keyOf = ({ name, user }: Unit): string => `${user ?? ''}/${name}`;
