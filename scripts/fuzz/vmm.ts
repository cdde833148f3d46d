/** Fuzz targets of the room `vmm`: its control channel, command line, serial line, and what KVM and files hand it. */
import { UsageError } from '@syndrome/decode/common/errors.ts';
import { ControlLines, MAX_CONTROL_LINE, parseControl } from '@syndrome/vmm/control.ts';
import { VmmError } from '@syndrome/vmm/errors.ts';
import { decodeExit, exitOfFailure } from '@syndrome/vmm/exits.ts';
import { parseImageHeader } from '@syndrome/vmm/image.ts';
import { parseOptions } from '@syndrome/vmm/options.ts';
import { UART_STATE_BYTES, Uart16550 } from '@syndrome/vmm/uart.ts';
import { anyJson, anyText, chunks, spoiledJson } from './junk.ts';
import { attempt, differences } from './oracles.ts';
import type { Target } from './target.ts';

const REQUESTS = [{ cmd: 'page', gpa: '0x40000000' }, { cmd: 'quarantine', gpa: '0x1000' }, { cmd: 'stop' }];

const CONTROL: Target = {
  name: 'vmm:control',
  holds:
    'the control channel in any pieces: the same lines, none too long; a request with an address it named, or words',
  weight: 20,
  open: () => chance => {
    const lines = Array.from({ length: chance.below(5) }, () => {
      const good = chance.pick(REQUESTS);
      const value = chance.oneIn(4)
        ? anyJson(chance, ['cmd', 'gpa', 'page', 'stop'])
        : spoiledJson(chance, good, ['cmd', 'gpa']);
      const text = JSON.stringify(value).replaceAll('\n', '');
      return chance.oneIn(32) ? text + ' '.repeat(MAX_CONTROL_LINE) : text;
    });
    const bytes = Buffer.from(lines.join('\n') + chance.pick(['', '\n']), 'latin1');
    const read = (): string[] => {
      const reader = new ControlLines();
      return chunks(chance, bytes).flatMap(c => reader.push(c));
    };
    const got = read();
    const wrong = differences('other pieces', read(), got);
    for (const line of got) {
      if (line.length > MAX_CONTROL_LINE) wrong.push(`a line of ${line.length}`);
      const request = parseControl(line);
      if (typeof request === 'string') {
        if (request === '' || request.length > 500) wrong.push(`words: ${request}`);
      } else if ('gpa' in request && !/"gpa"/.test(line)) wrong.push('an address that was not named');
    }
    return wrong;
  },
};

const OPTION_NAMES = [
  'kernel',
  'initrd',
  'append',
  'memory',
  'vcpus',
  'name',
  'sea',
  'quarantine',
  'huge-pages',
  'max-errors',
  'on-threshold',
  'nope',
];
const OPTION_VALUES = [
  'Image',
  '512M',
  '1G',
  '0M',
  '99999999G',
  '2',
  '0',
  '1e3',
  'auto',
  'on',
  'off',
  'now',
  'report',
  '',
];

const OPTIONS: Target = {
  name: 'vmm:options',
  holds: 'command lines of the VMM: numbers within their bounds, or a usage error',
  weight: 20,
  open: () => chance => {
    const args = ['--kernel', 'Image'];
    for (let n = chance.below(4); n > 0; n--) {
      const value = chance.oneIn(4) ? anyText(chance) : chance.pick(OPTION_VALUES);
      const name = chance.pick(OPTION_NAMES);
      if (chance.oneIn(2)) args.push(`--${name}=${value}`);
      else args.push(`--${name}`, value);
    }
    const { value, wrong } = attempt(() => parseOptions(args), [UsageError]);
    if (value === undefined) return wrong;
    const { memoryBytes, vcpus, maxErrors } = value;
    if (!Number.isSafeInteger(memoryBytes) || memoryBytes < 64 << 20) wrong.push(`${memoryBytes} bytes`);
    if (!(vcpus >= 1 && vcpus <= 64) || !(maxErrors >= 1 && maxErrors <= 1e6)) wrong.push(`${vcpus} ${maxErrors}`);
    return wrong;
  },
};

