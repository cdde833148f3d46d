/**
 * @module What firmware and boot loaders on Arm print of aborts, SErrors and error records: EDK II's exception dump (ArmPkg), Trusted
 * Firmware-A's crash dump and its report of an external abort that nobody handles, U-Boot's, and the records of NVIDIA's nodes.
 */
import { classifyArm, reportsHardware } from '../../arm/classify.ts';
import type { ArmSeaRecord } from '../../arm/record.ts';
import { ERR_STATUS, armRasAddress, armRasWords } from '../../cper/arm-ras.ts';
import type { KindFields } from '../../events/catalog.ts';
import { eventItem } from '../item.ts';
import type { ItemSink } from '../item.ts';
import type { Reader } from '../reader.ts';
import { hexU64 } from '../transport/line.ts';

export const ARM_FIRMWARE_NEEDLES: readonly string[] = [
  'Synchronous Exception at 0x',
  'SError Exception at 0x',
  'Unhandled Exception in EL3',
  'xception reason=',
  ' esr_el3:0x',
  'handler, esr 0x',
  'RAS Uncorrectable Error in ',
  'RAS Corrected Error in ',
  'RAS Correctable Error in ',
  'RAS Deferred Error in ',
  'RAS Error in ',
  'ERXSTATUS',
  'ERR0STATUS',
  'ERR<n>STATUS',
];

const HEX = '(0x[0-9a-fA-F]{1,16})';
/** EDK II, and what its dump says some lines further on. */
const EDK2 = /^\s{0,4}(?:Synchronous|SError) Exception at 0x[0-9A-F]{8,16}\s*$/;
const EDK2_ELR = new RegExp(`\\bELR ${HEX}\\b`);
const EDK2_ESR = new RegExp(`^\\s{0,4}ESR ${HEX} {1,16}FAR ${HEX}\\s*$`);
const TFA = /^\s{0,4}Unhandled Exception in EL3\.?/;
const TFA_REGISTER = new RegExp(`^\\s{0,4}(esr|far|elr)_el3 {0,16}[=:] {0,8}${HEX}\\s*$`);
const TFA_ABORT = new RegExp(`\\b[Ee]xception reason=\\d{1,2} syndrome=${HEX}`);
const TFA_RECEIVED = new RegExp(`\\bExcept?ion received on 0x[0-9a-f]{1,16}, .{0,64}\\besr_el3:${HEX}`);
/** `"Synchronous Abort" handler, esr 0x96000010, far 0x0`; `"Error" handler, esr 0x…` is an SError. */
const UBOOT = new RegExp(`^"(?:Synchronous Abort|Error)" handler, esr ${HEX}(?:, far ${HEX})?`);
const UBOOT_ELR = /^elr: ([0-9a-f]{16}) lr\b/;
const NODE =
  /\bRAS (?:Uncorrectable |Correctable |Corrected |Deferred )?Error in ([A-Za-z0-9_]{1,32})(?:[ ,:][^=]{0,32}(?:=0x[0-9a-f]{1,16}|=\d{1,5})?)?:?\s*$/;
/** Registers by their own names, as people and other firmware give them: `ERR0STATUS=0x… ERR0ADDR=0x…`. */
const NAMED = new RegExp(`\\b(ERX|ERR\\d{1,3}|ERR<\\w{1,3}>)STATUS(?:_EL1)?\\s{0,4}[:=]?\\s{0,4}${HEX}`);
const NAMED_MORE = new RegExp(
  `\\b(?:ERX|ERR\\d{1,3}|ERR<\\w{1,3}>)(ADDR|MISC0)(?:_EL1)?\\s{0,4}[:=]?\\s{0,4}${HEX}`,
  'g',
);
const NODE_REGISTER = new RegExp(`(?:^|\\s)(?:ERR\\d{1,3})?(STATUS|Status|ADDR|MISC0)\\s*= ${HEX}`);
const NODE_CODE = /\bIERR = (.{1,48}?): 0x[0-9a-f]{1,4}\s*$/;
/** Lines of a dump: general and vector registers stand between its head and ESR. */
const MAX_LINES = 96;
const MAX_NODE_LINES = 16;

