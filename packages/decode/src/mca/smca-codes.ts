/**
 * @module What the extended error code (MCA_STATUS[21:16]) says, per type of scalable MCA bank. Source: the tables
 * "MCA_STATUS ErrorCodeExt" of the public PPRs (family 17h models 01h, 08h, 18h, 31h, 71h; family 19h models 01h, 11h,
 * 21h, 51h, 61h, 90h; family 1Ah models 02h, 11h, 24h, 44h), and the Genoa revision guide, erratum 1384. The words are
 * ours. A number that is not here is reserved or not public: it is shown and not explained.
 */

/** Extended error code → what happened, as a noun phrase. */
export type CodeTable = Readonly<Record<number, string>>;

/** Numbers a list from `first` on. */
function from(first: number, ...texts: readonly string[]): CodeTable {
  return Object.fromEntries(texts.map((text, i) => [first + i, text]));
}

function each(texts: readonly string[], what: (text: string) => string): string[] {
  return texts.map(what);
}

/** The bank is known by name only. */
export const NOT_PUBLIC: CodeTable = {};

const eccOrParity = (where: string): string => `ECC or parity error in the ${where}`;
const parity = (where: string): string => `parity error in the ${where}`;

/** Load-store unit of the first Zen cores (family 17h models below 30h). */
export const LS: CodeTable = from(
  0,
  parity('load queue'),
  parity('store queue'),
  parity('miss address buffer payload'),
  parity('first-level data TLB'),
  'data cache tag error, type 5',
  'data cache tag error, type 6',
  'data cache tag error, type 1',
  'internal error, type 1',
  'internal error, type 2',
  'read data from the system was bad, thread 0',
  'read data from the system was bad, thread 1',
  'data cache tag error, type 2',
  'data cache data error, type 1: poison was consumed',
  'data cache data error, type 2',
  'data cache data error, type 3',
  'data cache tag error, type 4',
  parity('second-level data TLB'),
  parity('page directory cache'),
  'data cache tag error, type 3',
  'data cache tag error, type 5',
  'data that filled the cache from the L2 was bad',
  'error in the state or address of a store coalescing buffer line',
  'error in the data of the store coalescing buffer, commit pipe 0',
  'error in the data of the store coalescing buffer, commit pipe 1',
  'error in the data of the store coalescing buffer for uncacheable memory or I/O',
  'read data from the system was bad, seen by the write combining buffer',
  'hardware assertion',
);

/** Load-store unit since Zen 2. */
export const LS_V2: CodeTable = from(
  0,
  'ECC error in the data cache, read by a probe or an eviction',
  'ECC error or poison in the data cache, read by a load',
  'ECC error in the data cache, read and modified by a store',
  'ECC error or poison mismatch in a tag, read by a probe or an eviction',
  'ECC error or poison mismatch in a tag, read by a load',
  'ECC error or poison mismatch in a tag, read by a store',
  'ECC error in the emulation memory, read by a load',
  'ECC error in the emulation memory, read and modified by a store',
  parity('first-level TLB'),
  parity('second-level TLB'),
  parity('page walk cache'),
  parity('store queue'),
  parity('load queue'),
  parity('miss address buffer'),
  parity('state of a store coalescing buffer entry'),
  parity('address of a store coalescing buffer entry'),
  parity('data of a store coalescing buffer entry'),
  parity('write combining buffer'),
  'poisoned line in a store coalescing buffer entry',
  'the L2 returned bad read data for a load',
  'the L2 returned bad read data for a store',
  'the L2 returned bad read data for a write-combined store',
  'hardware assertion',
  parity('store forwarding, store mask or store data arrays'),
);

/** Instruction fetch. */
export const IF: CodeTable = from(
  0,
  parity('instruction cache microtags, probe port'),
  'several ways of the instruction cache hit at once',
  parity('instruction cache tags'),
  parity('instruction cache data'),
  parity('PRQ'),
  parity('zero-level instruction TLB'),
  parity('first-level instruction TLB'),
  parity('second-level instruction TLB'),
  parity('BPQ, at a snoop, thread 0'),
  parity('BPQ, at a snoop, thread 1'),
  'several entries of the first-level branch target buffer hit at once',
  'several entries of the second-level branch target buffer hit at once',
  'the L2 answered with poison',
  'read data from the system was bad',
  'hardware assertion',
  'several entries of the first-level TLB hit at once',
  'several entries of the second-level TLB hit at once',
  parity('branch status register'),
  'CT machine check',
);

export const L2: CodeTable = from(
  0,
  'several ways of the L2 hit at once',
  'ECC error in the L2 tags or state',
  'ECC error in the L2 data',
  'hardware assertion',
  'parity error in a read response from the data fabric',
  'error started by the programmable state machine',
);

