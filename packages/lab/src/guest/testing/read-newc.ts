import { InitramfsError } from '../errors.ts';
import { type CpioEntry, MAX_NAME, TRAILER, TYPES } from '../newc.ts';

const HEADER_BYTES = 110;
const TYPE_MASK = 0o170000;

/** Reads one newc archive up to its trailer. Throws {@link InitramfsError} on anything damaged or unknown. */
export function readNewc(bytes: Uint8Array): CpioEntry[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: CpioEntry[] = [];
  let at = 0;
  const take = (length: number, what: string): Buffer => {
    if (at + length > view.length) throw new InitramfsError(`archive ends inside ${what} at byte ${at}`);
    const part = view.subarray(at, at + length);
    at += length;
    return part;
  };
  for (;;) {
    const start = at;
    const head = take(HEADER_BYTES, 'a header').toString('latin1');
    if (!/^070701[0-9a-fA-F]{104}$/.test(head)) throw new InitramfsError(`no newc header at byte ${start}`);
    const field = (index: number): number => Number.parseInt(head.slice(6 + index * 8, 14 + index * 8), 16);
    const nameSize = field(11);
    if (nameSize < 2 || nameSize > MAX_NAME) throw new InitramfsError(`name of ${nameSize} bytes at byte ${start}`);
    const name = take(nameSize, 'a name');
    if (name[nameSize - 1] !== 0) throw new InitramfsError(`name without its NUL at byte ${start}`);
    const path = name.toString('utf8', 0, nameSize - 1);
    at += -at & 3;
    const data = take(field(6), path);
    at += -at & 3;
    if (path === TRAILER) return entries;
    entries.push(entryOf(path, field(1), data, field(9), field(10)));
  }
}

function entryOf(path: string, mode: number, data: Buffer, major: number, minor: number): CpioEntry {
  const permissions = mode & 0o7777;
  switch (mode & TYPE_MASK) {
    case TYPES.file:
      return { type: 'file', path, data: new Uint8Array(data), mode: permissions };
    case TYPES.directory:
      return { type: 'directory', path, mode: permissions };
    case TYPES.symlink:
      return { type: 'symlink', path, target: data.toString('utf8') };
    case TYPES.character:
      return { type: 'character', path, major, minor, mode: permissions };
    case TYPES.block:
      return { type: 'block', path, major, minor, mode: permissions };
    default:
      throw new InitramfsError(`${path}: file type 0o${(mode & TYPE_MASK).toString(8)} is not supported`);
  }
}
