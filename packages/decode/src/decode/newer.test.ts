import { expect, test } from 'vitest';
import { decode } from './decoder.ts';

const ofVersion = (version: number, raw: object): string =>
  `${JSON.stringify({ schemaVersion: version, kind: 'x86-mca', bank: 9, raw: { kind: 'x86-mca', bank: 9, ...raw } })}\n`;
const STATUS = { vendor: 'amd', status: '0x9c00180000000000' };

test('a record of a newer version is read, and says that it is one', () => {
  const [record] = decode(ofVersion(2, STATUS)).records;
  expect(record?.severity).toBe('deferred');
  expect(record?.diagnostics).toEqual([
    {
      code: 'W_TEXT_NEWER',
      message: 'the record is of version 2; this program reads 1, and took what it knows of it',
    },
  ]);
  expect(decode(ofVersion(1, STATUS)).records[0]?.diagnostics).toEqual([]);
});

test('and where nothing is known of it, that is said', () => {
  const { records, diagnostics } = decode(ofVersion(2, { words: 7 }));
  expect(records).toEqual([]);
  expect(diagnostics.map(({ code }) => code)).toContain('W_TEXT_NEWER');
});