/** Decode unit. */
export const DE: CodeTable = from(
  0,
  ...each(
    [
      'micro-op cache tags',
      'micro-op cache data',
      'instruction byte buffer',
      'micro-op queue',
      'instruction dispatch queue',
      'fetch address queue',
      'microcode patch memory',
      'microcode patch sequencer',
      'micro-op buffer',
    ],
    parity,
  ),
  'hardware assertion',
);

/** Execution unit. */
export const EX: CodeTable = from(
  0,
  'the watchdog timer expired: no instruction retired',
  ...each(
    [
      'physical register file',
      'flag register file',
      'immediate and displacement register file',
      'address generator payload',
      'execution payload',
      'checkpoint queue',
      'retire dispatch queue',
      'retire status queue',
      'scheduler queue',
      'branch buffer queue',
    ],
    parity,
  ),
  'hardware assertion',
  parity('speculative register map'),
  parity('retired register map'),
);

/** Floating point unit. */
export const FP: CodeTable = from(
  0,
  ...each(['physical register file', 'free list', 'scheduler queue', 'non-scheduling queue', 'retire queue'], parity),
  parity('status register file'),
  'hardware assertion',
  parity('mask register file'),
);

export const L3: CodeTable = from(
  0,
  'ECC error in a shadow tag',
  'several shadow tag ways hit at once',
  'ECC error in an L3 tag',
  'several ways of the L3 hit at once',
  'ECC error in the L3 data',
  'parity error on the data port from XI',
  'a victim of the L3 got an error from the data fabric',
  'hardware assertion',
  'poison created by a parity error in the XI write buffer',
  'error started by the debug state machine',
);

/** Coherent station between the cores and a memory controller (family 17h models below 30h). */
export const CS: CodeTable = from(
  0,
  'illegal request',
  'address violation',
  'security violation',
  'illegal response',
  'unexpected response',
  'parity error in a request or probe',
  'parity error in a read response',
  'parity error in an atomic request',
  'ECC error in the probe filter',
);

const CS_COMMON = [
  'illegal request',
  'address violation',
  'security violation',
  'illegal response',
  'unexpected response',
  'parity error in a request or probe',
  'parity error in a read response',
  'parity error in an atomic request',
  'a read response matches nothing in the queue',
] as const;
const CS_NO_DATA = [
  'illegal request on the channel without data',
  'address violation on the channel without data',
  'security violation on the channel without data',
  'hardware assertion',
] as const;

export const CS_V2: CodeTable = from(
  0,
  ...CS_COMMON,
  'protocol error in the probe filter',
  'ECC error in the probe filter',
  'a read response unexpectedly asks to retry',
  'counter overflow',
  'counter underflow',
  ...CS_NO_DATA,
  'protocol error in the shadow tags',
  'ECC error in the shadow tags',
  'transaction error in the shadow tags',
);

/** The same block where erratum 1384 (family 19h models 10h-1Fh, 60h-7Bh, A0h-AFh; family 1Ah 40h-4Fh) renumbers it. */
export const CS_V2_ERRATUM_1384: CodeTable = from(
  0,
  ...CS_COMMON,
  'a read response unexpectedly asks to retry',
  'counter overflow',
  'counter underflow',
  'protocol error in the probe filter',
  'ECC error in the probe filter',
  ...CS_NO_DATA,
);

/** Power management, interrupts and the rest of the data fabric. */
export const PIE: CodeTable = from(
  0,
  'hardware assertion',
  'security violation at a register',
  'link error',
  'poison was consumed',
  'a deferred error was found in the data fabric',
  'the watchdog timer of the data fabric expired',
  'ECC error in the memory of the CNLI block',
  'register access while the data fabric was in a power state',
  'error started by the debug state machine',
);

/** DDR memory controller. */
export const UMC: CodeTable = {
  ...from(
    0,
    'DRAM ECC error',
    'poison was written to or read from DRAM',
    'parity error on the data fabric port',
    'peripheral bus error',
    'command or address parity error',
    'write data CRC error',
    'ECC error in the command queue memory',
    'ECC error in the encryption key memory',
    'DRAM error check and scrub: row with too many errors',
    'DRAM error check and scrub: error',
    'the memory controller throttled',
    'read data CRC error',
  ),
  16: 'ECC error in the refresh management memory',
};

/** HBM memory controller of family 19h models 90h-9Fh. */
export const UMC_HBM: CodeTable = {
  ...from(0, 'ECC error inside the DRAM (on-die ECC)', 'poison', 'parity error on the data fabric port'),
  ...from(4, 'command or address parity error', 'write data parity error', 'ECC error in the controller memories'),
  ...from(9, 'ECC error in the read data buffer', 'thermal throttling', 'read data parity error'),
  ...from(13, 'firmware error of the controller', 'parity error in the controller memories', 'HBM CRC error'),
};

