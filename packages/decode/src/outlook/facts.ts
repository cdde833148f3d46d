/** @module The known and the assumed of one prediction: answers what rules ask and remembers what was assumed. */
import { FIELDS } from './context.ts';
import type { Asked, Consumer, OutlookContext, Settings } from './context.ts';
import { caseOf } from './case.ts';
import type { OutlookCase } from './case.ts';
import type { OutlookRecord } from './record.ts';

/** A setting nobody gave, and the value taken for it. */
export interface Assumption {
  setting: keyof Settings;
  value: Settings[keyof Settings];
}

export class Facts implements Asked {
  readonly record: OutlookCase;
  readonly context: OutlookContext;
  readonly #assumed = new Map<keyof Settings, Settings[keyof Settings]>();

  constructor(record: OutlookRecord | OutlookCase, context: OutlookContext) {
    this.record = caseOf(record);
    this.context = context;
  }

  get consumer(): Consumer {
    return this.context.consumer;
  }

  /** What the caller gave, else what the record says (of another layer, perhaps); undefined where neither does. */
  given<K extends keyof Settings>(key: K): Settings[K] | undefined {
    const context: Partial<Settings> = this.context;
    return context[key] ?? this.#fromRecord(key);
  }

  /** The value of a setting. When it has to be assumed, `assumed` (or the table's default) is taken and noted. */
  get<K extends keyof Settings>(key: K, assumed?: Settings[K]): Settings[K] {
    const known = this.given(key);
    if (known !== undefined) return known;
    const before = this.#assumed.get(key) as Settings[K] | undefined;
    if (before !== undefined) return before;
    const value = assumed ?? FIELDS[key].assume(this);
    this.#assumed.set(key, value);
    return value;
  }

  /** The value without noting an assumption. */
  peek<K extends keyof Settings>(key: K): Settings[K] {
    return this.given(key) ?? (this.#assumed.get(key) as Settings[K] | undefined) ?? FIELDS[key].assume(this);
  }

  /** Vendor without the arm of firmware records: what decides how MCi_STATUS is read. */
  vendor(): Settings['vendor'] {
    return this.get('vendor');
  }

  assumptions(): Assumption[] {
    return [...this.#assumed].map(([setting, value]) => ({ setting, value }));
  }

  #fromRecord<K extends keyof Settings>(key: K): Settings[K] | undefined {
    if (this.record.kind !== 'x86-mca') return undefined;
    if (key === 'vendor') return this.record.vendor as Settings[K] | undefined;
    if (key === 'mcgStatus') return this.record.mcgStatus as Settings[K] | undefined;
    if (key === 'mcgCap') return this.record.mcgCap as Settings[K] | undefined;
    return undefined;
  }
}
