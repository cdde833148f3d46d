/**
 * @module What is said of a machine check apart from its CPU, its address and its plain registers: made once for all
 * records that share it. The same few patterns fill most logs.
 */
import { gradedClass } from '../mca/classify.ts';
import type { McaClass } from '../mca/classify.ts';
import { codeVendorOf, componentOf } from '../mca/component.ts';
import type { Component } from '../mca/component.ts';
import { correctedOf } from '../mca/corrected.ts';
import type { Corrected } from '../mca/corrected.ts';
import { McaKey } from '../mca/deciding.ts';
import type { McaDeciding } from '../mca/deciding.ts';
import { layoutsOf } from '../mca/describe.ts';
import { textOf, wordsOf } from '../mca/error-words.ts';
import { CLASS_WORDS, explanationFrame, readings } from '../mca/explain.ts';
import type { ExplanationFrame } from '../mca/explain.ts';
import { isDowngradedScrub } from '../mca/downgraded.ts';
import { isBroadcastFiller } from '../mca/vmm-made.ts';
import { findingsOf } from '../mca/lint.ts';
import { decodeMcacod, errorCodeOf } from '../mca/mcacod.ts';
import { stepsFor } from '../mca/next-step.ts';
import { pageShape } from '../mca/page.ts';
import type { PageShape } from '../mca/page.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import type { Register } from '../registers/register.ts';
import { severity } from '../mca/severity.ts';
import type { McaSeverity } from '../mca/severity.ts';
import { cellLayout, placeOfUnit } from './mca-place.ts';
import type { DecodedPlace } from './place.ts';
import type { DecodedCode, DecodedComponent, Finding } from './record.ts';

/** Flags by bit, from the highest down; without a vendor only those that Intel and AMD share. */
const COMMON = flagTable(MCI_STATUS_INTEL.fields, 57);
const INTEL = flagTable(MCI_STATUS_INTEL.fields, 0);
const AMD = flagTable(MCI_STATUS_AMD.fields, 0);

function flagTable(
  fields: readonly { kind: string; name: string; lo: number }[],
  lowest: number,
): readonly (readonly [string, bigint])[] {
  return fields
    .filter(f => f.kind === 'bit' && f.lo >= lowest)
    .toSorted((a, b) => b.lo - a.lo)
    .map(f => [f.name, 1n << BigInt(f.lo)] as const);
}

function flagsOf({ vendor, status }: McaDeciding): readonly string[] {
  const table = vendor === 'intel' ? INTEL : vendor === 'amd' ? AMD : COMMON;
  return table.filter(([, mask]) => (status & mask) !== 0n).map(([name]) => name);
}

const WHO = { intel: 'Intel', amd: 'AMD' } as const;

/** Members are made when they are first asked for, of nothing but what decides: the type of every rule sees to that. */
export class McaPattern {
  readonly #record: McaDeciding;
  /** Whether later records get the same object. */
  readonly kept: boolean;
  readonly class: McaClass;
  #severity: McaSeverity | undefined;
  #flags: readonly string[] | undefined;
  #code: DecodedCode | undefined;
  #page: PageShape | false | undefined;
  #where: Component | undefined;
  #component: DecodedComponent | undefined;
  #place: DecodedPlace | undefined;
  #cell: Register | false | undefined;
  #corrected: Corrected | undefined;
  #lint: readonly Finding[] | undefined;
  #headline: string | undefined;
  #frame: ExplanationFrame | undefined;
  #nextStep: string | undefined;
  #layouts: ReturnType<typeof layoutsOf> | undefined;
  #groups: Map<string, object> | undefined;

  constructor(record: McaDeciding, kept: boolean) {
    this.#record = record;
    this.kept = kept;
    this.class = gradedClass(record);
  }

  /** The object for records of this pattern whose inputs have the same readers: the outlook is theirs. */
  of(readers: string): object {
    this.#groups ??= new Map();
    let group = this.#groups.get(readers);
    if (group === undefined) this.#groups.set(readers, (group = {}));
    return group;
  }