/** Memory controller of accelerators that report to the processor's kernel. */
export const UMC_V2: CodeTable = {
  ...from(0, 'DRAM ECC error', 'poison', 'parity error on the data fabric port'),
  ...from(4, 'command or address parity error', 'write data parity error', 'ECC error in the command queue memory'),
  ...from(
    8,
    'read data parity error',
    'ECC error in the read data buffer',
    'ECC error in the read response memory',
    'error of the controller microprocessor',
  ),
};

/** Cache attached to the memory. */
export const MALL: CodeTable = from(
  0,
  'counter overflow',
  'counter underflow',
  'write data parity error',
  'read response parity error',
  'ECC error in the tags, macro 0',
  'ECC error in the tags, macro 1',
  'ECC error in the data',
);

export const PB: CodeTable = from(0, 'ECC error in the parameter block memory');

export const PSP: CodeTable = from(0, eccOrParity('memory of the security processor'));

export const PSP_V2: CodeTable = from(
  0,
  ...each(['high SRAM bank', 'low SRAM bank', 'instruction cache, bank 0', 'instruction cache, bank 1'], eccOrParity),
  ...each(['instruction tags, memory 0', 'instruction tags, memory 1'], parity),
  ...each(['data cache, bank 0', 'data cache, bank 1', 'data cache, bank 2', 'data cache, bank 3'], eccOrParity),
  ...each(
    [
      'data tags, bank 0',
      'data tags, bank 1',
      'data tags, bank 2',
      'data tags, bank 3',
      'dirty data memory',
      'TLB, bank 0',
      'TLB, bank 1',
    ],
    parity,
  ),
  ...each(['system hub read buffer', 'fuse memory', 'PCRU fuse memory'], eccOrParity),
  parity('SIB memory'),
  'SECEMC error',
  'the processor hangs',
  'the SIB watchdog expired',
);

export const SMU: CodeTable = from(0, eccOrParity('memory of the management unit'));

const MANAGEMENT_MEMORIES = [
  'high SRAM bank',
  'low SRAM bank',
  'data cache, bank A',
  'data cache, bank B',
  'data cache tags, bank A',
  'data cache tags, bank B',
  'instruction cache, bank A',
  'instruction cache, bank B',
  'instruction cache tags, bank A',
  'instruction cache tags, bank B',
] as const;

export const SMU_V2: CodeTable = {
  ...from(0, ...each(MANAGEMENT_MEMORIES, eccOrParity), eccOrParity('system hub read buffer'), 'ECC error of a PHY'),
  58: 'corrected error of a graphics block',
  59: 'fatal error of a graphics block',
  62: 'poison from a graphics block',
};

export const MP5: CodeTable = from(0, ...each([...MANAGEMENT_MEMORIES, 'fuse memory'], eccOrParity));

const MPDMA_CACHES = (set: number): string[] =>
  MANAGEMENT_MEMORIES.slice(2).map(memory => eccOrParity(`${memory}, set ${set}`));

/** DMA engine. */
export const MPDMA: CodeTable = from(
  0,
  ...each(['bits 31:0', 'bits 63:32', 'bits 95:64', 'bits 127:96'], b => eccOrParity(`main SRAM, ${b}`)),
  ...MPDMA_CACHES(0),
  ...MPDMA_CACHES(1),
  ...MPDMA_CACHES(2),
  ...each(
    [
      'system hub read buffer',
      'TVF DVSEC memory',
      'TVF mailbox 0',
      'TVF mailbox 1',
      'TVF doorbell memory',
      'TVF fabric subordinate memory 0',
      'TVF fabric subordinate memory 1',
      'TVF fabric subordinate memory 2',
      'TVF fabric manager memory 0',
      'TVF fabric manager memory 1',
      'TVF fabric manager memory 2',
      'TVF fabric manager memory 3',
      'TVF fabric manager memory 4',
      'TVF fabric manager memory 5',
      'TVF fabric manager memory 6',
    ],
    eccOrParity,
  ),
  'the watchdog of the data fabric port expired',
  ...each(
    [
      'PTE command queue',
      'PTE hub data queue',
      'PTE internal data queue',
      'PTE command memory, DMA',
      'PTE command memory, internal',
      'TVF fabric manager memory 7',
    ],
    eccOrParity,
  ),
);

/** I/O hub. */
export const NBIO: CodeTable = from(
  0,
  'ECC or parity error',
  'PCIe error (see the AER registers of the port)',
  'error event from outside over the data fabric port',
  'poison left the I/O hub',
  'poison inside the I/O hub',
  'internal fatal error event',
);

export const PCIE: CodeTable = from(
  0,
  'CCIX protocol error record',
  'CCIX read response: error without data',
  'CCIX write response: error without data',
  'CCIX read response: data error',
  'CCIX write response: data error',
);