/** SERR of accesses that were refused or not answered: what was accessed is no memory that broke. DDI 0487, ERR<n>STATUS. */
const OF_ACCESS: ReadonlySet<bigint> = new Set([13n, 14n, 15n, 18n, 19n]);

/** How bad an error record is; undefined where it holds no error. */
function severityOf(status: bigint): 'corrected' | 'deferred' | 'uncorrected' | 'access' | undefined {
  const { V, UE, DE, CE, SERR } = ERR_STATUS.read(status);
  if (!V) return undefined;
  if (UE) return OF_ACCESS.has(SERR) ? 'access' : 'uncorrected';
  if (DE) return 'deferred';
  return CE === 0n ? undefined : 'corrected';
}

interface Open {
  what: 'edk2' | 'tf-a' | 'u-boot';
  record: Partial<ArmSeaRecord>;
  firstLine: number;
  lastLine: number;
  lines: number;
}

interface Node {
  name: string;
  code: string | undefined;
  status: bigint | undefined;
  addr: bigint | undefined;
  misc0: bigint | undefined;
  firstLine: number;
  lastLine: number;
  lines: number;
}

export class ArmFirmwareReader implements Reader {
  readonly #sink: ItemSink;
  #open: Open | undefined;
  #node: Node | undefined;
  /** The syndrome that was told last, and where: one exception is told by two programs. */
  #last: { esr: bigint; line: number } | undefined;

  constructor(sink: ItemSink) {
    this.#sink = sink;
  }

  get wanted(): boolean {
    return this.#open !== undefined || this.#node !== undefined;
  }

  get since(): number {
    return Math.min(
      this.#open?.firstLine ?? Number.POSITIVE_INFINITY,
      this.#node?.firstLine ?? Number.POSITIVE_INFINITY,
    );
  }

  push(text: string, lineNumber: number): boolean {
    return this.#head(text, lineNumber) || this.#register(text, lineNumber) || this.#ofNode(text, lineNumber);
  }

  end(): void {
    this.#finish();
    this.#finishNode();
  }

  #head(text: string, lineNumber: number): boolean {
    const uboot = UBOOT.exec(text);
    const what = EDK2.test(text) ? 'edk2' : TFA.test(text) ? 'tf-a' : uboot === null ? undefined : 'u-boot';
    if (what !== undefined) {
      this.end();
      this.#open = { what, record: {}, firstLine: lineNumber, lastLine: lineNumber, lines: 0 };
      const [esr, far] = [hexU64(uboot?.[1]), hexU64(uboot?.[2])];
      if (esr !== undefined) this.#open.record.esr = esr;
      if (far !== undefined) this.#open.record.far = far;
      return true;
    }
    const esr = hexU64(TFA_ABORT.exec(text)?.[1] ?? TFA_RECEIVED.exec(text)?.[1]);
    if (esr === undefined) return false;
    this.end();
    if (this.#last?.esr === esr && lineNumber - this.#last.line < MAX_NODE_LINES) return true;
    this.#last = { esr, line: lineNumber };
    this.#say({ esr, el: 3 }, lineNumber, lineNumber);
    return true;
  }

