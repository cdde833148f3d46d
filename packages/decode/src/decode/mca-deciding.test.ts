/**
 * The table of what decides, bit by bit: a bit that it leaves out changes no answer, and of one that it names there is a
 * record of which it changes one.
 */
import { describe, expect, it } from 'vitest';
import { hex64 } from '../common/hex.ts';
import { MCA_DECIDING } from '../mca/deciding.ts';
import { NAMED_MCA } from '../mca/named.ts';
import type { X86McaRecord } from '../mca/record.ts';
import { MCG_CAP, MCI_STATUS_AMD } from '../mca/registers.ts';
import { McaDecoded } from './mca-record.ts';
import { outlookOf, tellingMessage } from './outlook.ts';

type Member = keyof typeof MCA_DECIDING;
const MEMBERS = Object.keys(MCA_DECIDING) as Member[];
const SOURCE = { input: 'log', from: 'linux' } as const;

const record = (bank: number, status: bigint, more: Partial<X86McaRecord> = {}): X86McaRecord => ({
  kind: 'x86-mca',
  bank,
  status,
  ...more,
});
const INTEL = { vendor: 'intel', mcgCap: 0x0f000c14n, mcgStatus: 5n, addr: 0x2b3a4c0n, misc: 0x86n } as const;
const AMD = {
  vendor: 'amd',
  addr: 0x1234580n,
  synd: 0x5b0000000a000002n,
  misc: 0xd01a0ffe00000000n,
  config: 0x3000003fdn,
  ipid: 0x9600350f00n,
} as const;
const FRU = { synd1: 0x41304d4d49443050n, synd2: 0x4c454e4e41484331n } as const;

const RECORDS: readonly X86McaRecord[] = [
  ...NAMED_MCA.map(n =>
    record(n.bank, n.status, { vendor: n.vendor, mcgStatus: n.mcgStatus, misc: n.misc, addr: 0x1000n }),
  ),
  record(0, 0n, INTEL),
  record(7, 0x3c00000000000134n, INTEL),
  record(9, 0xbd000000000000c0n, { addr: 0x1000n, misc: 0x8cn, synd: 1n, destat: 1n }),
  // Intel: a load, a corrected error of a mesh to memory bank, a downgraded scrub, memory controllers, an I/O error.
  record(1, 0xbd80000000000134n, { ...INTEL, mcgStatus: 7n, cs: 0x33n, cpuid: 0x50657n }),
  record(1, 0xbd80000000000134n, { ...INTEL, mcgStatus: 0xdn, cs: 0x10n, synd: 0n, ipid: 0n, config: 0n }),
  record(7, 0x8c00004000010090n, { ...INTEL, mcgStatus: 0n, tsc: 0n, misc: 0x200000c020002086n, cpuid: 0x50657n }),
  record(14, 0x8c000046001000c1n, { ...INTEL, mcgStatus: 0n, tsc: 0x1234n, cpuid: 0x50654n }),
  record(17, 0xbd00000000a00090n, { ...INTEL, cpuid: 0x606a6n, misc: 0x90001008200028cn }),
  record(13, 0x8c00000208000090n, { ...INTEL, cpuid: 0xa06d1n, mcgStatus: 0n }),
  record(4, 0xb200000000050402n, { ...INTEL, cpuid: 0x806f8n }),
  record(6, 0x9c20000000000e0bn, { ...INTEL, mcgStatus: 0n, misc: 0x1120000n }),
  record(3, 0xa400000000000135n, { ...INTEL, misc: 0x86n }),
  record(3, 0xa000000000000135n, INTEL),
  record(3, 0x8000000000000000n, INTEL),
  record(-1, 0x8c0000000000009fn, INTEL),
  // AMD: memory controllers, poison, deferred errors, older banks.
  record(17, 0x9c2040000000011bn, { ...AMD, ...FRU, cpuid: 0xa10f11n }),
  record(17, 0xdc2040000000011bn, { ...AMD, cpuid: 0x800f12n, tsc: 0x55n }),
  record(0, 0xbc00080001010135n, { ...AMD, ipid: 0x1000b000000000n, cpuid: 0xa20f12n, mcgStatus: 7n, cs: 0x33n }),
  record(0, 0xbc00080001010135n, { vendor: 'amd', addr: 0x4000012345678n, ipid: 0x1000b000000000n, cpuid: 0x800f12n }),
  record(0, 0xbe40080001010135n, { ...AMD, config: 0n, ipid: 0x1000b000000000n, synd: 5n }),
  record(0, 0x8c00000001010135n, { ...AMD, ipid: 0x1000b000000000n, synd: 5n, synd1: 1n }),
  record(17, 0x9420100000000011n, { ...AMD, cpuid: 0xb00f21n, destat: 0x8400100006000000n, deaddr: 0x1000n }),
  record(17, 0n, { ...AMD, cpuid: 0xb00f21n, destat: 0x8400100006000000n, deaddr: 0x1000n }),
  record(17, 0n, { ...AMD, cpuid: 0xb00f21n, destat: 0x8400180006000000n, deaddr: 0x1000n }),
  record(4, 0x9c08400000080b13n, { vendor: 'amd', addr: 0x1000n, cpuid: 0x600f20n, synd: 0n, destat: 0n, deaddr: 0n }),
  record(0, 0x9400400000000135n, { vendor: 'amd', addr: 0x1000n, cpuid: 0x100f42n, misc: 0n, config: 0n }),
  record(0, 0x9400400000000135n, { vendor: 'amd', addr: 0n }),
];

