import { UsageError } from '@syndrome/decode/common/errors.ts';
import { hex64, parseU64 } from '@syndrome/decode/common/hex.ts';
import { didYouMean } from '@syndrome/decode/common/nearest.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { CPER_SEVERITIES, decodeGhesBlock, encodeGhesBlock } from '@syndrome/decode/cper/ghes.ts';
import { explain } from '@syndrome/decode/mca/of-record.ts';
import { NAMED_MCA, type NamedMca } from '@syndrome/decode/mca/named.ts';
import type { Settings } from '@syndrome/decode/outlook/context.ts';
import type { Target } from '@syndrome/decode/outlook/danger.ts';
import type { OutlookRecord } from '@syndrome/decode/outlook/record.ts';
import { QmpClient } from '@syndrome/qemu/qmp/client.ts';
import { injectGhes } from '@syndrome/qemu/qmp/ghes.ts';
import { machineFacts } from '@syndrome/qemu/qmp/machine-facts.ts';
import { injectMce, type Mce, mceCommandLine } from '@syndrome/qemu/qmp/mce.ts';
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
  /** The monitor command, as one could type it. */
  command: string;
  /** In words. */
  meaning: string;
  /** As the outlook takes it, and how it is sent. */
  record: OutlookRecord;
  broadcast?: boolean;
  /** What was chosen for the caller, in words. */
  notes: string[];
  carryOut: (client: QmpClient) => Promise<Record<string, unknown>>;
}

function u64(option: string, text: string | undefined, fallback: bigint | undefined): bigint {
  if (text === undefined) return fallback ?? 0n;
  const value = parseU64(text);
  if (value === undefined)
    throw new UsageError('E_USAGE', `--${option} ${text} is not a 64-bit value`, { hint: 'Write 0x… or decimal.' });
  return value;
}

/** A number that names a CPU or a bank; which of them the machine has, only the machine knows. */
function index(option: string, text: string): number {
  if (!/^\d{1,4}$/.test(text)) {
    throw new UsageError('E_USAGE', `--${option} ${text} is not a number of at most four digits`);
  }
  return Number(text);
}

const VAL = 1n << 63n;

/** Only the action-optional record is sent to all CPUs unless the caller says otherwise. */
const broadcastByDefault = (named: NamedMca | undefined): boolean => named?.name === 'srao';

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
  const mce: Mce = {
    cpu: index('cpu', options.cpu ?? '0'),
    bank: options.bank === undefined ? (named?.bank ?? 0) : index('bank', options.bank),
    status: u64('status', options.status, named?.status),
    mcgStatus: u64('mcgstatus', options.mcgstatus, named?.mcgStatus),
    addr: u64('addr', options.addr, undefined),
    misc: u64('misc', options.misc, named?.misc),
    broadcast: options.broadcast ?? broadcastByDefault(named),
  };
  const { broadcast = false, ...registers } = mce;
  const { status } = registers;
  if ((status & VAL) === 0n)
    throw new UsageError('E_USAGE', `status ${hex64(status)} has no VAL (bit 63): QEMU refuses it`);
  // Whose CPU the guest has, only the machine knows: a record with a name may be given to any.
  const record = { kind: 'x86-mca' as const, ...registers };
  const meaning = explain({ ...record, ...(named ? { vendor: named.vendor } : {}) });
  return {
    command: mceCommandLine(mce),
    meaning: named ? `${named.explanation} ${meaning}` : meaning,
    record,
    broadcast,
    notes:
      broadcastByDefault(named) && options.broadcast === undefined
        ? [`${named?.name} goes to all CPUs; --no-broadcast sends it to one, which panics an Intel guest with more.`]
        : [],
    carryOut: async client => ({ ...(await injectMce(client, mce)) }),
  };
}

function ghesPlan(options: Options): Plan {
  const severity = CPER_SEVERITIES.find(s => s === (options.severity ?? 'recoverable'));
  if (!severity)
    throw new UsageError('E_USAGE', `--severity ${options.severity}: expected ${CPER_SEVERITIES.join(', ')}`);
  if (options.addr === undefined) throw new UsageError('E_USAGE', 'inject ghes needs --addr, a guest physical address');
  const physicalAddress = u64('addr', options.addr, undefined);
  const block = encodeGhesBlock({
    severity,
    sections: [
      { body: { kind: 'memory', physicalAddress, physicalAddressMask: 0xffff_ffff_ffff_f000n, errorType: 3 } },
    ],
  });
  const { value: record } = decodeGhesBlock(block);
  if (record === undefined) throw new Error('the block that was just encoded cannot be read');
  const cper = Buffer.from(block).toString('base64');
  return {
    command: `{"execute":"inject-ghes-v2-error","arguments":{"cper":"${cper}"}}`,
    meaning: `a ${severity} CPER memory section (multi-bit ECC) for ${hex64(physicalAddress)}, as firmware would report it`,
    record,
    notes: [],
    carryOut: async client => {
      await injectGhes(client, block);
      return { bytes: block.length };
    },
  };
}

/** The consent that a plan needs of somebody whose machine is known so far. */
function consentOf({ record, broadcast }: Pick<Plan, 'record' | 'broadcast'>, target: Target): Consent {
  const vmm = { ...target.vmm, ...(broadcast === undefined ? {} : { broadcast }) };
  return consentFor(record, { ...target, vmm });
}

const VENDORS = ['intel', 'amd'] as const;
const withVendor = (target: Target, vendor: Settings['vendor']): Target => ({
  ...target,
  vmm: { vendor, ...target.vmm },
});

/** Where a record without an address of its own is looked at. */
const SOME_ADDRESS = 0x1234000n;

function list(options: Options): void {
  const style = stdoutStyle(options);
  const target = statedTarget(options);
  for (const r of NAMED_MCA) {
    const broadcast = broadcastByDefault(r);
    const { bank, status, mcgStatus, misc } = r;
    const record = { kind: 'x86-mca' as const, cpu: 0, bank, status, mcgStatus, addr: SOME_ADDRESS, misc };
    const consent = consentOf({ record, broadcast }, target);
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
  if (options.printCmd) return print(plan.command);
  const { command, meaning, notes } = plan;
  /** All that is said of an injection that is not done. */
  const notDone = (consent: Consent): void =>
    printJson({ schemaVersion: 1, kind, command, meaning, fatal: consent.needed, consent, notes, injected: false });
  if (options.dryRun) {
    const consent = consentOf(plan, stated);
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
      if (options.yes || !VENDORS.every(vendor => consentOf(plan, withVendor(stated, vendor)).needed)) throw cause;
      throw refusal(consentOf(plan, stated), { cause });
    },
  );
  try {
    const consent = consentOf(plan, knownTarget(stated, await machineFacts(client)));
    if (consent.needed && !options.yes) throw refusal(consent);
    if (!options.json) for (const line of [...notes, `> ${command}`]) say(line);
    const result = await plan.carryOut(client);
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