  #register(text: string, lineNumber: number): boolean {
    const open = this.#open;
    if (open === undefined) return false;
    const { record } = open;
    let taken = true;
    let last = false;
    const edk2 = open.what === 'edk2' ? EDK2_ESR.exec(text) : null;
    const elr = hexU64(open.what === 'edk2' ? EDK2_ELR.exec(text)?.[1] : UBOOT_ELR.exec(text)?.[1]);
    const tfa = open.what === 'tf-a' ? TFA_REGISTER.exec(text) : null;
    if (edk2 !== null) {
      [record.esr, record.far] = [hexU64(edk2[1]) ?? 0n, hexU64(edk2[2]) ?? 0n];
      last = true;
    } else if (tfa !== null) {
      record[tfa[1] as 'esr' | 'far' | 'elr'] = hexU64(tfa[2]) ?? 0n;
      record.el = 3;
      last = tfa[1] === 'far';
    } else if (elr !== undefined) {
      record.elr = elr;
      last = open.what === 'u-boot';
    } else taken = false;
    if (taken) open.lastLine = lineNumber;
    if (last || ++open.lines > MAX_LINES) this.#finish();
    return taken;
  }

  #finish(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const { esr, ...rest } = open.record;
    if (esr !== undefined) this.#say({ esr, ...rest }, open.firstLine, open.lastLine);
  }

  /** Faults of programs are none of hardware, and are printed in the same way. */
  #say(record: Omit<ArmSeaRecord, 'kind'>, firstLine: number, lastLine: number): void {
    if (!reportsHardware(record.esr)) return;
    const as = classifyArm(record).class === 'serror' ? 'serror' : 'sea';
    // Dumps print it whether or not the exception set it, and none of these SErrors does.
    if (as === 'serror') delete record.far;
    this.#sink({
      type: 'arm',
      form: 'firmware',
      firstLine,
      lastLine,
      record: { kind: 'arm-sea', ...record },
      as,
      notes: [],
    });
  }

  #ofNode(text: string, lineNumber: number): boolean {
    const name = NODE.exec(text)?.[1];
    if (name !== undefined) {
      this.#finishNode();
      const none = { code: undefined, status: undefined, addr: undefined, misc0: undefined };
      this.#node = { name, ...none, firstLine: lineNumber, lastLine: lineNumber, lines: 0 };
      return true;
    }
    const more = [...text.matchAll(NAMED_MORE)];
    const named = NAMED.exec(text);
    const begun = this.#node;
    if (named !== null && (begun === undefined || begun.status !== undefined)) {
      this.#finishNode();
      const none = { code: undefined, addr: undefined, misc0: undefined };
      const place = { firstLine: lineNumber, lastLine: lineNumber, lines: 0 };
      this.#node = { name: named[1] ?? '', status: hexU64(named[2]), ...none, ...place };
    }
    const node = this.#node;
    if (node === undefined) return false;
    for (const [, name, value] of more) node[name === 'ADDR' ? 'addr' : 'misc0'] = hexU64(value);
    if (more.length > 0 || node !== begun) {
      node.lastLine = lineNumber;
      return true;
    }
    const m = NODE_REGISTER.exec(text);
    const code = NODE_CODE.exec(text)?.[1];
    const value = hexU64(m?.[2]);
    if (m !== null && value !== undefined) node[m[1]?.toLowerCase() as 'status' | 'addr' | 'misc0'] = value;
    else if (code !== undefined) node.code = code;
    const taken = m !== null || code !== undefined;
    if (taken) node.lastLine = lineNumber;
    if (++node.lines > MAX_NODE_LINES) this.#finishNode();
    return taken;
  }

  #finishNode(): void {
    const node = this.#node;
    this.#node = undefined;
    if (node?.status === undefined) return;
    const { name, code, status, firstLine, lastLine } = node;
    const severity = severityOf(status);
    if (severity === undefined) return;
    const message = `${name}: ${armRasWords(status, undefined)}${code === undefined ? '' : ` (${code})`}`;
    const fields: KindFields<'arm-ras-uncorrected'> = { message, node: name, status };
    const addr = node.addr === undefined ? undefined : armRasAddress(status, node.addr);
    if (addr !== undefined) fields.addr = addr;
    if (node.misc0 !== undefined) fields.misc0 = node.misc0;
    const event = eventItem('firmware', firstLine, { name: `arm-ras-${severity}`, fields });
    this.#sink({ ...event, lastLine });
  }
}
