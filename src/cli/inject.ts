import { UsageError } from '../common/errors.ts';
import { hex64, parseU64 } from '../common/hex.ts';
import { didYouMean } from '../common/nearest.ts';
import { safeText } from '../common/screen.ts';
import { CPER_SEVERITIES, encodeGhesBlock } from '../cper/ghes.ts';
import { classify } from '../mca/classify.ts';
import { explain } from '../mca/explain.ts';
import { NAMED_MCA, type NamedMca } from '../mca/named.ts';
import { QmpClient } from '../qmp/client.ts';
import { injectGhes } from '../qmp/ghes.ts';
import { injectMce, type Mce, mceCommandLine } from '../qmp/mce.ts';
import { EXIT } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { type GlobalOptions, print, printJson, say, stdoutStyle } from './output.ts';
import { qmpAddress } from './qmp-address.ts';

interface Options extends GlobalOptions {
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
  /** May kill or reset the guest: needs --yes. */
  fatal: boolean;
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
const UC = 1n << 61n;
const PCC = 1n << 57n;
const RIPV = 1n;

/**
 * Decides from the bits alone, so that a named record and its raw values are treated alike. An uncorrected error goes to
 * the guest as #MC, and what the CPU was doing then decides about its life: idle or in the kernel means a panic. Only an
 * action-optional error that reaches all CPUs leaves the guest alone; without the broadcast Linux waits for the other CPUs
 * in vain and panics (arch/x86/kernel/cpu/mce/core.c, mce_timed_out).
 */
export function mayKillGuest(mce: Pick<Mce, 'status' | 'mcgStatus' | 'broadcast'>): boolean {
  // With a broadcast the other CPUs get an uncorrected error, whatever the first one gets.
  if ((mce.status & (UC | PCC)) === 0n) return mce.broadcast === true;
  const optional = classify({ status: mce.status, vendor: 'intel' }) === 'SRAO' && (mce.mcgStatus & RIPV) !== 0n;
  return !(optional && mce.broadcast === true);
}

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
  if ((mce.status & VAL) === 0n) {
    throw new UsageError('E_USAGE', `status ${hex64(mce.status)} has no VAL (bit 63): QEMU refuses it`);
  }
  const { status, mcgStatus, addr, misc, bank, cpu } = mce;
  const meaning = explain({
    kind: 'x86-mca',
    ...(named ? { vendor: named.vendor } : {}),
    cpu,
    bank,
    status,
    mcgStatus,
    addr,
    misc,
  });
  return {
    command: mceCommandLine(mce),
    meaning: named ? `${named.explanation} ${meaning}` : meaning,
    fatal: mayKillGuest(mce),
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
  const cper = Buffer.from(block).toString('base64');
  return {
    command: `{"execute":"inject-ghes-v2-error","arguments":{"cper":"${cper}"}}`,
    meaning: `a ${severity} CPER memory section (multi-bit ECC) for ${hex64(physicalAddress)}, as firmware would report it`,
    fatal: severity === 'fatal',
    notes: [],
    carryOut: async client => {
      await injectGhes(client, block);
      return { bytes: block.length };
    },
  };
}

function list(options: Options): void {
  const style = stdoutStyle(options);
  for (const r of NAMED_MCA) {
    const needsYes = mayKillGuest({ ...r, broadcast: broadcastByDefault(r) });
    if (options.json) printJson({ ...r, broadcast: broadcastByDefault(r), needsYes });
    else {
      const flags = [
        `${r.vendor}, bank ${r.bank}`,
        ...(r.needsAddress ? ['needs --addr'] : []),
        ...(broadcastByDefault(r) ? ['to all CPUs'] : []),
        ...(needsYes ? ['needs --yes'] : []),
      ].join(', ');
      print(
        `${style('bold', r.name.padEnd(13))} ${hex64(r.status)} mcg ${hex64(r.mcgStatus).replace(/^0x0+(?=.)/, '0x')}  ${style('dim', flags)}`,
      );
      print(`    ${r.explanation}`);
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

/** `syndrome inject`. What may kill a VM we did not start needs --yes. */
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
  if (options.printCmd) return print(plan.command);
  if (options.dryRun) {
    if (options.json)
      printJson({
        schemaVersion: 1,
        kind,
        command: plan.command,
        meaning: plan.meaning,
        fatal: plan.fatal,
        notes: plan.notes,
        injected: false,
      });
    else {
      print(plan.command);
      print(plan.meaning);
      for (const note of plan.notes) print(note);
      if (plan.fatal) print('This may kill or reset the guest: it needs --yes.');
    }
    return;
  }
  if (options.qmp === undefined) {
    throw new UsageError('E_USAGE', '--qmp is missing', { hint: 'Give the QMP socket of the VM, or --dry-run.' });
  }
  if (plan.fatal && !options.yes) {
    throw new UsageError('E_INJECT_FATAL', `${kind} may kill or reset the guest; nothing was done`, {
      hint: `Repeat with --yes if that is what you want: ${plan.command}`,
    });
  }
  const client = await QmpClient.connect(qmpAddress(options.qmp), { signal: interruptSignal() });
  try {
    if (!options.json) for (const line of [...plan.notes, `> ${plan.command}`]) say(line);
    const result = await plan.carryOut(client);
    if (options.json) printJson({ schemaVersion: 1, kind, command: plan.command, injected: true, result });
    else {
      const action = typeof result.action === 'string' ? `QEMU: ${result.action}` : 'QEMU accepted the record';
      print(`${action}. ${plan.meaning}`);
      if (typeof result.output === 'string' && result.output !== '')
        for (const line of result.output.trim().split('\n')) print(safeText(line));
    }
    if (result.action === 'ignore') process.exitCode = EXIT.fail;
  } finally {
    await client.close();
  }
}
