import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from '../common/hex.ts';
import { decode } from '../decode/decoder.ts';
import { toData } from '../decode/record.ts';
import { TextWriter } from '../decode/to-text.ts';
import { Redactor } from './redact.ts';

const CE = 'EDAC MC0: 1 CE memory read error on DIMM_A1 (channel:0 slot:0 page:0x10 offset:0x40 grain:32 syndrome:0x0)';

describe('a redactor', () => {
  it.each([
    ['host from 10.1.2.3 and 10.1.2.3, 192.168.0.9', 'host from ip-1 and ip-1, ip-2'],
    ['fe80::1ff:fe23:4567:890a, 2001:db8::1 and 2001:0db8:0:0:0:0:0:1', 'ip-1, ip-2 and ip-3'],
    ['ether 52:54:00:12:34:56, 52-54-00-12-34-56', 'ether mac-1, mac-2'],
    ['id 31323334-3536-434d-5831-323334353637', 'id 00000000-0000-0000-0000-000000000001'],
    [
      '/home/anna/logs, /Users/otto/x, C:\\Users\\otto\\x, /home/anna',
      '/home/user-1/logs, /Users/user-2/x, C:\\Users\\user-2\\x, /home/user-1',
    ],
    ['mail anna@db1.example.com of db1', 'mail user-1@host-1 of host-1'],
    ['Serial Number: CZ123, S/N CZ123, s/n: CZ123', 'Serial Number: serial-1, S/N serial-1, s/n: serial-1'],
    ['db7.corp.example.net and db7', 'host-1 and host-1'],
  ])('replaces names in %j', (text, clean) => {
    expect(new Redactor().text(text)).toBe(clean);
  });

  it.each([
    'section a5bc1114-6f64-4ede-b863-3e83ed7c83b1, 00000000-0000-0000-0000-000000000000',
    'device 0000:3b:00.0 status 0x8c00004000010091 at 12:34:56, 0:0:1:-1',
    'localhost and 127.0.0.1, 0.0.0.0',
    'kern.log.1 messages-20260101.gz ras-mc_event.db sosreport.tar.xz dmesg.txt',
    `${CE} address 0x0000006a47d1f540`,
    'err_code:0x0101:0x0090 ProcessorSocketId:0x0 bg:2 ba:3 row:0x1a2b col:0x10',
    '/home/root and root@localhost',
  ])('leaves %j as it is', text => {
    expect(new Redactor().text(text)).toBe(text);
  });

  it('knows a name wherever it stands once it has seen where names stand', () => {
    const redactor = new Redactor();
    redactor.learnFrom(
      'Nov 28 20:58:07 web-3 kernel: x\n2026-02-03T04:05:06.1+01:00 db9.example.org rasdaemon[1]: y\n',
    );
    redactor.learnFrom('{"_HOSTNAME":"node77","MESSAGE":"z"}\nLinux ra.corp 6.1.0-13-amd64 #1 SMP\n');
    redactor.learnFromName('/tmp/sosreport-mx2-2026-02-03-abc.tar.xz:x');
    expect(redactor.text('WEB-3 db9 node77 ra mx2.log web-30 xweb-3')).toBe(
      'host-1 host-2 host-3 host-4 host-5.log web-30 xweb-3',
    );
  });

  it('looks at what it wrote as at any text, and changes nothing more', () => {
    const redactor = new Redactor();
    const once = redactor.text(
      '10.0.0.1 anna@db1.example.com 31323334-3536-434d-5831-323334353637 52:54:00:12:34:56 S/N: A1B2C3',
    );
    expect(redactor.text(once)).toBe(once);
  });

  const hosts = ['db1', 'web-17', 'node_4', 'x9.dc2.example.net', 'KUBE-a'];
  const any = fc.record({
    host: fc.constantFrom(...hosts),
    user: fc.constantFrom('anna', 'j.doe', 'ops42'),
    ip: fc.ipV4().filter(ip => !/^(?:0|127)\./.test(ip)),
    mac: fc
      .array(fc.integer({ min: 16, max: 255 }), { minLength: 6, maxLength: 6 })
      .map(b => b.map(x => x.toString(16)).join(':')),
    uuid: fc.uuid(),
    serial: fc.constantFrom('CZJ1234XY', '12AB34CD', 'S-000777'),
    ppin: fc.bigInt({ min: 1n << 40n, max: (1n << 63n) - 1n }),
    status: fc.constantFrom('8c00004000010091', 'bd80000000100134', 'be00000000800400'),
  });

  it('lets no name out in any form, and decodes the same', () => {
    fc.assert(
      fc.property(any, ({ host, user, ip, mac, uuid, serial, ppin, status }) => {
        const stamp = `Nov 28 20:58:07 ${host} kernel: `;
        const log = [
          `${stamp}mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 9: ${status}`,
          `${stamp}mce: [Hardware Error]: TSC 1234 ADDR 91ee000 MISC 8c PPIN ${ppin.toString(16)} `,
          `${stamp}mce: [Hardware Error]: PROCESSOR 0:50657 TIME 1770000000 SOCKET 0 APIC 6 microcode 5003302`,
          `${stamp}${CE.replace('DIMM_A1', `${host}/DIMM_A1 S/N: ${serial}`)}`,
          `${stamp}Kernel panic - not syncing: ${user}@${host} from ${ip} (${mac}) in /home/${user}/x of ${host}, ${uuid}`,
          `${stamp}{1}[Hardware Error]: event severity: corrected`,
          `${stamp}{1}[Hardware Error]:  Error 0, type: corrected`,
          `${stamp}{1}[Hardware Error]:  fru_id: ${uuid}`,
          `${stamp}{1}[Hardware Error]:  fru_text: ${serial.slice(0, 4)} DIMM`,
          `${stamp}{1}[Hardware Error]:   section_type: memory error`,
          `${stamp}{1}[Hardware Error]:   physical_address: 0x0000006a47d1f540`,
          '',
        ].join('\n');
        const input = `/home/${user}/sosreport-${host}-2026-02-03/messages`;
        const plain = decode(log, { input, vendor: 'intel' }).records;
        const redactor = new Redactor();
        redactor.learnFromName(input);
        redactor.learnFrom(log);
        redactor.learn('serial', serial);
        const clean = plain.map(record => redactor.record(record));

        const writer = new TextWriter({ full: true, table: true });
        const out = [
          ...clean.map(record => stringify(toData(record, { outlook: true }))),
          ...clean.map(record => writer.text(record)),
        ].join('\n');
        const originals = [user, ip, mac, uuid, serial, ppin.toString(16), host, host.split('.')[0] ?? host];
        for (const name of originals) {
          const word = new RegExp(
            `(?<![A-Za-z0-9])(?:0x0{0,16})?${name.replaceAll(/[.*+?^${}()|[\]\\-]/g, '\\$&')}(?![A-Za-z0-9])`,
            'i',
          );
          expect(out).not.toMatch(word);
        }

        // What is decoded is the same but for the names.
        const core = (records: typeof plain): unknown[] =>
          records.map(r => [
            r.kind,
            r.class,
            r.severity,
            r.cpu,
            r.bank,
            r.registers['status'],
            r.address,
            r.mcacod,
            r.component?.name,
            r.count,
            r.time,
            r.lint.map(l => l.code),
            r.place?.row,
            r.outlook.map(o => o.outcome),
          ]);
        expect(core(clean)).toEqual(core(plain));
      }),
      { numRuns: 60 },
    );
  });
});