export const PCIE_V2: CodeTable = from(0, 'data parity error on the data fabric port');

const PCS_TAIL = ['data startup limit reached', 'timeout in the flow control initialisation'] as const;
const PCS_RECOVERY = [
  'timeout in the recovery',
  'timeout waiting for ready',
  'too many attempts to get ready',
  'too many attempts to recover',
  'too many attempts to lock again',
] as const;

/** Link between sockets or accelerators: physical coding sublayer. */
export const XGMI_PCS: CodeTable = from(
  0,
  'data was lost',
  'link training error',
  'flow control acknowledge error',
  'receive queue underflow',
  'receive queue overflow',
  'CRC error',
  'bit error rate exceeded',
  'virtual channel error on transmit',
  'parity error in the replay buffer',
  'data parity error',
  'replay queue overflow',
  'replay queue underflow',
  'elastic buffer overflow',
  'lanes could not be aligned',
  'CRC error in the flow control',
  ...PCS_TAIL,
  ...PCS_RECOVERY,
  'too many replays',
  'bad sync header',
  'timeout of a transmit replay',
  'timeout of a receive replay',
  'timeout of the sub-link, transmit',
  'timeout of the sub-link, receive',
  'bad command packet',
);

/** Link between dies: physical coding sublayer. */
export const GMI_PCS: CodeTable = from(
  0,
  'data was lost',
  'link training error',
  'replay parity error',
  'receive queue underflow',
  'receive queue overflow',
  'CRC error',
  'bit error rate exceeded',
  'transmit queue underflow',
  'parity error in the replay buffer',
  'transmit overflow',
  'replay queue overflow',
  'replay queue underflow',
  'elastic buffer overflow',
  'lanes could not be aligned',
  'the link went offline',
  ...PCS_TAIL,
  ...PCS_RECOVERY,
  'lane alignment was given up',
  'receive buffer error',
  'LFDS receive queue overflow',
  'LFDS receive queue underflow',
  'timeout of the sub-link, transmit',
  'timeout of the sub-link, receive',
  'bad command packet',
  'timeout of the LFDS training',
  'timeout of the LFDS flow control initialisation',
  'data was lost',
);

/** Serial links: GMI, XGMI and WAFL PHY. */
export const PHY: CodeTable = from(
  0,
  'ECC error in the PHY memory',
  parity('PHY controller instruction buffer'),
  parity('PHY controller data buffer'),
  'peripheral bus error of the PHY',
);

/** Bus interface and system hub. */
export const NBIF: CodeTable = from(
  0,
  'timeout from GMI',
  'ECC error in the memory',
  'error event of the non-transparent bridge',
  'parity error on the data fabric port',
);

export const SATA: CodeTable = from(
  0,
  ...each(['0', '1', '2', '3', '4', '5', '6', '7'], n => `parity error, port ${n}`),
);

export const USB: CodeTable = from(
  0,
  eccOrParity('controller memory S0 RAM0'),
  eccOrParity('controller memory S0 RAM1'),
  eccOrParity('controller memory S0 RAM2'),
  parity('PHY memory 0'),
  parity('PHY memory 1'),
  'error response on the internal bus',
);

/** Ultra short reach link: data plane. */
export const USR_DP: CodeTable = {
  ...from(
    0,
    'manager: command error',
    'manager: receive queue error',
    'manager: lanes could not be aligned',
    'manager: timeout in the detection',
    'manager: flow control error',
    'manager: data valid queue error',
    'link state error',
    'lanes could not be aligned',
    'timeout in the initialisation',
    'too many attempts to initialise',
    'timeout in the recovery',
    'too many attempts to recover',
    'timeout in the eye training',
    'data startup limit reached',
    'error at leaving LS0',
    'timeout of a PLL power state update',
    'receive queue error',
    'LCU error',
    'corrected ECC error in Conv',
    'uncorrected ECC error in Conv',
  ),
  ...from(
    21,
    'received data was lost',
    'corrected ECC error in the replay',
    'uncorrected ECC error in the replay',
    'CRC error',
    'bit error rate exceeded',
    'timeout in the flow control initialisation',
    'too many attempts to initialise the flow control',
    'timeout of a replay',
    'too many replays',
    'replay underflow',
    'replay overflow',
  ),
};

/** Ultra short reach link: control plane. */
export const USR_CP: CodeTable = from(
  0,
  'bad packet type',
  'receive queue error',
  'lanes could not be aligned',
  'timeout in the receiver detection',
  'data parity error',
  'data was lost',
  'LCU error',
  'timeout of the handshake HB1',
  'timeout of the handshake HB2',
  'timeout of a clock sleep response',
  'timeout of a clock wake response',
  'reset attack',
  'fatal error of the remote link',
);
