import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { machineKind, machineSchema } from '../machines/registry.ts';
import { testQemu } from '../supply/testing/parts.ts';
import { channelEnd, type MachineEnds } from './channels.ts';
import { qemuArgs } from './qemu-args.ts';
import { RunDir } from './run-dir.ts';
import type { SerialLine } from './serial-line.ts';

let dir: RunDir;
beforeEach(() => void (dir = new RunDir()));
afterEach(() => dir.remove());

/**
 * Prints 4 digits `a` to `p` and a line feed for each number below 4000h, then resets the machine. As a console driver it
 * waits for room only so long. 16-bit code at F000:0000.
 */
const PRINTING = [
  'fa 31c0 8ed0 bc0070', //  cli; ss:sp = 0:7000h
  'bafa03 b001 ee', //       out 3FAh, 1: FIFOs on
  '31ed', //                 bp = 0
  'b304 89ee', //            line: bl = 4; si = bp
  'c1c604 89f0 240f 0461', // digit: rol si, 4; al = 'a' + (si & 15)
  'e81700 fecb 75f0', //     call put; dec bl; jnz digit
  'b00a e80e00', //          al = 10; call put
  '45 81fd0040 75e0', //     inc bp; cmp bp, 4000h; jnz line
  'b0fe e664 f4 ebfd', //    out 64h, FEh: reset; hlt
  '88c4 bafd03 b9e803', //   put: ah = al; dx = 3FDh; cx = 1000
  'ec a820 7502 e2f9', //    wait: in al, dx; test al, 20h (THRE); jnz on; loop wait
  '88e0 baf803 ee c3', //    on: al = ah; out 3F8h, al; ret
];

/** The same on the second port: 2F8h to 2FFh. */
const PRINTING_SECOND = PRINTING.map(piece => piece.replace(/\bba(f[8ad])03\b/g, (_, low) => `ba${low}02`));

/** Says on the second port what it hears there, up to a line feed; then resets the machine. */
const ECHOING = [
  'fa', //                   cli
  'bafd02 ec a801 74fb', //  next: dx = 2FDh; wait: in al, dx; test al, 1 (DR); jz wait
  'baf802 ec ee', //         dx = 2F8h; in al, dx; out dx, al
  '3c0a 75ef', //            cmp al, 10; jnz next
  'b0fe e664 f4 ebfd', //    out 64h, FEh: reset; hlt
];

function rom(code: readonly string[]): string {
  const image = Buffer.alloc(1 << 16, 0xf4);
  Buffer.from(code.join('').replaceAll(' ', ''), 'hex').copy(image);
  // The reset vector: jmp F000:0000.
  Buffer.from('ea000000f0', 'hex').copy(image, 0xfff0);
  const path = dir.file('rom');
  writeFileSync(path, image);
  return path;
}

const machine = machineSchema.parse({ kind: 'linux-guest' });

/** The options for the serial ports of a guest, as every run has them. */
function serialPorts(): string[] {
  const files = { qemu: [], kernel: '', initrd: '' };
  const ends: MachineEnds = Object.fromEntries(
    machineKind(machine).channels.map(channel => [channel, channelEnd(channel, dir.path)]),
  );
  const args = qemuArgs({ machine, accel: 'tcg', files }, ends);
  return args.flatMap((arg, i) => (arg === '-chardev' || arg === '-serial' ? [arg, args[i + 1] ?? ''] : []));
}

async function line(channel: 'console' | 'agent'): Promise<SerialLine> {
  const end = channelEnd(channel, dir.path);
  if ('socket' in end) throw new Error(`${channel} is a socket`);
  return dir.serialLine(end);
}

/** Runs a machine from its reset to the next one. This process does nothing else: it reads not a byte meanwhile. */
async function runToReset(code: readonly string[]): Promise<void> {
  const [command = '', ...first] = await testQemu('x86_64');
  const options = '-nodefaults -no-user-config -display none -accel tcg -machine pc -m 16 -no-reboot'.split(' ');
  const args = [...first, ...options, '-bios', rom(code), ...serialPorts()];
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 });
  expect([status, stderr]).toEqual([0, '']);
}

async function all(of: SerialLine): Promise<string> {
  const pieces: Buffer[] = [];
  of.on('data', (piece: Buffer) => pieces.push(piece));
  of.finish();
  await once(of, 'close');
  return Buffer.concat(pieces).toString('latin1');
}

test.each([
  ['console', 'agent', PRINTING],
  ['agent', 'console', PRINTING_SECOND],
] as const)('the line of the %s loses nothing, however long nobody reads it', async (name, other, code) => {
  const [printing, silent] = [await line(name), await line(other)];
  await runToReset(code);
  const digits = (n: number): string => n.toString(16).padStart(4, '0').replace(/./g, digit);
  const digit = (hex: string): string => String.fromCharCode(97 + Number.parseInt(hex, 16));
  const expected = Array.from({ length: 0x4000 }, (_, n) => `${digits(n)}\n`).join('');
  expect([await all(printing), await all(silent)]).toEqual([expected, '']);
});

test('an agent hears what it was sent before it was there, and is heard', async () => {
  const agent = await line('agent');
  await line('console');
  const request = `${'7 read path=/proc/interrupts '.repeat(100)}\n`;
  await new Promise(resolve => agent.write(request, resolve));
  await runToReset(ECHOING);
  expect(await all(agent)).toBe(request);
});
