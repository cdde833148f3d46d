import { describe, expect, test } from 'vitest';
import { readTargetDescription } from './target-description.ts';

const documents = (files: Record<string, string>) => (annex: string) =>
  Promise.resolve(files[annex] ?? expect.fail(`${annex} was asked for`));

describe('readTargetDescription', () => {
  test('numbers registers on over features and documents, as QEMU means it', async () => {
    const description = await readTargetDescription(
      documents({
        'target.xml': `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target>
          <architecture>aarch64</architecture>
          <xi:include href="core.xml"/><xi:include href="system-registers.xml"/></target>`,
        'core.xml': `<!-- <reg name="no" bitsize="64"/> --><feature name="core"><vector id="v" type="int" count="4"/>
          <flags id="f" size="4"><field name="" start="0" end="1"/></flags>
          <reg name="x0" bitsize="64"/><reg name='pc' bitsize='64' type="code_ptr"/></feature>`,
        'system-registers.xml': `<feature name="sys"><reg name="VTTBR_EL2" bitsize="64" regnum="144" group="a&amp;b"/>
          <reg name="next" bitsize="32"></reg></feature>`,
      }),
    );
    expect(description).toEqual({
      architecture: 'aarch64',
      registers: [
        { name: 'x0', regnum: 0, bitsize: 64, feature: 'core' },
        { name: 'pc', regnum: 1, bitsize: 64, feature: 'core' },
        { name: 'VTTBR_EL2', regnum: 144, bitsize: 64, feature: 'sys' },
        { name: 'next', regnum: 145, bitsize: 32, feature: 'sys' },
      ],
    });
  });

  test.each([
    ['<target><reg bitsize="8"/></target>', /without a usable name/],
    ['<target><reg name="a" bitsize="0"/></target>', /bitsize/],
    ['<target><reg name="a" bitsize="9999999"/></target>', /bitsize/],
    ['<target><reg name="a" bitsize="8" regnum="-1"/></target>', /regnum/],
    ['<target><reg name="a" bitsize="8" regnum="65536"/></target>', /regnum/],
    ['<target><reg name="a" bitsize="8" regnum="65535"/><reg name="b" bitsize="8"/></target>', /register b .*regnum/],
    ['<target><xi:include href="../x"/></target>', /include/],
    ['<target><reg name="a" bitsize="8"/>', /<target> has no end/],
    ['<!DOCTYPE target [<!ENTITY b "c">]><target/>', /not usable/],
    [`<target>${'<reg name="a" bitsize="8"/>'.repeat(16_385)}</target>`, /more than 16384 registers/],
  ])('refuses %.60s', async (text, message) => {
    await expect(readTargetDescription(documents({ 'target.xml': text }))).rejects.toThrow(message);
  });

  test('what fetching throws passes through', async () => {
    await expect(readTargetDescription(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  });
});
