/** @module What a log says besides records (page handling, signals, panics, events of QEMU and Xen) as decoded records. */
import { hex64 } from '../common/hex.ts';
import type { FieldValue } from '../text/event.ts';
import { EVENT_WORDS } from './event-words.ts';
import { LazyRecord } from './lazy.ts';
import { outlookOf } from './outlook.ts';
import type {
  DecodedAddress,
  DecodedOutlook,
  DecodedSeverity,
  DecodedSource,
  Diagnostic,
  RawRecord,
} from './record.ts';

const PHYSICAL = new Set(['addr', 'gpa']);

function shown(value: FieldValue): string {
  return typeof value === 'bigint' ? hex64(value) : String(value);
}

export class EventDecoded extends LazyRecord {
  readonly kind: 'event' | 'memory-failure';
  readonly raw: RawRecord & { kind: 'event' };

  constructor(
    name: string,
    fields: Readonly<Record<string, FieldValue>>,
    source: DecodedSource,
    diagnostics: readonly Diagnostic[],
  ) {
    super(source, diagnostics);
    this.kind = name === 'memory-failure' ? 'memory-failure' : 'event';
    this.raw = { kind: 'event', name, fields };
  }

  override get cpu(): number | undefined {
    const cpu = this.raw.fields['cpu'];
    return typeof cpu === 'number' ? cpu : undefined;
  }
  override get bank(): number | undefined {
    const bank = this.raw.fields['bank'];
    return typeof bank === 'number' ? bank : undefined;
  }
  override get registers(): Readonly<Record<string, bigint>> {
    const out: Record<string, bigint> = {};
    for (const [name, value] of Object.entries(this.raw.fields)) if (typeof value === 'bigint') out[name] = value;
    return out;
  }
  override get class(): string {
    return this.raw.name;
  }
  override get severity(): DecodedSeverity {
    if (this.kind === 'memory-failure' && this.raw.fields['result'] !== 'Recovered') return 'uncorrected';
    return EVENT_WORDS[this.raw.name]?.severity ?? 'info';
  }
  override get address(): DecodedAddress | undefined {
    for (const [name, value] of Object.entries(this.raw.fields)) {
      if (typeof value !== 'bigint') continue;
      if (name === 'pfn') return { value: value << 12n, space: 'physical', pfn: value, lsb: 12, pages: 1n };
      if (PHYSICAL.has(name)) return { value, space: 'physical', pfn: value >> 12n };
    }
    const virt = this.raw.fields['virt'] ?? this.raw.fields['hva'];
    return typeof virt === 'bigint' ? { value: virt, space: 'virtual' } : undefined;
  }
  override get headline(): string {
    const words = EVENT_WORDS[this.raw.name];
    const { fields } = this.raw;
    const detail = ['message', 'page', 'result', 'comm', 'pid', 'code', 'action', 'recipient', 'reason', 'vcpu']
      .filter(n => fields[n] !== undefined)
      .map(n => `${n === 'message' || n === 'page' ? '' : `${n} `}${shown(fields[n] ?? '')}`);
    const pfn = fields['pfn'];
    if (typeof pfn === 'bigint') detail.unshift(`page frame 0x${pfn.toString(16)}`);
    return `${words?.headline ?? this.raw.name}${detail.length === 0 ? '' : `: ${detail.join(', ')}`}`;
  }
  override get explanation(): string {
    return EVENT_WORDS[this.raw.name]?.text ?? 'An event without a description.';
  }
  override get nextStep(): string {
    return EVENT_WORDS[this.raw.name]?.next ?? 'Nothing to do.';
  }
  /** QEMU got the signal: what it does with it is known. */
  protected override predictions(): readonly DecodedOutlook[] {
    const { code, gpa } = this.raw.fields;
    if (this.raw.name !== 'qemu-sigbus-injected') return [];
    if (code !== 'BUS_MCEERR_AO' && code !== 'BUS_MCEERR_AR') return [];
    return outlookOf({ kind: 'sigbus', code, ...(typeof gpa === 'bigint' ? { gpa } : {}) });
  }
}
