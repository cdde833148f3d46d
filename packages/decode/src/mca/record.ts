/** @module The x86 machine check record: raw register values only; everything else is derived from them. */
import type { RecordOrigin } from '../registers/origin.ts';

/** CPU vendor; it decides how MCi_STATUS bits below 57 are read. Hygon follows AMD. */
export type McaVendor = 'intel' | 'amd';

/**
 * What the program that wrote a record says of it beside its registers: rasdaemon takes the place out of them (mc_location,
 * error_msg). Where the registers are there and known they say it themselves.
 */
export interface McaSaid {
  /** Corrected errors. */
  count?: number;
  /** Of the board's own numbers, from 1. */
  processor?: number;
  node?: number;
  channel?: number;
  rank?: number;
  subRank?: number;
  chipSelect?: number;
  device?: number;
  bankGroup?: number;
  /** Of the DRAM. */
  bank?: number;
  row?: number;
  column?: number;
}

/** Members of {@link McaSaid}. */
export const MCA_SAID = [
  'count',
  'processor',
  'node',
  'channel',
  'rank',
  'subRank',
  'chipSelect',
  'device',
  'bankGroup',
  'bank',
  'row',
  'column',
] as const satisfies readonly (keyof McaSaid)[];

/** One bank of one CPU, as read or logged. Registers are u64 bigint; a missing member was not reported. */
export interface X86McaRecord {
  kind: 'x86-mca';
  vendor?: McaVendor;
  cpu?: number;
  /** Bank number as reported; -1 and 255 are what Linux writes for records made from firmware reports. */
  bank: number;
  status: bigint;
  mcgStatus?: bigint;
  mcgCap?: bigint;
  addr?: bigint;
  misc?: bigint;
  synd?: bigint;
  synd1?: bigint;
  synd2?: bigint;
  ipid?: bigint;
  /** AMD MCA_CONFIG. */
  config?: bigint;
  /**
   * MCA_IPID as far as a program says it in words that keeps no MCA_IPID: hardware id and type of the bank, and the channel of a memory
   * controller.
   */
  unit?: bigint;
  /** AMD MCA_DESTAT and MCA_DEADDR, the registers of deferred errors. */
  destat?: bigint;
  deaddr?: bigint;
  ppin?: bigint;
  tsc?: bigint;
  /** CPUID leaf 1 EAX. */
  cpuid?: bigint;
  /** Seconds since 1970-01-01 UTC. */
  time?: bigint;
  socket?: number;
  apicId?: bigint;
  microcode?: bigint;
  /** Instruction pointer that came with the exception. */
  rip?: bigint;
  cs?: bigint;
  /**
   * It was taken out of a report of the firmware, of this boot or of the one before, or the firmware found it in its bank when it
   * started: no CPU raised it to Linux.
   */
  within?: 'report' | 'previous-boot' | 'start';
  said?: McaSaid;
  /** The program that wrote it calls the error fatal, whatever its registers say: the machine went down with it. */
  reported?: 'fatal';
  origin?: RecordOrigin;
}

/** Members of a record that are registers, in the order they are shown. */
export const MCA_REGISTERS = [
  'status',
  'mcgStatus',
  'mcgCap',
  'addr',
  'misc',
  'synd',
  'synd1',
  'synd2',
  'ipid',
  'config',
  'destat',
  'deaddr',
  'ppin',
  'tsc',
  'cpuid',
  'apicId',
  'microcode',
  'rip',
  'cs',
] as const satisfies readonly (keyof X86McaRecord)[];
