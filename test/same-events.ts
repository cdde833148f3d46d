/** What `decode` and the lab each make of the same text, in one form, so that it can be held to be the same. */
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { decode } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import type { EventKind } from '@syndrome/decode/events/catalog.ts';
import { recordOfEvent } from '@syndrome/decode/events/records.ts';
import type { FieldValue } from '@syndrome/decode/events/row.ts';
import type { TraceEvent } from '@syndrome/trace/event.ts';

type Fields = Readonly<Record<string, FieldValue | undefined>>;

const shown = (fields: Fields, names: readonly string[] = Object.keys(fields)): string =>
  names
    .filter(name => fields[name] !== undefined)
    .map(name => `${name}=${typeof fields[name] === 'bigint' ? hex64(fields[name]) : String(fields[name])}`)
    .join(' ');

const MACHINE_CHECK = ['cpu', 'bank', 'status', 'addr', 'misc'] as const;

function ofRecord({ raw }: DecodedRecord): string | undefined {
  if (raw.kind === 'x86-mca') return `machine check ${shown({ ...raw } as unknown as Fields, MACHINE_CHECK)}`;
  if (raw.kind === 'arm-sea') return `abort esr=${hex64(raw.esr)}`;
  // What the firmware kept of the boot before is nothing that happened.
  if (raw.kind === 'cper') return raw.previousBoot === true ? undefined : `report ${raw.severity}`;
  // The lab hears it as `oops`, of which `decode` makes a record only on arm64.
  if (raw.name === 'arm-oops') return undefined;
  const { pageShift: _shift, arch: _arch, ...fields } = raw.fields;
  return `${raw.name} ${shown(fields)}`;
}

/** The programs whose words the lab or the supervisor's agent reads on its wires; tools such as mcelog write into files. */
const WIRES: readonly string[] = ['linux', 'xen', 'qemu', 'qmp', 'vmm', 'agent', 'virsh', 'tracefs'];

/** What `decode` prints of a text, sorted. @param of which programs' lines count */
export function decodedOf(text: string, of: readonly string[] = WIRES): string[] {
  const { records } = decode(text, { from: 'log' });
  const mine = records.filter(({ source }) => of.includes(source.from));
  return mine.flatMap(record => ofRecord(record) ?? []).toSorted();
}

const SEVERITIES: Readonly<Record<string, string>> = { info: 'none', informational: 'none' };

/** What an event of the lab is among the records of `decode`; undefined for what is none. */
function ofEvent({ name, fields = {} }: Pick<TraceEvent, 'name' | 'fields'>): string | undefined {
  if (name === undefined) return undefined;
  const said: Fields = fields;
  const kind = name.replace(/^(?:guest|host|domu)\.(?!agent-ready|msr$|interrupts|alive|silent)/, '');
  if (kind === 'mce-record' || kind === 'xen.mce-bank') {
    return said['source'] === 'mcelog' ? undefined : `machine check ${shown(said, MACHINE_CHECK)}`;
  }
  if (kind === 'sea' || kind === 'serror' || kind === 'vmm.arm-sea') return `abort ${shown(said, ['esr'])}`;
  if (kind === 'cper-severity') {
    const severity = String(said['severity']);
    return `report ${SEVERITIES[severity] ?? severity}`;
  }
  const record = recordOfEvent(kind as EventKind, fields as Readonly<Record<string, FieldValue>>);
  return record === undefined ? undefined : `${record.name} ${shown(record.fields)}`;
}

/** What a kernel kept over a reset is bytes that a step has read, and stands in no line. */
const keptOverReset = ({ fields }: Pick<TraceEvent, 'fields'>): boolean =>
  fields !== undefined && 'source' in fields && fields.source === 'pstore';

/** What the events of the lab say of what `decode` prints, sorted. */
export function tracedOf(events: readonly Pick<TraceEvent, 'name' | 'fields'>[]): string[] {
  return events.flatMap(event => (keptOverReset(event) ? [] : (ofEvent(event) ?? []))).toSorted();
}

/**
 * The lines of a trace from which the lab makes events. Of the outer QEMU of a nested machine it makes none: what that says of
 * errors is not of the system under test.
 */
export function heardByLab(trace: string): string {
  return trace
    .split('\n')
    .filter(line => !/"layer":"machine"/.test(line.slice(0, 200)))
    .join('\n');
}
