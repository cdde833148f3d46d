/**
 * @module What is said of a machine check apart from its CPU, its address and its plain registers: made once for all
 * records that share it. The same few patterns fill most logs.
 */
import { gradedClass } from '../mca/classify.ts';
import type { McaClass } from '../mca/classify.ts';
import { component } from '../mca/component.ts';
import { layoutsOf } from '../mca/describe.ts';
import { errorText, errorWords } from '../mca/error-words.ts';
import { CLASS_WORDS, explanationFrame, readings } from '../mca/explain.ts';
import type { ExplanationFrame } from '../mca/explain.ts';
import { isDowngradedScrub } from '../mca/downgraded.ts';
import { isBroadcastFiller } from '../mca/lint-shapes.ts';
import { lint } from '../mca/lint.ts';
import { decodeMcacod } from '../mca/mcacod.ts';
import { nextStep } from '../mca/next-step.ts';
import { pageShape } from '../mca/page.ts';
import type { PageShape } from '../mca/page.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { MCI_STATUS_AMD, MCI_STATUS_INTEL } from '../mca/registers.ts';
import { severity } from '../mca/severity.ts';
import type { McaSeverity } from '../mca/severity.ts';
import { Deciding } from './mca-deciding.ts';
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

function flagsOf({ vendor, status }: X86McaRecord): readonly string[] {
  const table = vendor === 'intel' ? INTEL : vendor === 'amd' ? AMD : COMMON;
  return table.filter(([, mask]) => (status & mask) !== 0n).map(([name]) => name);
}

const WHO = { intel: 'Intel', amd: 'AMD' } as const;

/** Members are made when they are first asked for, from the first record that had the pattern. */
export class McaPattern {
  readonly #record: X86McaRecord;
  /** Whether later records get the same object. */
  readonly kept: boolean;
  readonly class: McaClass;
  #severity: McaSeverity | undefined;
  #flags: readonly string[] | undefined;
  #code: DecodedCode | undefined;
  #page: PageShape | false | undefined;
  #component: DecodedComponent | undefined;
  #lint: readonly Finding[] | undefined;
  #headline: string | undefined;
  #frame: ExplanationFrame | undefined;
  #nextStep: string | undefined;
  #layouts: ReturnType<typeof layoutsOf> | undefined;
  readonly #groups = new Map<string, object>();

  constructor(record: X86McaRecord, kept: boolean) {
    this.#record = record;
    this.kept = kept;
    this.class = gradedClass(record);
  }

  /** The object for records of this pattern whose inputs have the same readers: the outlook is theirs. */
  of(readers: string): object {
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
      const value = Number(this.#record.status & 0xffffn);
      const { class: cls, mnemonic, text, filtered } = decodeMcacod(value, this.#record.vendor);
      const { extended, byUnit, what } = errorWords(this.#record);
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
  get component(): DecodedComponent {
    if (this.#component === undefined) {
      const { area, name, detail, basis } = component(this.#record);
      this.#component = detail === undefined ? { area, name, basis } : { area, name, detail, basis };
    }
    return this.#component;
  }
  get lint(): readonly Finding[] {
    return (this.#lint ??= lint(this.#record));
  }
  /** Without the place. */
  get headline(): string {
    if (this.#headline === undefined) {
      const { vendor } = this.#record;
      const what = errorText(this.#record);
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
    return (this.#frame ??= explanationFrame(this.#record));
  }
  get nextStep(): string {
    return (this.#nextStep ??= nextStep(this.#record).join(' '));
  }
  get layouts(): ReturnType<typeof layoutsOf> {
    return (this.#layouts ??= layoutsOf(this.#record));
  }
}

/**
 * Patterns by the hash of what decides them; undefined where it was met once, so that what never comes back costs no
 * memory. When there are too many all are forgotten.
 */
const MAX_KEPT = 1024;
const known = new Map<number, { words: Uint32Array; pattern: McaPattern } | undefined>();
const deciding = new Deciding();

/** The pattern of a record; one that is `kept` is the same object for all records that share it. */
export function patternOf(record: X86McaRecord): McaPattern {
  // No such bank exists, and it would not fit into the words.
  if ((record.bank | 0) !== record.bank) return new McaPattern(record, false);
  deciding.pack(record);
  const hash = deciding.hash();
  const found = known.get(hash);
  if (found !== undefined && deciding.equals(found.words)) return found.pattern;
  const again = known.has(hash);
  const pattern = new McaPattern(record, again);
  if (!again && known.size >= MAX_KEPT) known.clear();
  known.set(hash, again ? { words: deciding.halves.slice(), pattern } : undefined);
  return pattern;
}
