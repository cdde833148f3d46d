/**
 * The lab as the firmware of a machine: it writes records for the guest's kernel and does what that asks for, through the
 * guest's memory, which is a file that QEMU shares. Where everything is the tables say, as to any operating system.
 */
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { decodeBert } from '@syndrome/decode/acpi/bert.ts';
import {
  decodeEinj,
  decodeEinjRequest,
  EINJ_ACTION,
  EINJ_REQUEST_LENGTH,
  einjStatus,
  emptyTriggerTable,
} from '@syndrome/decode/acpi/einj.ts';
import type { EinjRequest, EinjStatus } from '@syndrome/decode/acpi/einj.ts';
import { decodeHest } from '@syndrome/decode/acpi/hest.ts';
import { signatureOf } from '@syndrome/decode/acpi/table.ts';
import { EINJ_INJECTED_TYPES } from '@syndrome/decode/inject/einj.ts';
import { LabError } from '../errors.ts';
import { bytesOfMib, pointersOf } from './tables.ts';

const WORD = 8;
/** Of a generic error status block: the first word says whether there is one. ACPI 6.5 18.3.2.7.1. */
const BLOCK_STATUS = 4;

export class Firmware {
  readonly #fd: number;
  readonly #boot: bigint;
  readonly #block: bigint;
  readonly #blockLength: number;
  /** Registers of EINJ by their action. */
  readonly #einj: ReadonlyMap<number, bigint>;
  readonly #memoryBytes: bigint;

  /**
   * Makes the file of a machine's memory, with what firmware has there before the power comes on.
   * @param memory MiB
   * @throws LabError E_LAB_FIRMWARE for tables that lack something
   */
  constructor(file: string, memory: number, tables: readonly Uint8Array[]) {
    const find = (signature: string): Uint8Array =>
      tables.find(table => signatureOf(table) === signature) ?? new Uint8Array();
    const boot = decodeBert(find('BERT')).value?.region;
    const [source] = decodeHest(find('HEST')).value?.sources ?? [];
    const einj = decodeEinj(find('EINJ')).value;
    if (boot === undefined || source === undefined || einj === undefined) {
      throw new LabError('E_LAB_FIRMWARE', 'the tables of the machine name no place for its errors');
    }
    const { block, trigger } = pointersOf(memory);
    this.#memoryBytes = bytesOfMib(memory);
    this.#boot = boot.address;
    this.#block = block;
    this.#blockLength = source.statusBlockLength;
    this.#einj = new Map(einj.entries.map(({ action, register }) => [action, register.address]));
    this.#fd = openSync(file, 'wx+', 0o600);
    ftruncateSync(this.#fd, Number(this.#memoryBytes));
    this.#writeWord(source.errorStatusAddress.address, block);
    this.#writeWord(this.#register(EINJ_ACTION.getErrorType), EINJ_INJECTED_TYPES);
    this.#writeWord(this.#register(EINJ_ACTION.getTriggerTable), trigger);
    this.#write(trigger, emptyTriggerTable());
  }

  #register(action: number): bigint {
    const register = this.#einj.get(action);
    if (register === undefined) throw new LabError('E_LAB_FIRMWARE', `EINJ has no action ${action}`);
    return register;
  }

  #write(address: bigint, bytes: Uint8Array): void {
    writeSync(this.#fd, bytes, 0, bytes.length, Number(address));
  }

  #read(address: bigint, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#fd, bytes, 0, length, Number(address));
    return bytes;
  }

  #writeWord(address: bigint, value: bigint): void {
    const bytes = Buffer.alloc(WORD);
    bytes.writeBigUInt64LE(value);
    this.#write(address, bytes);
  }

  /** Writes a block so that nobody takes it before it is whole. */
  #put(address: bigint, block: Uint8Array): void {
    this.#write(address + BigInt(BLOCK_STATUS), block.subarray(BLOCK_STATUS));
    this.#write(address, block.subarray(0, BLOCK_STATUS));
  }

  /** Whether there is no record that the guest has not taken. */
  get acknowledged(): boolean {
    return this.#read(this.#block, BLOCK_STATUS).readUInt32LE() === 0;
  }

  /**
   * Hands a generic error status block to the guest.
   * @throws LabError E_LAB_FIRMWARE where the guest has not taken the last one, or the block is too long
   */
  report(block: Uint8Array): void {
    if (block.length > this.#blockLength) {
      throw new LabError('E_LAB_FIRMWARE', `a record of ${block.length} bytes; the source has ${this.#blockLength}`);
    }
    if (!this.acknowledged) {
      throw new LabError('E_LAB_FIRMWARE', 'the guest has not taken the last record of its firmware');
    }
    this.#put(this.#block, block);
  }

  /** Leaves a generic error status block for the next boot of the guest. */
  leaveForBoot(block: Uint8Array): void {
    this.#put(this.#boot, block);
  }

  /** What the guest asks for by EINJ; undefined while it asks for nothing. It waits for {@link answer}. */
  request(): EinjRequest | undefined {
    if (this.#read(this.#register(EINJ_ACTION.execute), WORD).readBigUInt64LE() === 0n) return undefined;
    const named = decodeEinjRequest(
      this.#read(this.#register(EINJ_ACTION.setErrorTypeWithAddress), EINJ_REQUEST_LENGTH),
    );
    // The old action names a type and nothing else.
    const plain = this.#read(this.#register(EINJ_ACTION.setErrorType), BLOCK_STATUS).readUInt32LE();
    return named === undefined || named.errorType === 0 ? { errorType: plain } : named;
  }

  /** Ends what the guest has asked for. */
  answer(status: EinjStatus): void {
    this.#writeWord(this.#register(EINJ_ACTION.getStatus), einjStatus(status));
    this.#write(this.#register(EINJ_ACTION.setErrorTypeWithAddress), new Uint8Array(EINJ_REQUEST_LENGTH));
    this.#write(this.#register(EINJ_ACTION.setErrorType), new Uint8Array(BLOCK_STATUS));
    this.#writeWord(this.#register(EINJ_ACTION.execute), 0n);
  }

  /** Whether an address is one of the machine's memory. */
  has(address: bigint): boolean {
    return address < this.#memoryBytes;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