/** What is shared by records which decide alike, but for the outlook. */
function words(raw: X86McaRecord): string {
  const {
    flags,
    class: cls,
    severity,
    component,
    mcacod,
    lint,
    title,
    nextStep,
    explanation,
    address,
    fields,
  } = new McaDecoded(raw, SOURCE, []);
  // What is in the registers is the record's own; so is where the address is.
  const own = { addr: raw.addr ?? 0n, page: address?.value ?? 0n };
  const text = [own.addr, own.page, (own.page >> 12n) << 12n].reduce(
    (all, value) => all.replaceAll(value.toString(16).padStart(16, '0'), '…'),
    explanation.replace(/page frame 0x[0-9a-f]+/, 'page frame …'),
  );
  return JSON.stringify([
    { flags, cls, severity, component, mcacod, lint, title, nextStep, text },
    [address?.space, address?.lsb, String(address?.pages)],
    fields.map(f => [f.register, f.name, f.hi, f.lo].join(' ')).filter(row => !row.includes('reserved')),
  ]);
}

/** What the consumers do, with the line to look for; also where a decoded record does not ask. */
function outlook(raw: X86McaRecord): string {
  if (raw.vendor === undefined) return '';
  return JSON.stringify(
    outlookOf(raw, 'linux').map(({ messages, ...rest }) => ({ ...rest, told: tellingMessage(messages) })),
  );
}

const ALL = (1n << 64n) - 1n;
/** The highest bit that does not decide in every register of which only some bits do. */
const LEAST = ~(1n << 51n);
const flipped = (raw: X86McaRecord, member: Member, bits: bigint): X86McaRecord => ({
  ...raw,
  [member]: (raw[member] as bigint) ^ bits,
});

/** The bits of one register of a record that decide, and whether it also decides that some other bit is set. */
function decidingBits({ vendor, status }: X86McaRecord, member: Member): { bits: bigint; rest: boolean } {
  const { high, low, rest } = MCA_DECIDING[member].mask(vendor, Number(status >> 32n), Number(status & 0xffff_ffffn));
  return { bits: (BigInt(high) << 32n) | BigInt(low), rest };
}

/** Records of which each bit of a count, a stepping or a level decides. */
const MORE: Readonly<Partial<Record<Member, readonly X86McaRecord[]>>> = {
  mcgCap: Array.from({ length: 8 }, (_, k) => record(0, 0x8c000046000800c1n, { ...INTEL, mcgCap: 1n << BigInt(k) })),
  cpuid: [record(14, 0x8c000046001000c1n, { ...INTEL, cpuid: 0x50658n })],
};

/**
 * Bits that the key keeps, because they do not change from record to record of one CPU, and that no rule reads: of
 * MCG_CAP what says nothing of a record, of CPUID what is no family or model and the end of the stepping, of MCA_DESTAT
 * what is not asked of a deferred error.
 */
const UNREAD: Readonly<Partial<Record<Member, bigint>>> = {
  mcgCap: MCG_CAP.encode({ ELOG_P: true, EMC_P: true, EXT_CNT: 0xffn, EXT_P: true, CTL_P: true, UNDOCUMENTED: true }),
  cpuid: 0xfffffffff000f003n,
  destat:
    ALL &
    ~MCI_STATUS_AMD.encode({
      VAL: true,
      UC: true,
      ADDRV: true,
      PCC: true,
      DEFERRED: true,
      POISON: true,
      ADDRLSB: 0x3fn,
    }),
};

describe('what decides is told bit by bit of', () => {
  it.each(MEMBERS)('%s', member => {
    const records = [...RECORDS, ...(MORE[member] ?? [])].filter(raw => raw[member] !== undefined);
    let open = 0n;
    for (const raw of records) open |= decidingBits(raw, member).bits;
    for (const raw of records) {
      const { bits, rest } = decidingBits(raw, member);
      const value = raw[member] as bigint;
      const where = `${member} of bank ${raw.bank} ${hex64(raw.status)}`;
      const [said, done] = [words(raw), outlook(raw)];
      // Of what does not decide at most counts that there is something.
      const free = ~bits & ALL & (rest ? LEAST : ALL);
      const base = rest ? { ...raw, [member]: value | (~bits & ALL & ~LEAST) } : raw;
      const [baseSaid, baseDone] = rest ? [words(base), outlook(base)] : [said, done];
      for (let bit = 0; bit < 64; bit++) {
        const at = 1n << BigInt(bit);
        if ((free & at) !== 0n) expect(words(flipped(base, member, at)), `bit ${bit} of ${where}`).toBe(baseSaid);
        if ((bits & open & at) === 0n) continue;
        const now = flipped(raw, member, at);
        if (words(now) !== said || outlook(now) !== done) open &= ~at;
      }
      expect(outlook(flipped(base, member, free)), where).toBe(baseDone);
    }
    expect(hex64(open)).toBe(hex64(UNREAD[member] ?? 0n));
  });
});
