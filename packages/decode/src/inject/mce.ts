/** @module The way of the monitor command `mce`. */
import { explain } from '../mca/of-record.ts';
import { namedMca } from '../mca/named.ts';
import type { NamedMca } from '../mca/named.ts';
import type { X86McaRecord } from '../mca/record.ts';
import type { Mce, MceInjection } from './injection.ts';
import { mceCommandLine } from './mce-command.ts';
import { indexOf, nameOf, u64Of } from './way.ts';
import type { Fields, WayOf } from './way.ts';

/** What is chosen of a machine check; the rest is that of the named record, or zero. */
type MceChoice = { [K in keyof Mce]?: Mce[K] | undefined } & { named?: NamedMca | undefined };

/** Where a named record is looked at, as long as nobody says where it is to be: a page of memory that any machine has. */
export const SOME_ADDRESS = 0x1234000n;

/** Named records that a caller who says nothing gives to all CPUs: one alone panics an Intel guest that has more. */
const TO_ALL: ReadonlySet<string> = new Set(['srao']);

/** Whether a record goes to all CPUs where nobody says otherwise. */
export function goesToAll(named: NamedMca | undefined): boolean {
  return named !== undefined && TO_ALL.has(named.name);
}

/**
 * A machine check to inject.
 * @example
 * const srao = mceInjection({ named: namedMca('srao'), addr: 0x1000n, broadcast: true });
 * srao.bank // 9
 */
export function mceInjection({ named, ...chosen }: MceChoice): MceInjection {
  return {
    way: 'mce',
    ...(named === undefined ? {} : { record: named.name }),
    cpu: chosen.cpu ?? 0,
    bank: chosen.bank ?? named?.bank ?? 0,
    status: chosen.status ?? named?.status ?? 0n,
    mcgStatus: chosen.mcgStatus ?? named?.mcgStatus ?? 0n,
    addr: chosen.addr ?? 0n,
    misc: chosen.misc ?? named?.misc ?? 0n,
    broadcast: chosen.broadcast ?? false,
  };
}

/** The injection of a record: what QEMU has no register for is left out, what was not reported is zero. */
export function mceOfRecord(record: X86McaRecord, broadcast = false): MceInjection {
  const { cpu, bank, status, mcgStatus, addr, misc } = record;
  return mceInjection({ cpu, bank, status, mcgStatus, addr, misc, broadcast });
}

/** The registers. Whose CPU the guest has, only the machine knows: a record with a name may be given to any. */
function recordOf({ cpu, bank, status, mcgStatus, addr, misc }: Mce): X86McaRecord {
  return { kind: 'x86-mca', cpu, bank, status, mcgStatus, addr, misc };
}

function read(fields: Fields): MceInjection | undefined {
  const cpu = indexOf(fields['cpu']);
  const bank = indexOf(fields['bank']);
  const [status, mcgStatus, addr, misc] = (['status', 'mcgStatus', 'addr', 'misc'] as const).map(r => u64Of(fields[r]));
  const record = nameOf(fields['record']);
  if (fields['kind'] !== 'mce' || cpu === undefined || bank === undefined) return undefined;
  if (status === undefined || mcgStatus === undefined || addr === undefined || misc === undefined) return undefined;
  const broadcast = fields['broadcast'] === true;
  const named = record === undefined ? {} : { record };
  return { way: 'mce', ...named, cpu, bank, status, mcgStatus, addr, misc, broadcast };
}

export const MCE: WayOf<MceInjection> = {
  command: mceCommandLine,
  record: recordOf,
  settles: ({ broadcast }) => ({ broadcast }),
  words: mce => {
    // A named record is read as the vendor whose guests get it in this shape.
    const vendor = mce.record === undefined ? undefined : namedMca(mce.record)?.vendor;
    return explain({ ...recordOf(mce), ...(vendor === undefined ? {} : { vendor }) });
  },
  fields: ({ way, ...mce }) => ({ kind: way, ...mce, command: mceCommandLine(mce) }),
  read,
};
