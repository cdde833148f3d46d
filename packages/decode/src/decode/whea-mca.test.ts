/** The machine check section as DecodeWheaRecord prints it: whatever stands in a status comes back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from './decoder.ts';

const bit = (status: bigint, at: number): boolean => ((status >> BigInt(at)) & 1n) === 1n;
const bits = (status: bigint, hi: number, lo: number): number =>
  Number(BigInt.asUintN(hi - lo + 1, status >> BigInt(lo)));

/** In the order and under the names of the WDK. */
function membersOf(status: bigint, vendor: 'Intel' | 'Amd'): object {
  const own =
    vendor === 'Amd'
      ? {
          ImplementationSpecific2: bits(status, 42, 32),
          Poison: bit(status, 43),
          Deferred: bit(status, 44),
          ImplementationSpecific1: bits(status, 56, 45),
        }
      : {
          OtherInfo: bits(status, 36, 32),
          FirmwareUpdateError: bit(status, 37),
          CorrectedErrorCount: bits(status, 52, 38),
          ThresholdErrorStatus: bits(status, 54, 53),
          ActionRequired: bit(status, 55),
          Signalling: bit(status, 56),
        };
  return {
    McaErrorCode: bits(status, 15, 0),
    ModelErrorCode: bits(status, 31, 16),
    ...own,
    ContextCorrupt: bit(status, 57),
    AddressValid: bit(status, 58),
    MiscValid: bit(status, 59),
    ErrorEnabled: bit(status, 60),
    UncorrectedError: bit(status, 61),
    StatusOverFlow: bit(status, 62),
    Valid: bit(status, 63),
  };
}

const printed = (section: object): string =>
  JSON.stringify({ Header: { Signature: 'CPER', Severity: 'Fatal' }, Section: [section] }, null, 2);
const VALID = 1n << 63n;

test('every status comes back as it was, of the first bank and of further ones', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('Intel' as const, 'Amd' as const),
      fc.bigInt({ min: 0n, max: VALID - 1n }),
      fc.bigInt({ min: 0n, max: VALID - 1n }),
      (vendor, a, b) => {
        const [first, second] = [a | VALID, b | VALID];
        const further = Array.from({ length: 3 }, (_, i) => membersOf(i === 1 ? second : 0n, vendor));
        const section = {
          VersionNumber: 4,
          CpuVendor: vendor,
          ProcessorNumber: 7,
          GlobalStatus: 'RestartIpValid, LocalMceValid',
          BankNumber: 3,
          [`${vendor}Bits`]: membersOf(first, vendor),
          ApicId: 14,
          ExBankCount: 2,
          BankNumberEx: Array.from({ length: 3 }, (_, i) => 5 + i),
          [`StatusEx${vendor}`]: further,
        };
        const banks = decode(printed(section)).records.filter(r => r.kind === 'x86-mca');
        expect(banks.map(r => [r.cpu, r.bank, r.registers['status'], r.registers['mcgStatus']])).toEqual([
          [7, 3, first, 9n],
          [7, 6, second, 9n],
        ]);
      },
    ),
    { numRuns: 30 },
  );
});

test('a section that ends early is told as far as it was read', () => {
  const whole = printed({
    VersionNumber: 3,
    CpuVendor: 'Intel',
    BankNumber: 3,
    IntelBits: membersOf(0xbe00_0000_0080_0400n, 'Intel'),
  });
  const cut = whole.slice(0, whole.indexOf('"Valid"'));
  expect(decode(whole).records.map(r => [r.kind, r.severity])).toEqual([
    ['cper', 'fatal'],
    ['x86-mca', 'fatal'],
  ]);
  expect(decode(cut).records.map(r => r.kind)).toContain('cper');
  expect(decode(whole.slice(0, whole.indexOf('"IntelBits"'))).records).toEqual([]);
});