  get severity(): McaSeverity {
    return (this.#severity ??= severity(this.#record));
  }
  get flags(): readonly string[] {
    return (this.#flags ??= flagsOf(this.#record));
  }
  get code(): DecodedCode {
    if (this.#code === undefined) {
      const value = errorCodeOf(this.#record.status);
      const { class: cls, mnemonic, text, filtered } = decodeMcacod(value, codeVendorOf(this.#record));
      const { extended, byUnit, what } = wordsOf(this.#record);
      this.#code = {
        value,
        class: cls,
        mnemonic,
        text,
        ...(filtered ? { filtered } : {}),
        ...(byUnit && extended !== undefined && what !== undefined
          ? { extended: { value: extended, text: what } }
          : {}),
      };
    }
    return this.#code;
  }
  /** How the page follows from the address; undefined where it does not. */
  get page(): PageShape | undefined {
    this.#page ??= pageShape(this.#record) ?? false;
    return this.#page === false ? undefined : this.#page;
  }
  /** As the rules give it. */
  get #unit(): Component {
    return (this.#where ??= componentOf(this.#record));
  }
  get component(): DecodedComponent {
    if (this.#component === undefined) {
      const { area, name, detail, basis } = this.#unit;
      this.#component = detail === undefined ? { area, name, basis } : { area, name, detail, basis };
    }
    return this.#component;
  }
  /** As much of the place as the component says. */
  get place(): DecodedPlace {
    return (this.#place ??= placeOfUnit(this.#record, this.#unit));
  }
  /** The layout of MCi_MISC, where that names a cell of DRAM. */
  get cell(): Register | undefined {
    this.#cell ??= cellLayout(this.#record) ?? false;
    return this.#cell === false ? undefined : this.#cell;
  }
  /** What an Intel bank counts. */
  get corrected(): Corrected {
    return (this.#corrected ??= correctedOf(this.#record));
  }
  get lint(): readonly Finding[] {
    return (this.#lint ??= findingsOf(this.#record));
  }
  /** Without the place. */
  get headline(): string {
    if (this.#headline === undefined) {
      const { vendor } = this.#record;
      const what = textOf(this.#record);
      const who = vendor === undefined ? 'x86' : WHO[vendor];
      this.#headline = `${who} machine check, ${this.#classWords()}${what === undefined ? '' : `: ${what}`}`;
    }
    return this.#headline;
  }
  #classWords(): string {
    const record = this.#record;
    if (isBroadcastFiller(record)) return 'filler of a QEMU broadcast, no error of its own';
    if (isDowngradedScrub(record)) return 'uncorrected and reported as corrected, action optional';
    if (this.class !== 'unknown') return CLASS_WORDS[this.class];
    const { intel, amd } = readings(record);
    return `${CLASS_WORDS[intel]} on Intel, ${CLASS_WORDS[amd]} on AMD`;
  }
  get frame(): ExplanationFrame {
    return (this.#frame ??= explanationFrame(this.#record, this.#unit));
  }
  get nextStep(): string {
    return (this.#nextStep ??= stepsFor(this.#record, this.#unit).join(' '));
  }
  get layouts(): ReturnType<typeof layoutsOf> {
    return (this.#layouts ??= layoutsOf(this.#record));
  }
}

/** When there are more patterns all are forgotten; what is common returns at once. */
const MAX_KEPT = 1024;

/** The patterns that one decoder met. */
export class McaPatterns {
  readonly #key = new McaKey();
  /** By the hash of the key; undefined where it was met once, so that what never comes back costs no memory. */
  readonly #known = new Map<number, { key: Uint32Array; pattern: McaPattern } | undefined>();

  /** The pattern of a record; one that is `kept` is the same object for all records that share it. */
  of(record: X86McaRecord): McaPattern {
    const key = this.#key;
    const known = this.#known;
    key.pack(record);
    const hash = key.hash();
    const found = known.get(hash);
    if (found !== undefined && key.equals(found.key)) return found.pattern;
    const again = known.has(hash);
    const pattern = new McaPattern(key.read(), again);
    if (!again && known.size >= MAX_KEPT) known.clear();
    known.set(hash, again ? { key: key.copy(), pattern } : undefined);
    return pattern;
  }
}
