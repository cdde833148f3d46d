/** @module What rasdaemon made of the records of a guest, held to the records and to what ours says of them. */
import { DatabaseSync } from 'node:sqlite';
import { hex64 } from '@syndrome/decode/common/hex.ts';
import { createDecoder, decode } from '@syndrome/decode/decode/decoder.ts';
import type { DecodedRecord } from '@syndrome/decode/decode/record.ts';
import { MCI_STATUS_INTEL } from '@syndrome/decode/mca/registers.ts';
import type { Row } from '@syndrome/decode/text/tools/ras-rows.ts';
import { Comparison } from '../compare.ts';
import { amdSays, intelSays, ourAmdFacts, ourIntelFacts, type RasRow, typeOf } from './facts.ts';
import type { RasRun } from './guest.ts';
import { RAS_JUDGED_AMD, RAS_JUDGED_INTEL } from './judged.ts';
import type { MadeRecord, RasGuest } from './records.ts';

/** A comparison of one vendor's guests. */
export const newComparison = (vendor: RasGuest['vendor']): Comparison =>
  new Comparison(vendor === 'intel' ? RAS_JUDGED_INTEL : RAS_JUDGED_AMD);

/** What came of a guest. */
interface Compared {
  /** Lines and rows that were decoded. */
  lines: number;
  rows: number;
  /** Registers of a line or a row that are not those of its record: `row of addr 0x…: status 0x…, not 0x…`. */
  wrong: string[];
}

const { VAL, MISCV, ADDRV } = MCI_STATUS_INTEL.masks;
/** The injector sets it where the record has a syndrome. */
const SYNDV = 1n << 53n;

/** The registers as the kernel logs a record; addresses and MISC that are not valid are nothing. */
function registersOf(record: MadeRecord, way: RasGuest['way']): Record<string, bigint> {
  const { bank, addr, misc, mcgStatus, synd, ipid } = record;
  const status = way === 'qemu' ? record.status : record.status | VAL | MISCV | (synd === 0n ? 0n : SYNDV);
  return {
    bank: BigInt(bank),
    status,
    mcgStatus,
    ...((status & ADDRV) === 0n ? {} : { addr }),
    ...((status & MISCV) === 0n ? {} : { misc }),
    ...(ipid === 0n ? {} : { synd, ipid }),
  };
}

/** Registers of a record that are not the wanted ones; a database has no IPID and no SYND. */
function wrongIn(
  what: string,
  record: DecodedRecord | undefined,
  wanted: Record<string, bigint>,
  row: boolean,
): string[] {
  if (record === undefined) return [`${what}: no record`];
  const found: Record<string, bigint> = { ...record.registers, bank: BigInt(record.bank ?? -1) };
  return ['bank', 'status', 'mcgStatus', 'addr', 'misc', 'synd', 'ipid'].flatMap(name => {
    if (row && (name === 'synd' || name === 'ipid')) return [];
    const [is, must] = [found[name], wanted[name]];
    if (is === must) return [];
    return [
      `${what}: ${name} ${is === undefined ? 'missing' : hex64(is)}, not ${must === undefined ? 'any' : hex64(must)}`,
    ];
  });
}

/** The record as Linux prints it, for what ours says: with the CPU of the row. */
function asPrinted(
  wanted: Record<string, bigint>,
  vendor: RasGuest['vendor'],
  cpuid: bigint,
  mcgCap: bigint,
): DecodedRecord | undefined {
  const { bank = 0n, status = 0n, mcgStatus = 0n, synd, ipid } = wanted;
  const hex = (value: bigint): string => value.toString(16);
  // trace_pipe's form has every register.
  const text =
    `mce_record: CPU: 0, MCGc/s: ${hex(mcgCap)}/${hex(mcgStatus)}, MC${bank}: ${status.toString(16).padStart(16, '0')}, ` +
    `IPID: ${(ipid ?? 0n).toString(16).padStart(16, '0')}, ADDR: ${(wanted['addr'] ?? 0n).toString(16).padStart(16, '0')}, ` +
    `MISC: ${(wanted['misc'] ?? 0n).toString(16).padStart(16, '0')}, SYND: ${(synd ?? 0n).toString(16).padStart(16, '0')}, ` +
    `RIP: 00:<0000000000000000>, TSC: 0, PPIN: 0, vendor: ${vendor === 'intel' ? 0 : 2}, CPUID: ${hex(cpuid)}, time: 1, socket: 0, APIC: 0, microcode: 1\n`;
  return decode(text).records[0];
}

const text = (row: Row, column: keyof RasRow): string => String(row[column] ?? '');

/**
 * Holds the lines and the rows of a run to the records that were injected, and rasdaemon's words to ours.
 * @param comparison takes what the two say apart
 */
export function compareRun(guest: RasGuest, run: RasRun, comparison: Comparison): Compared {
  const database = new DatabaseSync(':memory:');
  database.deserialize(run.database);
  const statement = database.prepare('SELECT * FROM mce_record ORDER BY id');
  statement.setReadBigInts(true);
  const rows = statement.all() as Row[];
  database.close();
  const lines = decode(run.text).records.filter(record => record.kind === 'x86-mca');
  const byAddress = new Map(guest.records.map(record => [record.addr, record]));
  const wrong: string[] = [];
  for (const [i, row] of rows.entries()) {
    const made = byAddress.get(BigInt.asUintN(64, BigInt(String(row['addr']))));
    if (made === undefined) {
      wrong.push(`row ${i + 1}: nothing was injected at its address`);
      continue;
    }
    const wanted = registersOf(made, guest.way);
    const where = `${guest.name}, bank ${made.bank}, row ${i + 1}`;
    const stored: DecodedRecord[] = [];
    const decoder = createDecoder({ input: 'database', onRecord: record => stored.push(record) });
    decoder.row('mce_record', i, row);
    decoder.end();
    wrong.push(...wrongIn(`line ${i + 1} (${where})`, lines[i], wanted, false));
    // The database keeps a register of which the status says that it is not valid.
    wrong.push(...wrongIn(where, stored[0], { ...wanted, addr: made.addr, misc: made.misc }, true));
    const words: RasRow = {
      bank_name: text(row, 'bank_name'),
      error_msg: text(row, 'error_msg'),
      mcgstatus_msg: text(row, 'mcgstatus_msg'),
      mcistatus_msg: text(row, 'mcistatus_msg'),
      mcastatus_msg: text(row, 'mcastatus_msg'),
      user_action: text(row, 'user_action'),
      mc_location: text(row, 'mc_location'),
    };
    // Of a CPU that it does not know rasdaemon stores the registers alone.
    if (Object.values(words).every(word => word === '')) continue;
    const cpuid = BigInt.asUintN(32, BigInt(String(row['cpuid'])));
    const mcgCap = BigInt.asUintN(32, BigInt(String(row['mcgcap'])));
    const record = asPrinted(wanted, guest.vendor, cpuid, mcgCap);
    if (record === undefined) wrong.push(`${where}: ours reads no record`);
    else if (guest.vendor === 'intel') {
      comparison.facts(intelSays(words), ourIntelFacts(record), wanted['status'] ?? 0n, where);
    } else comparison.facts(amdSays(words, typeOf(record)), ourAmdFacts(record), wanted['status'] ?? 0n, where);
  }
  return { lines: lines.length, rows: rows.length, wrong };
}
