/** What people carry the bytes of a record in: the forms of programs that dump, encode, ship and wrap them. */

const two = (n: number): string => n.toString(16).padStart(2, '0');
const hexOf = (bytes: Uint8Array): string => Array.from(bytes, two).join('');
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const ascii = (bytes: Uint8Array): string =>
  Array.from(bytes, b => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');
const wrapped = (text: string, columns: number): string[] => text.match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];

function rows(bytes: Uint8Array, row: (offset: number, part: Uint8Array, hex: string[]) => string): string[] {
  const out: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = bytes.subarray(at, at + 16);
    out.push(row(at, part, Array.from(part, two)));
  }
  return out;
}
const offset = (n: number): string => n.toString(16).padStart(8, '0');
const xxd = (bytes: Uint8Array): string[] =>
  rows(bytes, (at, part, hex) => {
    const groups = hex.join('').replaceAll(/(.{4})/g, '$1 ');
    return `${offset(at)}: ${groups.padEnd(40)} ${ascii(part)}`;
  });
const hexdumpC = (bytes: Uint8Array): string[] => [
  ...rows(bytes, (at, part, hex) => {
    const halves = `${hex.slice(0, 8).join(' ')}  ${hex.slice(8).join(' ')}`;
    return `${offset(at)}  ${halves.padEnd(48)}  |${ascii(part)}|`;
  }),
  offset(bytes.length),
];
/** print_hex_dump(…, DUMP_PREFIX_OFFSET, 16, 1, …, true), and with groups of four bytes. */
const printed = (bytes: Uint8Array): string[] =>
  rows(bytes, (at, part, hex) => `${offset(at)}: ${hex.join(' ').padEnd(47)}  ${ascii(part)}`);
const printedWords = (bytes: Uint8Array): string[] =>
  rows(bytes, (at, part, hex) => {
    const words = (hex.join('').match(/.{8}/g) ?? []).map(w => (w.match(/../g) ?? []).toReversed().join(''));
    return `${offset(at)}: ${words.join(' ')}  ${ascii(part)}`;
  });
const uefi = (bytes: Uint8Array): string[] =>
  rows(bytes, (at, part, hex) => {
    const halves = `${hex.slice(0, 8).join(' ')}-${hex.slice(8).join(' ')}`.toUpperCase();
    return `  ${offset(at).toUpperCase()}: ${halves}  *${ascii(part)}*`;
  });
const dmesg = (lines: readonly string[]): string[] => lines.map((l, i) => `[  123.${456_000 + i}] ${l}`);
const text = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;
const json = (value: unknown): string => `${JSON.stringify(value)}\n`;
const pretty = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

function utf16(of: string, big: boolean, mark: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * (of.length + (mark ? 1 : 0))));
  for (const [i, c] of Array.from(mark ? `\ufeff${of}` : of).entries()) view.setUint16(2 * i, c.charCodeAt(0), !big);
  return new Uint8Array(view.buffer);
}

type Carrier = (bytes: Uint8Array) => Uint8Array | string;

/** Nothing stands around the record, so that one without a signature is found too. */
export const WHOLE: Readonly<Record<string, Carrier>> = {
  'hex in one line': b => text(hexOf(b)),
  'hex, upper case': b => text(hexOf(b).toUpperCase()),
  'hex with blanks': b => text(Array.from(b, two).join(' ')),
  'a list of 0x': b => text(Array.from(b, x => `0x${two(x)}`).join(', ')),
  'hex, 32 columns': b => text(...wrapped(hexOf(b), 32)),
  base64: b => text(base64(b)),
  'base64, 64 columns': b => text(...wrapped(base64(b), 64)),
  'base64, 76 columns, CRLF': b => `${wrapped(base64(b), 76).join('\r\n')}\r\n`,
  xxd: b => text(...xxd(b)),
  'hexdump -C': b => text(...hexdumpC(b)),
  'od -t x1': b => text(...rows(b, (at, _, hex) => `${at.toString(8).padStart(7, '0')} ${hex.join(' ')}`)),
  'hexdump -C, UTF-16LE with a mark': b => utf16(`${hexdumpC(b).join('\r\n')}\r\n`, false, true),
  'hexdump -C, UTF-16LE': b => utf16(`${hexdumpC(b).join('\r\n')}\r\n`, false, false),
  'base64, UTF-16BE with a mark': b => utf16(text(base64(b)), true, true),
  'base64, UTF-16BE': b => utf16(text(base64(b)), true, false),
};

