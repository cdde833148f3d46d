import { openSync, readSync } from 'node:fs';

const WORD_BYTES = 8;

let memory: number | undefined;

/**
 * The 64-bit little-endian word at an address of this process, or undefined when it cannot be read. Through the kernel:
 * a page that it knows to be poisoned gives an error there, where a load would give SIGBUS.
 */
export function readOwnWord(address: bigint): bigint | undefined {
  const word = Buffer.alloc(WORD_BYTES);
  try {
    memory ??= openSync('/proc/self/mem', 'r');
    if (readSync(memory, word, 0, WORD_BYTES, address) !== WORD_BYTES) return undefined;
  } catch {
    return undefined;
  }
  return word.readBigUInt64LE(0);
}
