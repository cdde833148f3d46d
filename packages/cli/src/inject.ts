import { UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import { didYouMean } from '@syndrome/decode/common/nearest.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { CPER_SEVERITIES } from '@syndrome/decode/cper/ghes.ts';
import { ghesBlock, ghesInjection } from '@syndrome/decode/inject/ghes.ts';
import type { GhesInjection, MceInjection } from '@syndrome/decode/inject/injection.ts';
import { SOME_ADDRESS, goesToAll, mceInjection } from '@syndrome/decode/inject/mce.ts';
import { commandOf, wordsOf } from '@syndrome/decode/inject/ways.ts';
import { NAMED_MCA, type NamedMca } from '@syndrome/decode/mca/named.ts';
import { MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import type { Target } from '@syndrome/decode/outlook/danger.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { injectGhes } from '@syndrome/qemu/qmp/ghes.ts';
import { machineFacts } from '@syndrome/qemu/qmp/machine-facts.ts';
import { type MceResult, injectMce } from '@syndrome/qemu/qmp/mce.ts';
import { type Consent, consentFor, consentLines, knownTarget, statedTarget } from './consent.ts';
import type { ContextOptions } from './context-options.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { type GlobalOptions, print, printJson, say, stdoutStyle } from './output.ts';
import { qmpAddress } from './qmp-address.ts';

interface Options extends GlobalOptions, ContextOptions {
  qmp?: string;
  list?: boolean;
  cpu?: string;
  bank?: string;
  status?: string;
  mcgstatus?: string;
  addr?: string;
  misc?: string;
  broadcast?: boolean;
  severity?: string;
  dryRun?: boolean;
  printCmd?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** What is about to be done, before anything is connected. */
interface Plan {
  injection: MceInjection | GhesInjection;
  /** In words. */
  meaning: string;
  /** What was chosen for the caller, in words. */
  notes: string[];
}

function u64(option: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const value = parseU64(text);
  if (value === undefined)
    throw new UsageError('E_USAGE', `--${option} ${text} is not a 64-bit value`, { hint: 'Write 0x… or decimal.' });
  return value;
}

/** A number that names a CPU or a bank; which of them the machine has, only the machine knows. */
function index(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,4}$/.test(text)) {
    throw new UsageError('E_USAGE', `--${option} ${text} is not a number of at most four digits`);
  }
  return Number(text);
}

function mcePlan(named: NamedMca | undefined, options: Options): Plan {
  if (!named && options.status === undefined) {
    throw new UsageError('E_USAGE', 'inject mce needs --status', {
      hint: 'For example --status 0x9c000000000000c0, or a named record.',
    });
  }
  if (named?.needsAddress && options.addr === undefined) {
    throw new UsageError('E_USAGE', `${named.name} needs --addr`, {
      hint: 'A guest physical address, such as 0x1234000.',
    });
  }
  const broadcast = options.broadcast ?? goesToAll(named);
  const injection = mceInjection({
    named,
    cpu: index('cpu', options.cpu),
    bank: index('bank', options.bank),
    status: u64('status', options.status),
    mcgStatus: u64('mcgstatus', options.mcgstatus),
    addr: u64('addr', options.addr),
    misc: u64('misc', options.misc),
    broadcast,
  });
  const { status } = injection;
  if (!MCI_STATUS_INTEL.decode(status).VAL)
    throw new UsageError('E_USAGE', `status ${hex64(status)} has no VAL (bit 63): QEMU refuses it`);
  const chosen = broadcast && options.broadcast === undefined;
  return {
    injection,
    meaning: [...(named ? [named.explanation] : []), wordsOf(injection)].join(' '),
    notes: chosen
      ? [`${named?.name} goes to all CPUs; --no-broadcast sends it to one, which panics an Intel guest with more.`]
      : [],
  };
}

function ghesPlan(options: Options): Plan {
  const severity = CPER_SEVERITIES.find(s => s === (options.severity ?? 'recoverable'));
  if (!severity)
    throw new UsageError('E_USAGE', `--severity ${options.severity}: expected ${CPER_SEVERITIES.join(', ')}`);
  const addr = u64('addr', options.addr);
  if (addr === undefined) throw new UsageError('E_USAGE', 'inject ghes needs --addr, a guest physical address');
  const injection = ghesInjection(severity, addr);
  return { injection, meaning: wordsOf(injection) ?? '', notes: [] };
}

/** What came of it. */
async function carryOut(
  client: QmpClient,
  injection: Plan['injection'],
): Promise<Partial<MceResult> & { bytes?: number }> {
  if (injection.way === 'mce') return injectMce(client, injection);
  const block = ghesBlock(injection);
  await injectGhes(client, block);
  return { bytes: block.length };
}

const VENDORS = ['intel', 'amd'] as const;
const withVendor = (target: Target, vendor: Settings['vendor']): Target => ({
  ...target,
  vmm: { vendor, ...target.vmm },
});

function list(options: Options): void {
  const style = stdoutStyle(options);
  const target = statedTarget(options);
  for (const r of NAMED_MCA) {
    const broadcast = goesToAll(r);
    const consent = consentFor(mceInjection({ named: r, addr: SOME_ADDRESS, broadcast }), target);
    if (options.json) printJson({ ...r, broadcast, fatal: consent.needed, consent });
    else {
      const flags = [
        `${r.vendor}, bank ${r.bank}`,
        ...(r.needsAddress ? ['needs --addr'] : []),
        ...(broadcast ? ['to all CPUs'] : []),
        ...(consent.needed ? ['needs --yes'] : []),
      ].join(', ');
      print(
        `${style('bold', r.name.padEnd(13))} ${hex64(r.status)} mcg ${hex64(r.mcgStatus).replace(/^0x0+(?=.)/, '0x')}  ${style('dim', flags)}`,
      );
      print(`    ${r.explanation}`);
      for (const line of consentLines(consent)) print(style('dim', `    ${line}`));
    }
  }
}

/** Options that only some kinds know; given to another they would be ignored without a word. */
const ONLY_MCE = ['cpu', 'bank', 'status', 'mcgstatus', 'misc', 'broadcast'] as const;
const ONLY_GHES = ['severity'] as const;

function refuseForeign(kind: string, options: Options): void {
  const foreign = (kind === 'ghes' ? ONLY_MCE : ONLY_GHES).filter(name => options[name] !== undefined);
  if (foreign.length === 0) return;
  const names = foreign.map(name => (options[name] === false ? `--no-${name}` : `--${name}`)).join(', ');
  throw new UsageError('E_USAGE', `${names} ${foreign.length === 1 ? 'does' : 'do'} not apply to ${kind}`, {
    hint: kind === 'ghes' ? 'ghes takes --addr and --severity.' : 'Only ghes has a --severity.',
  });
}

/** `syndrome inject`. What may end badly for a VM we did not start needs --yes; the outlook says what may. */
export async function inject(kind: string | undefined, options: Options): Promise<void> {
  if (options.list) return list(options);
  const known = [...NAMED_MCA.map(r => r.name), 'mce', 'ghes'];
  if (kind === undefined)
    throw new UsageError('E_USAGE', 'what should be injected?', { hint: `One of ${known.join(', ')}.` });
  if (!known.includes(kind)) {
    throw new UsageError('E_USAGE', `there is no kind "${kind}"`, { hint: didYouMean(kind, known) });
  }
  const named = NAMED_MCA.find(r => r.name === kind);
  refuseForeign(kind, options);
  const plan = kind === 'ghes' ? ghesPlan(options) : mcePlan(named, options);
  const stated = statedTarget(options);
  const { injection, meaning, notes } = plan;
  const command = commandOf(injection) ?? '';
  if (options.printCmd) return print(command);
  /** All that is said of an injection that is not done. */
  const notDone = (consent: Consent): void =>
    printJson({ schemaVersion: 1, kind, command, meaning, fatal: consent.needed, consent, notes, injected: false });
  if (options.dryRun) {
    const consent = consentFor(injection, stated);
    if (options.json) return notDone(consent);
    for (const line of [command, meaning, ...notes]) print(line);
    if (consent.needed) for (const line of ['It needs --yes:', ...consentLines(consent)]) print(line);
    return;
  }
  if (options.qmp === undefined) {
    throw new UsageError('E_USAGE', '--qmp is missing', { hint: 'Give the QMP socket of the VM, or --dry-run.' });
  }
  const refusal = (consent: Consent, more: { cause?: unknown } = {}): UsageError => {
    if (options.json) notDone(consent);
    else for (const line of [`What ${kind} may do to this machine:`, ...consentLines(consent)]) say(line);
    return new UsageError('E_INJECT_FATAL', `${kind} may kill or reset the guest; nothing was done`, {
      hint: `Repeat with --yes if that is what you want, or say what runs there (--consumer, --set): ${command}`,
      ...more,
    });
  };
  const client = await QmpClient.connect(qmpAddress(options.qmp), { signal: interruptSignal() }).catch(
    (cause: unknown) => {
      // No answer of the machine would spare the question.
      if (options.yes || !VENDORS.every(vendor => consentFor(injection, withVendor(stated, vendor)).needed))
        throw cause;
      throw refusal(consentFor(injection, stated), { cause });
    },
  );
  try {
    const consent = consentFor(injection, knownTarget(stated, await machineFacts(client)));
    if (consent.needed && !options.yes) throw refusal(consent);
    if (!options.json) for (const line of [...notes, `> ${command}`]) say(line);
    const result = await carryOut(client, injection);
    if (options.json)
      printJson({ schemaVersion: 1, kind, command, fatal: consent.needed, consent, injected: true, result });
    else {
      const action = typeof result.action === 'string' ? `QEMU: ${result.action}` : 'QEMU accepted the record';
      print(`${action}. ${meaning}`);
      if (typeof result.output === 'string' && result.output !== '')
        for (const line of result.output.trim().split('\n')) print(safeText(line));
    }
    if (result.action === 'ignore') process.exitCode = EXIT.fail;
  } finally {
    await client.close();
  }
}
