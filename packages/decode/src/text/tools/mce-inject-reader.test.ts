/** What a file for mce-inject says that cannot be read is left out alone, and said. */
import { describe, expect, it } from 'vitest';
import { MCA_REGISTERS } from '../../mca/record.ts';
import type { TextItem } from '../item.ts';
import { LineScanner } from '../transport/line-scanner.ts';
import { MceInjectReader } from './mce-inject-reader.ts';

function read(...lines: readonly string[]): TextItem[] {
  const items: TextItem[] = [];
  const reader = new MceInjectReader(item => items.push(item), 'test');
  const scanner = new LineScanner(reader);
  scanner.push(new TextEncoder().encode(lines.map(l => `${l}\n`).join('')));
  scanner.end();
  reader.end();
  return items;
}

/** The registers of each record and the codes of its remarks, and the codes of the others. */
function said(...lines: readonly string[]): unknown[] {
  return read(...lines).flatMap(item => {
    if (item.type === 'note') return [item.note.code];
    if (item.type !== 'mca') return [item.type];
    const registers = MCA_REGISTERS.flatMap(name => {
      const value = item.record[name];
      return value === undefined ? [] : [`${name} ${value.toString(16)}`];
    });
    return [[registers.join(' '), ...item.notes.map(n => n.code)]];
  });
}

describe('a statement of mce-inject that is none', () => {
  const HEAD = 'CPU 0 BANK 2';
  const STATUS = 'STATUS 0xbd00000000000134';

  it('loses nothing of what stands around it', () => {
    const line = 'STATUS UNCORRECTED SRAR ADDR 0xqq MISC 0x8c';
    expect(said(HEAD, line)).toEqual([['status b980000000000000 mcgStatus 0 misc 8c', 'E_TEXT_VALUE']]);
    for (const bad of ['ADDR', 'RIP xx:1', 'PROCESSOR 0', 'what is this', 'SOCKETID x', 'MCGSTATUS RIPV,MCIP']) {
      expect(said(HEAD, `${STATUS} TSC 0x1 ${bad} MISC 0x8c`)).toEqual([
        ['status bd00000000000134 mcgStatus 0 misc 8c tsc 1', 'E_TEXT_VALUE'],
      ]);
    }
  });

  it('is told with its line', () => {
    const messages = read(HEAD, `${STATUS} ADDR 0xqq`, 'what is this').flatMap(item =>
      item.type === 'mca' ? item.notes.map(n => n.message) : [],
    );
    expect(messages).toEqual([
      'what line 2 says of ADDR is no value of it; it was left out',
      'what line 3 says is no statement of mce-inject; it was left out',
    ]);
  });

  it('takes the record with it where it is the STATUS, which is a loss', () => {
    expect(said(HEAD, 'STATUS 0xZZ ADDR 0x1000', HEAD, STATUS)).toEqual([
      'E_TEXT_VALUE',
      'E_TEXT_INCOMPLETE',
      ['status bd00000000000134 mcgStatus 0'],
    ]);
    expect(said(HEAD, 'ADDR 0x1000')).toEqual(['E_TEXT_INCOMPLETE']);
  });

  it('is told when it gives a second value', () => {
    expect(said(HEAD, STATUS, 'ADDR 0x1000', 'ADDR 0x2000 BANK 3')).toEqual([
      ['status bd00000000000134 mcgStatus 0 addr 2000', 'E_TEXT_VALUE', 'E_TEXT_VALUE'],
    ]);
    expect(said(HEAD, STATUS, 'STATUS 0x9c00000000000134')).toEqual([
      ['status 9c00000000000134 mcgStatus 0', 'E_TEXT_VALUE'],
    ]);
    expect(said(HEAD, 'BANK 2', STATUS, STATUS, 'ADDR 0x1000 ADDR 0x1000')).toEqual([
      ['status bd00000000000134 mcgStatus 0 addr 1000'],
    ]);
  });

  it('is told however many there are', () => {
    const items = read(HEAD, STATUS, ...Array.from({ length: 100 }, () => 'ADDR 0xqq'));
    expect(items.map(i => (i.type === 'mca' ? i.notes.length : i.firstLine))).toEqual([
      ...Array.from({ length: 36 }, (_, i) => 67 + i),
      64,
    ]);
  });
});

describe('the words of its scanner', () => {
  const status = (...words: readonly string[]): unknown =>
    said(`CPU 0 BANK 2 STATUS ${words.join(' ')} MCGSTATUS MCIP`);

  it('name the classes by their own bits, and whole errors by theirs', () => {
    expect(status('SRAO')).toEqual([['status 100000000000000 mcgStatus 4']]);
    expect(status('SRAR')).toEqual([['status 180000000000000 mcgStatus 4']]);
    expect(status('UCNA')).toEqual([['status 0 mcgStatus 4']]);
    expect(status('UNCORRECTED', 'SRAR', '0x134')).toEqual([['status b180000000000134 mcgStatus 4']]);
  });

  it('are flags of MCG_STATUS and MCG_CAP too, and numbers are those of C', () => {
    expect(said('CPU 03 012', 'STATUS VAL 010', 'MCGSTATUS LMCES RIPV', 'MCGCAP TES_P 0x14')).toEqual([
      ['status 8000000000000008 mcgStatus 9 mcgCap 814'],
    ]);
    const [item] = read('CPU 03 012', 'STATUS VAL');
    expect(item?.type === 'mca' ? [item.record.cpu, item.record.bank] : []).toEqual([3, 10]);
  });
});