/** Something else stands around it: found by its signature. */
export const AROUND: Readonly<Record<string, Carrier>> = {
  'hex with dashes': b => text(Array.from(b, two).join('-')),
  'an array of C': b =>
    text(
      'unsigned char cper[] = {',
      ...rows(b, (_, part) => `  ${Array.from(part, x => `0x${two(x)}`).join(', ')},`),
      '};',
    ),
  'bytes of Python': b => text(`b'${Array.from(b, x => String.raw`\x${two(x)}`).join('')}'`),
  'Format-Hex of PowerShell': b =>
    text(
      '',
      '           00 01 02 03',
      '',
      ...rows(
        b,
        (at, part, hex) => `${offset(at).toUpperCase()}   ${hex.join(' ').toUpperCase().padEnd(48)}  ${ascii(part)}`,
      ),
    ),
  'a dump of the UEFI shell': b => text('Shell> bert dump', '', ...uefi(b), '', 'Shell>'),
  'db of WinDbg': b =>
    text(
      ...rows(
        b,
        (at, part, hex) =>
          `ffffe001\`${(0x1234_0000 + at).toString(16)}  ${hex.slice(0, 8).join(' ')}-${hex.slice(8).join(' ')}  ${ascii(part)}`,
      ),
    ),
  'a value of the registry': b =>
    text(
      ...`"RawRecord"=hex:${Array.from(b, two)
        .join(',')
        .replaceAll(/(.{75}),/g, '$1,\\\n  ')}`.split('\n'),
    ),
  PEM: b => text('-----BEGIN CPER-----', ...wrapped(base64(b), 64), '-----END CPER-----'),
  'xxd behind stamps of dmesg': b => text(...dmesg(xxd(b))),
  'print_hex_dump in dmesg': b =>
    text(...dmesg(['ACPI: something else', 'BERT: follows:', ...printed(b).map(l => `BERT: ${l}`), 'usb 1-1: new'])),
  'print_hex_dump by words in dmesg': b => text(...dmesg(printedWords(b))),
  'print_hex_dump in syslog': b =>
    text(...printed(b).map(l => `Nov 30 06:30:14 db1 kernel: [  123.456789] cper: ${l}`)),
  'hexdump -C in the log of a BMC': b =>
    text('Starting dump', ...hexdumpC(b).map(l => `Nov 30 06:30:14 bmc cper-logger[123]: ${l}`), 'done'),
  'hexdump -C in a mail': b => text('Here it is:', '', ...hexdumpC(b), '', 'Regards'),
  'xxd in a quoted mail': b => text('Hello,', '> see below', ...xxd(b).map(l => `> ${l}`)),
  'base64 in a mail': b => text('record follows:', '', ...wrapped(base64(b), 76), '', 'end'),
  'JSON, base64': b => json({ a: 1, rawRecord: base64(b) }),
  'JSON, hex': b => json({ deep: { list: [{ x: hexOf(b) }] } }),
  'JSON, an array of bytes': b => json({ time: '2026-11-30', payload: Array.from(b) }),
  'JSON, a Buffer of Node': b => json({ d: { type: 'Buffer', data: Array.from(b) } }),
  'JSON over lines, an array of bytes': b => pretty({ time: '2026-11-30', payload: Array.from(b) }),
  'JSON over lines, base64': b => pretty({ Id: '1', DiagnosticData: base64(b) }),
  'JSON over lines, 0x': b => pretty({ Id: '1', Raw: `0x${hexOf(b)}` }),
  'JSON, base64 for URLs': b => json({ d: base64(b).replaceAll('+', '-').replaceAll('/', '_') }),
  'JSON, a data URI': b => json({ d: `data:application/octet-stream;base64,${base64(b)}` }),
  'JSON, a dump in one text': b => json({ text: hexdumpC(b).join('\n') }),
  'JSON, wrapped base64': b => json({ text: wrapped(base64(b), 76).join('\n') }),
  'CSV, quoted over lines': b => text('time,record', `"2026","${wrapped(base64(b), 76).join('\n')}"`),
  'CSV, hex': b => text(`"2026-11-30","x","${hexOf(b)}","y"`),
  'CSV, base64 without quotes': b => text(`2026-11-30,x,${base64(b)},y`),
  'event XML': b => text(`<Event><EventData><Data Name="RawData">${hexOf(b).toUpperCase()}</Data></EventData></Event>`),
  'event XML over lines': b => text('<Event>', "  <Data Name='RawData'>", `    ${hexOf(b)}`, '  </Data>', '</Event>'),
  'XML, wrapped base64': b => text('<data encoding="base64">', ...wrapped(base64(b), 76), '</data>'),
  'event XML, UTF-16': b =>
    utf16(
      `<?xml version="1.0" encoding="UTF-16"?>\r\n<Event><Data Name="RawData">${hexOf(b)}</Data></Event>\r\n`,
      false,
      true,
    ),
  'docker, a dump': b =>
    hexdumpC(b)
      .map(l => json({ log: `${l}\n`, stream: 'stdout', time: '2026-11-30T06:30:14.1Z' }))
      .join(''),
  'docker, base64': b => json({ log: `cper ${base64(b)}\n`, stream: 'stdout', time: '2026-11-30T06:30:14.1Z' }),
  'Kubernetes (CRI), a dump': b => text(...xxd(b).map(l => `2026-11-30T06:30:14.123456789Z stdout F ${l}`)),
  'Kubernetes (CRI), base64': b => text(`2026-11-30T06:30:14.123456789Z stdout F record=${base64(b)}`),
  CloudWatch: b => pretty({ events: [{ timestamp: 1, message: `cper ${base64(b)}`, ingestionTime: 2 }] }),
  'Cloud Logging, textPayload': b => json({ insertId: 'x', textPayload: `cper: ${hexOf(b)}`, resource: {} }),
  'Cloud Logging, jsonPayload': b => pretty([{ insertId: 'x', jsonPayload: { message: 'cper', data: base64(b) } }]),
  'Azure Monitor': b => json({ records: [{ time: 'x', properties: { RawData: hexOf(b) } }] }),
  'journalctl -o json': b => json({ MESSAGE: `cper ${base64(b)}`, _TRANSPORT: 'stdout', SYSLOG_IDENTIFIER: 'x' }),
  'journalctl -o verbose': b =>
    text('Mon 2026-11-30 06:30:14.1 UTC [s=1]', '    PRIORITY=3', `    MESSAGE=cper ${base64(b)}`, '    _PID=1'),
  'journalctl -o export': b =>
    text('__CURSOR=s=1', '__REALTIME_TIMESTAMP=1', 'PRIORITY=3', `MESSAGE=cper ${base64(b)}`, '_PID=1', ''),
  'a log entry of Redfish': b =>
    json({
      '@odata.type': '#LogEntry.v1_15_0.LogEntry',
      DiagnosticDataType: 'CPER',
      DiagnosticData: base64(b),
      CPER: { NotificationType: '09a9d5ac-5204-4214-96e5-94992e752bcd' },
    }),
};
