import { describe, expect, it } from 'vitest';
import { decode } from '../decode/decoder.ts';
import { DmidecodeText, MemoryDevices } from './smbios.ts';

const device = (handle: string, locator: string, more = ''): string =>
  `Handle ${handle}, DMI type 17, 84 bytes\nMemory Device\n\tArray Handle: 0x0010\n\tSize: 16 GB\n\tLocator: ${locator}\n\tSerial Number: S-${handle}\n${more}\n`;
function read(text: string, size = text.length): DmidecodeText {
  const reader = new DmidecodeText();
  for (let at = 0; at < text.length; at += size) reader.push(text.slice(at, at + size));
  reader.end();
  return reader;
}
const CE = 'EDAC MC0: 1 CE memory read error on LABEL (channel:0 slot:0 page:0x10 offset:0x40 grain:32)\n';
const serialOf = (devices: MemoryDevices, text: string): string | undefined => {
  const [record] = decode(text).records;
  return record === undefined ? undefined : devices.of(record)?.serial;
};

describe('memory devices of dmidecode', () => {
  const text = `# dmidecode 3.3\n${device('0x0011', 'A1', '\tBank Locator: NODE 1\n\tPart Number: M393  \n')}${device('0x0012', 'A2')}Handle 0x0013, DMI type 17, 40 bytes\nMemory Device\n\tSize: No Module Installed\n\tLocator: A3\n\nEnd Of Table\n`;

  it.each([1, 7, 4096])('in pieces of %i characters', size => {
    expect(read(text, size).devices).toEqual([
      {
        handle: 0x11,
        array: 0x10,
        size: '16 GB',
        locator: 'A1',
        serial: 'S-0x0011',
        bankLocator: 'NODE 1',
        partNumber: 'M393',
      },
      { handle: 0x12, array: 0x10, size: '16 GB', locator: 'A2', serial: 'S-0x0012' },
    ]);
  });

  it('leaves out what makers write where they know nothing', () => {
    const [first] = read(
      device('0x1', 'A1', '\tManufacturer: Unknown\n\tPart Number: To Be Filled By O.E.M.\n').replace(
        'S-0x1',
        '00000000',
      ),
    ).devices;
    expect(first).toEqual({ handle: 1, array: 0x10, size: '16 GB', locator: 'A1' });
  });

  it('are found by handle, by label, by the words of Linux, and never by guess', () => {
    const devices = new MemoryDevices(read(text).devices);
    const handle = (line: string): string =>
      `{1}[Hardware Error]: event severity: corrected\n{1}[Hardware Error]:  Error 0, type: corrected\n{1}[Hardware Error]:   section_type: memory error\n{1}[Hardware Error]:   physical_address: 0x0000000000001000\n{1}[Hardware Error]:   ${line}\n`;
    expect(serialOf(devices, handle('DIMM location: not present. DMI handle: 0x0012'))).toBe('S-0x0012');
    expect(serialOf(devices, handle('DIMM location: NODE 1 A1 '))).toBe('S-0x0011');
    expect(serialOf(devices, CE.replace('LABEL', 'A2'))).toBe('S-0x0012');
    expect(serialOf(devices, CE.replace('LABEL', 'node 1 a1'))).toBe('S-0x0011');
    for (const label of ['A', 'A11', 'A3', 'CPU0_A1', 'NODE 2 A1'])
      expect(serialOf(devices, CE.replace('LABEL', label))).toBeUndefined();
  });

  it('with one name for two are none', () => {
    const twice = new MemoryDevices(
      read(`${device('0x1', 'A1', '\tBank Locator: CPU0\n')}${device('0x2', 'A1', '\tBank Locator: CPU1\n')}`).devices,
    );
    expect(serialOf(twice, CE.replace('LABEL', 'A1'))).toBeUndefined();
    expect(serialOf(twice, CE.replace('LABEL', 'CPU1 A1'))).toBe('S-0x2');
  });
});
