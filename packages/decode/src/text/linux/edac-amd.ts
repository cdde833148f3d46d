/** @module AMD machine checks as the kernel's EDAC decoder prints them (drivers/edac/mce_amd.c), back into a record. */
import type { X86McaRecord } from '../../mca/record.ts';
import type { LogEvent } from '../event.ts';
import { hexU64 } from '../transport/line.ts';
import { recordEvent } from './mce-blocks.ts';

const PREFIX = '[Hardware Error]: ';
const SEVERITIES: readonly string[] = [
  'Corrected error, no action required.',
  'Deferred error, no action required.',
  'Uncorrected, software restartable error.',
  'Uncorrected, software containable error.',
  'System Fatal error.',
];
/** Linux before 3.10 leaves the family out and puts a tab before the bank. The status has 16 digits in all kernels. */
const STATUS =
  /^CPU:(\d{1,6})(?: \(([0-9a-f]{1,3}):([0-9a-f]{1,3}):([0-9a-f]{1,3})\))?[ \t]{1,4}MC(\d{1,4})_STATUS\[([^\]]{0,128})\]: (0x[0-9a-f]{16})$/;
/** A status line whose end was lost. */
export const EDAC_CUT =
  /\[Hardware Error\]: CPU:(\d{1,6})[ \t(][^[]{0,24}MC\d{1,4}_STATUS\[[^\]]{0,128}(?:\](?:: ?(?:0x?[0-9a-f]{0,15})?)?)?$/;
const ADDR = /^[ \t]{0,4}(?:Error Addr|MC\d{1,4}_ADDR): (0x[0-9a-f]{1,16})$/;
const IPID = /^(?:PPIN: (0x[0-9a-f]{1,16}))?(?:, )?(?:IPID: (0x[0-9a-f]{1,16}))?(?:, Syndrome: (0x[0-9a-f]{1,16}))?$/;
/** Lines of the block that carry no register. */
const DETAIL = /^(?:cache level: |.{1,64} Ext\. Error Code: |.{1,64} Error: )/;
/** Of SMCA banks. */
const EXTENDED = / Ext\. Error Code: (\d{1,2})(?:,|$)/;
/** Foreign lines after which the block is given up. */
const MAX_FOREIGN = 8;

export interface EdacBlock {
  /** Takes one stripped kernel line; undefined when the line is not part of a block. */
  take(text: string, lineNumber: number): LogEvent[] | undefined;
  /** Another kernel line passed. */
  other(): LogEvent[];
  /** The first line of the open block; Infinity when none is open. */
  since(): number;
  /** The extended error code that was printed in the block that ended last. */
  extended(): number | undefined;
  end(): LogEvent[];
}

/** One block at a time: `edac-amd` at its status line, `mce-record` when it ends. */
export function edacAmd(prefix: string, source: string): EdacBlock {
  let severity = '';
  let record: X86McaRecord | undefined;
  let foreign = 0;
  let extended: number | undefined;
  let printed: number | undefined;

  function end(): LogEvent[] {
    const done = record;
    record = undefined;
    if (done !== undefined) printed = extended;
    extended = undefined;
    return done === undefined ? [] : [recordEvent(`${prefix}.mce-record`, done, { complete: true })];
  }

  return {
    take(text, line) {
      if (!text.startsWith(PREFIX)) return undefined;
      const rest = text.slice(PREFIX.length);
      if (SEVERITIES.includes(rest)) {
        severity = rest;
        foreign = 0;
        return end();
      }
      const m = STATUS.exec(rest);
      if (m !== null) {
        const events = end();
        const [cpu, bank, status] = [Number(m[1]), Number(m[5]), hexU64(m[7]) ?? 0n];
        record = {
          kind: 'x86-mca',
          vendor: 'amd',
          cpu,
          bank,
          status,
          origin: { source, firstLine: line, lastLine: line },
        };
        events.push({
          name: `${prefix}.edac-amd`,
          fields: {
            severity,
            cpu,
            bank,
            status,
            flags: m[6] ?? '',
            ...(m[2] === undefined
              ? {}
              : {
                  family: Number.parseInt(m[2], 16),
                  model: Number.parseInt(m[3] ?? '0', 16),
                  stepping: Number.parseInt(m[4] ?? '0', 16),
                }),
          },
        });
        severity = '';
        foreign = 0;
        return events;
      }
      if (record === undefined) return undefined;
      const addr = hexU64(ADDR.exec(rest)?.[1]);
      const ipid = rest === '' ? null : IPID.exec(rest);
      if (addr === undefined && ipid === null && !DETAIL.test(rest)) return undefined;
      if (addr !== undefined) record.addr = addr;
      const [ppin, id, synd] = [hexU64(ipid?.[1]), hexU64(ipid?.[2]), hexU64(ipid?.[3])];
      if (ppin !== undefined) record.ppin = ppin;
      if (id !== undefined) record.ipid = id;
      if (synd !== undefined) record.synd = synd;
      const code = EXTENDED.exec(rest)?.[1];
      if (code !== undefined) extended = Number(code);
      if (record.origin !== undefined) record.origin.lastLine = line;
      // The cache level line is the decoder's last.
      return rest.startsWith('cache level: ') ? end() : [];
    },
    other() {
      if (record === undefined) return [];
      foreign++;
      return foreign > MAX_FOREIGN ? end() : [];
    },
    end,
    extended: () => printed,
    since: () => record?.origin?.firstLine ?? Number.POSITIVE_INFINITY,
  };
}