const EXITS: Target = {
  name: 'vmm:exits',
  holds: 'what KVM wrote into its run area, the head of a kernel: bounded values of 64 bits, or an error of the room',
  weight: 40,
  open: () => chance => {
    const bytes = chance.bytes(256);
    const view = new DataView(bytes.buffer);
    // The reason for the exit, as KVM numbers it.
    if (!chance.oneIn(8)) view.setUint32(8, chance.pick([6, 9, 10, 17, 24, 28, 39, 41, 99]), true);
    const wrong: string[] = [];
    for (const exit of [decodeExit(view), exitOfFailure(chance.pick([14, 133, 5]), view)]) {
      if (exit === undefined) continue;
      if (exit.kind === 'mmio' && (exit.length > 8 || exit.value >> BigInt(exit.length * 8) !== 0n)) wrong.push('mmio');
      if ('data' in exit && exit.data.length > 16) wrong.push(`${exit.data.length} words of data`);
      for (const value of Object.values(exit)) {
        if (typeof value === 'bigint' && (value < 0n || value >> 64n !== 0n)) wrong.push(`${exit.kind} ${value}`);
      }
    }
    const head = chance.bytes(chance.below(80));
    if (chance.oneIn(2) && head.length >= 60) head.set([0x41, 0x52, 0x4d, 0x64], 56);
    const image = attempt(() => parseImageHeader(head), [VmmError]);
    wrong.push(...image.wrong);
    if (image.value !== undefined && (head.length < 64 || image.value.imageSize === 0n))
      wrong.push('an image of nothing');
    return wrong;
  },
};

const UART: Target = {
  name: 'vmm:uart',
  holds: 'a serial line driven at random: bytes come out in the order they went in, registers stay bytes',
  weight: 6,
  open: () => chance => {
    const uart = new Uart16550(new ArrayBuffer(UART_STATE_BYTES));
    const wrong: string[] = [];
    const [toGuest, toHost]: [number[], number[]] = [[], []];
    let [dlab, loopback] = [false, false];
    for (let n = chance.below(120); n > 0; n--) {
      switch (chance.below(6)) {
        case 0: {
          const bytes = chance.bytes(chance.below(20));
          toGuest.push(...bytes.subarray(0, uart.receive(bytes)));
          break;
        }
        case 1: {
          const most = chance.below(40);
          const bytes = [...uart.drain(most)];
          wrong.push(...differences('sent', bytes, toHost.splice(0, Math.min(most, toHost.length))));
          break;
        }
        case 2: {
          const byte = uart.read(0);
          if (!dlab && byte !== (toGuest.shift() ?? 0)) wrong.push(`received ${byte}`);
          break;
        }
        case 3: {
          const byte = chance.below(256);
          uart.write(0, byte);
          if (dlab) break;
          if (loopback) toGuest.push(byte);
          else toHost.push(byte);
          break;
        }
        case 4: {
          const register = 1 + chance.below(7);
          const value = chance.oneIn(3) ? chance.below(256) : chance.pick([0, 1, 3, 0x80]);
          uart.write(register, value);
          if (register === 3) dlab = (value & 0x80) !== 0;
          if (register === 4) loopback = (value & 0x10) !== 0;
          if (register === 2 && (value & 2) !== 0) toGuest.length = 0;
          break;
        }
        default: {
          const register = chance.below(9);
          const value = register === 0 ? 0 : uart.read(register);
          if (!(value >= 0 && value <= 255)) wrong.push(`register ${register} is ${value}`);
          if (register === 5 && (value & 1) !== (toGuest.length > 0 ? 1 : 0)) wrong.push('data ready');
        }
      }
    }
    return wrong;
  },
};

export const VMM: readonly Target[] = [CONTROL, OPTIONS, EXITS, UART];
