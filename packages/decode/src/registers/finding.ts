/** @module What a lint says of a record: one shape for machine checks, aborts and firmware records. */

/** `error` the specification forbids it · `warning` it is not as it should be, or it decides the outcome · `info` worth knowing. */
export type FindingSeverity = 'error' | 'warning' | 'info';

/** What a stable code of a finding stands for. */
export interface FindingCode {
  severity: FindingSeverity;
  /** One line, without the values of a record. */
  title: string;
  /** Manual and section, or the program that makes the shape. */
  section: string;
  /** What it means, why it matters, what to do. */
  explanation: string;
}

/** Bits of one register. */
interface FindingBits {
  /** Member of the raw record that holds the register: `status`, `esr`, `sections[0].body.errorStatus`. */
  member: string;
  /** Its name in the manuals. */
  register: string;
  hi: number;
  lo: number;
}

/** One finding about a record. */
export interface Finding<Code extends string = string> {
  code: Code;
  severity: FindingSeverity;
  /** The title, with the values of this record. One line; text of firmware in it is printable ASCII. */
  message: string;
  /** Manual and section. */
  section: string;
  /** Members of the raw record that it speaks of; missing where it speaks of the record as a whole. */
  members?: readonly string[];
  bits?: readonly FindingBits[];
}

/** A place that a finding speaks of: a member, or some bits of one. */
export type FindingPlace<Member extends string = string> = Member | FindingBits;

/** Makes a finding: `places` in the order in which a reader should look at them. */
export function findingAt<Code extends string>(
  code: Code,
  severity: FindingSeverity,
  message: string,
  section: string,
  places: readonly FindingPlace[],
): Finding<Code> {
  const members = [...new Set(places.map(p => (typeof p === 'string' ? p : p.member)))];
  const bits = places.filter(p => typeof p !== 'string');
  return {
    code,
    severity,
    message,
    section,
    ...(members.length === 0 ? {} : { members }),
    ...(bits.length === 0 ? {} : { bits }),
  };
}

/** The runs of set bits of a value, highest first. */
export function runsOf(member: string, register: string, value: bigint): FindingBits[] {
  const found: FindingBits[] = [];
  const set = (bit: number): boolean => bit >= 0 && ((value >> BigInt(bit)) & 1n) === 1n;
  for (let hi = 63; hi >= 0; hi--) {
    if (!set(hi)) continue;
    let lo = hi;
    while (set(lo - 1)) lo--;
    found.push({ member, register, hi, lo });
    hi = lo;
  }
  return found;
}

const RANK = { error: 0, warning: 1, info: 2 } as const;

/** For Array.sort: errors first. */
export function bySeverity(a: Pick<Finding, 'severity'>, b: Pick<Finding, 'severity'>): number {
  return RANK[a.severity] - RANK[b.severity];
}
