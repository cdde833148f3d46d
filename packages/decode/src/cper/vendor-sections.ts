/**
 * @module Sections of vendors, as far as they published them with their readers: Ampere, NVIDIA, HiSilicon and Alibaba with rasdaemon
 * and libcper, AMD with the amdgpu driver (ras_cper.h, MIT). Sections of which nothing is public stay bytes under their own GUID.
 */
import { MCI_STATUS_AMD } from '../mca/registers.ts';
import { armRasAddress, armRasWords, ERR_ADDR, ERR_STATUS } from './arm-ras.ts';
import { AER_CORRECTABLE_STATUS, AER_UNCORRECTABLE_STATUS, ROOT_ERROR_STATUS } from './aer.ts';
import {
  SECTION_AMD_GPU,
  SECTION_AMD_GPU_CRASH,
  SECTION_AMPERE,
  SECTION_AMPERE_BMC,
  SECTION_NVIDIA_EVENT,
  SECTION_NVIDIA_GRACE,
  SECTION_YITIAN,
} from './guid.ts';
import { bytesOf, guid, part, text, u16, u32, u64, u8 } from './layout.ts';
import type { Layout } from './layout.ts';
import type { CperTabled } from './record.ts';
import { hex, numberOf, registersInWords, restOf, rowsOf, textOf } from './tabled.ts';
import type { NamedRegister, Tabled } from './tabled.ts';
import type { Register } from '../registers/register.ts';

const AMPERE_TYPES: Readonly<Record<number, string>> = {
  0: 'processor module (CPM)',
  1: 'memory controller (MCU)',
  2: 'mesh',
  3: 'link between the sockets (2P, Altra)',
  4: 'link between the sockets (2P, Altra Max)',
  5: 'interrupt controller (GIC)',
  6: 'SMMU',
  7: 'PCIe AER',
  8: 'PCIe data path (RASDP)',
  9: 'on-chip memory (OCM)',
  10: 'SMpro',
  11: 'PMpro',
  12: 'ATF firmware',
  13: 'SMpro firmware',
  14: 'PMpro firmware',
  63: 'boot error record (BERT)',
};

const AMPERE_LAYOUT: Layout = {
  name: 'Ampere section',
  source: 'rasdaemon non-standard-ampere.h',
  length: 4,
  fields: [
    part('errorType', 0, 1, 5, 0, { values: AMPERE_TYPES }),
    part('payloadForm', 0, 1, 7, 6),
    u8('subtype', 1),
    part('instance', 2, 2, 13, 0),
    part('socket', 2, 2, 15, 14),
  ],
};

type Slot = readonly [name: string, at: number, size: 4 | 8, table?: Register];
/** What follows, by its form: counted from behind the first four bytes. */
const AMPERE_PAYLOADS: readonly (readonly Slot[])[] = [
  [
    ['ERR_STATUS', 0, 4, ERR_STATUS],
    ['ERR_ADDR', 4, 8, ERR_ADDR],
    ['ERR_MISC0', 12, 8],
    ['ERR_MISC1', 20, 8],
    ['ERR_MISC2', 28, 8],
    ['ERR_MISC3', 36, 8],
  ],
  [
    ['UNCORRECTABLE_ERROR_STATUS', 0, 4, AER_UNCORRECTABLE_STATUS],
    ['UNCORRECTABLE_ERROR_MASK', 4, 4],
    ['UNCORRECTABLE_ERROR_SEVERITY', 8, 4],
    ['CORRECTABLE_ERROR_STATUS', 12, 4, AER_CORRECTABLE_STATUS],
    ['CORRECTABLE_ERROR_MASK', 16, 4],
    ['ROOT_ERROR_COMMAND', 20, 4],
    ['ROOT_ERROR_STATUS', 24, 4, ROOT_ERROR_STATUS],
    ['ERROR_SOURCE', 28, 4],
  ],
  [
    ['CE_REGISTER', 0, 4],
    ['CE_LOCATION', 4, 4],
    ['CE_ADDRESS', 8, 4],
    ['UE_REGISTER', 12, 4],
    ['UE_LOCATION', 16, 4],
    ['UE_ADDRESS', 20, 4],
  ],
  [
    ['FW_DATA0', 0, 4],
    ['FW_DATA1', 4, 8],
    ['FW_DATA2', 12, 8],
    ['FW_DATA3', 20, 8],
    ['FW_DATA4', 28, 8],
    ['FW_DATA5', 36, 8],
  ],
];

function slots(view: DataView, all: readonly Slot[]): NamedRegister[] {
  return all
    .filter(([, at, size]) => at + size <= view.byteLength)
    .map(([name, at, size, table]) => {
      const value = size === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
      const end = at + size;
      return table === undefined ? { name, value, end } : { name, value, end, table };
    });
}

const ampereRegisters = (body: CperTabled): NamedRegister[] =>
  slots(restOf(body), AMPERE_PAYLOADS[numberOf(body, 'payloadForm') ?? 0] ?? []);
const valueIn = (registers: readonly NamedRegister[], name: string): bigint | undefined =>
  registers.find(r => r.name === name)?.value;

const AMPERE: Tabled = {
  type: SECTION_AMPERE,
  kind: 'ampere',
  layout: AMPERE_LAYOUT,
  least: AMPERE_LAYOUT.length,
  say(body) {
    const type = numberOf(body, 'errorType') ?? 0;
    const registers = ampereRegisters(body);
    const status = valueIn(registers, 'ERR_STATUS');
    return [
      `Type ${type}: ${AMPERE_TYPES[type] ?? 'not public'}, subtype ${numberOf(body, 'subtype')}, instance ${numberOf(body, 'instance')} of socket ${numberOf(body, 'socket')}.`,
      ...(status === undefined
        ? registersInWords(registers)
        : [
            `ERR<n>STATUS ${hex(status)}: ${armRasWords(status, valueIn(registers, 'ERR_ADDR'))}.`,
            ...registersInWords(registers.slice(1, 2)),
          ]),
    ];
  },
  registers: ampereRegisters,
  addresses(body) {
    const registers = ampereRegisters(body);
    const at = armRasAddress(valueIn(registers, 'ERR_STATUS') ?? 0n, valueIn(registers, 'ERR_ADDR') ?? 0n);
    return at === undefined ? [] : [at];
  },
};

const AMPERE_BMC: Tabled = {
  type: SECTION_AMPERE_BMC,
  kind: 'ampere-bmc',
  layout: {
    name: 'Ampere section of a BMC',
    source: 'libcper Cper.h, EFI_AMPERE_ERROR_DATA',
    length: 8,
    fields: [u16('errorType', 0, { values: AMPERE_TYPES }), u16('subtype', 2), u32('instance', 4)],
  },
  least: 8,
  say(body) {
    const type = numberOf(body, 'errorType') ?? 0;
    return [
      `Type ${type}: ${AMPERE_TYPES[type] ?? 'not public'}, subtype ${numberOf(body, 'subtype')}, instance ${numberOf(body, 'instance')}.`,
    ];
  },
};

const ADDRESS_VALUE: Layout = {
  name: 'register of the device',
  source: 'libcper Cper.h, EFI_NVIDIA_REGISTER_DATA',
  length: 16,
  fields: [u64('registerAddress', 0), u64('registerValue', 8)],
};
const NVIDIA_SHOWN = 8;

const NVIDIA: Tabled = {
  type: SECTION_NVIDIA_GRACE,
  kind: 'nvidia',
  layout: {
    name: 'NVIDIA section',
    source: 'rasdaemon non-standard-nvidia.h; libcper Cper.h, EFI_NVIDIA_ERROR_DATA',
    length: 32,
    fields: [
      text('signature', 0, 16),
      u16('errorType', 16),
      u16('errorInstance', 18),
      u8('nvidiaSeverity', 20),
      u8('socket', 21),
      u8('registerCount', 22),
      u64('instanceBase', 24),
    ],
  },
  least: 32,
  rows: { member: 'deviceRegisters', layout: ADDRESS_VALUE, count: 'registerCount' },
  say(body) {
    const registers = nvidiaRegisters(body);
    return [
      `${textOf(body, 'signature')}: error type ${numberOf(body, 'errorType')}, instance ${numberOf(body, 'errorInstance')}, severity ${numberOf(body, 'nvidiaSeverity')}, socket ${numberOf(body, 'socket')}, ${numberOf(body, 'registerCount')} registers.`,
      ...registersInWords(registers, NVIDIA_SHOWN),
    ];
  },
  registers: body => nvidiaRegisters(body),
};
const nvidiaRegisters = (body: CperTabled): NamedRegister[] =>
  rowsOf(body, 'deviceRegisters').map(row => ({
    name: `MMIO_${hex(row['registerAddress'] as bigint)}`,
    value: row['registerValue'] as bigint,
    isMember: true,
  }));

/** libcper, nvidia-events: GPUs and CPUs since Vera. Contexts behind it are kept. */
const NVIDIA_EVENT: Tabled = {
  type: SECTION_NVIDIA_EVENT,
  kind: 'nvidia-event',
  layout: {
    name: 'NVIDIA event',
    source: 'libcper cper-section-nvidia-events.h',
    length: 35,
    fields: [
      u8('eventVersion', 0),
      u8('contextCount', 1),
      u8('sourceDeviceType', 2, { values: { 0: 'CPU', 1: 'GPU' } }),
      u16('eventType', 4),
      u16('eventSubtype', 6),
      u64('eventLinkId', 8),
      text('signature', 16, 16),
      u16('infoVersion', 32),
      u8('infoSize', 34),
    ],
  },
  least: 32,
  say: body => [
    `${textOf(body, 'signature')}: event ${numberOf(body, 'eventType')}, subtype ${numberOf(body, 'eventSubtype')}, of ${['a CPU', 'a GPU'][numberOf(body, 'sourceDeviceType') ?? -1] ?? 'an unknown device'}; ${numberOf(body, 'contextCount')} contexts behind it are kept as bytes.`,
  ],
};

/** The registers of the controller from the fifth byte on, 32 bits each. */
const YITIAN_DDR = 0x50;
const YITIAN_REGISTERS =
  'ECCCFG0 ECCCFG1 ECCSTAT ECCERRCNT ECCCADDR0 ECCCADDR1 ECCCSYN0 ECCCSYN1 ECCCSYN2 ECCUADDR0 ECCUADDR1 ECCUSYN0 ECCUSYN1 ECCUSYN2 ECCBITMASK0 ECCBITMASK1 ECCBITMASK2 ADVECCSTAT ECCAPSTAT ECCCDATA0 ECCCDATA1 ECCUDATA0 ECCUDATA1 ECCSYMBOL ECCERRCNTCTL ECCERRCNTSTAT ECCERRCNT0 ECCERRCNT1'
    .split(' ')
    .map((name, i) => [name, 4 * i, 4] as const);
const yitianRegisters = (body: CperTabled): NamedRegister[] =>
  numberOf(body, 'errorType') === YITIAN_DDR ? slots(restOf(body), YITIAN_REGISTERS) : [];

const YITIAN: Tabled = {
  type: SECTION_YITIAN,
  kind: 'yitian',
  layout: {
    name: 'Alibaba Yitian section',
    source: 'rasdaemon non-standard-yitian.h',
    length: 4,
    fields: [
      u8('errorType', 0, { values: { [YITIAN_DDR]: 'memory controller (DDR)' } }),
      u8('subtype', 1),
      u16('instance', 2),
    ],
  },
  least: 4,
  say: body => [
    `Type ${hex(numberOf(body, 'errorType') ?? 0)}${numberOf(body, 'errorType') === YITIAN_DDR ? ' (memory controller)' : ''}, subtype ${numberOf(body, 'subtype')}, instance ${numberOf(body, 'instance')}.`,
    ...registersInWords(yitianRegisters(body), 4),
  ],
  registers: yitianRegisters,
};

/** What amdgpu writes of a bank of its accelerator: 16 registers in the order of scalable MCA. */
const ACA_REGISTERS: readonly Slot[] = 'CTL STATUS ADDR MISC0 CONFIG IPID SYND - DESTAT DEADDR MASK'
  .split(' ')
  .map((name, i) => [`MCA_${name}`, 8 * i, 8, ...(name === 'STATUS' ? [MCI_STATUS_AMD] : [])] as unknown as Slot)
  .filter(([name]) => name !== 'MCA_-');
const CRASH_REGISTERS: readonly Slot[] = [
  ['MCA_STATUS', 0, 8, MCI_STATUS_AMD],
  ['MCA_ADDR', 8, 8],
  ['MCA_IPID', 16, 8],
  ['MCA_SYND', 24, 8],
];
const GPU_COUNTS = [part('errorCount', 0, 8, 7, 2), part('contextCount', 0, 8, 13, 8)];

const GPU_LAYOUT: Layout = {
  name: 'AMD GPU section',
  source: 'amdgpu ras_cper.h, cper_section_runtime',
  length: 144,
  validation: { at: 0, size: 8 },
  fields: [
    ...GPU_COUNTS,
    u64('apicId', 8, { valid: 0 }),
    text('firmwareId', 16, 48, { valid: 1 }),
    guid('checkType', 64),
    u64('checkValidation', 80),
    u64('checkInfo', 88),
    u64('targetId', 96),
    u64('requestorId', 104),
    u64('responderId', 112),
    u64('instructionPointer', 120),
    u16('contextType', 128),
    u16('contextSize', 130),
    u32('msrAddress', 132),
    u64('mmAddress', 136),
  ],
};
const gpuRegisters = (body: CperTabled): NamedRegister[] => slots(restOf(body), ACA_REGISTERS);

const AMD_GPU: Tabled = {
  type: SECTION_AMD_GPU,
  kind: 'amd-gpu',
  layout: GPU_LAYOUT,
  least: GPU_LAYOUT.length,
  say: body => [
    `Error of an AMD accelerator, firmware "${textOf(body, 'firmwareId')}".`,
    ...registersInWords(gpuRegisters(body)),
  ],
  registers: gpuRegisters,
};

const CRASH_LAYOUT: Layout = {
  name: 'AMD GPU crash section',
  source: 'amdgpu ras_cper.h, cper_section_fatal and cper_section_boot',
  length: 144,
  fields: [
    u64('crashValidation', 0),
    u32('pcieDeviceId', 8),
    u32('pldmBundle', 12),
    text('firmwareId', 16, 48),
    guid('checkType', 64),
    u64('checkValidation', 80),
    u64('checkInfo', 88),
    bytesOf('fruPartNumber', 96, 16),
    bytesOf('redfishEventId', 112, 16),
    u16('contextType', 128, { values: { 1: 'crash', 9: 'boot' } }),
    u16('contextSize', 130),
  ],
};
const BOOT_CONTEXT = 9;
const crashRegisters = (body: CperTabled): NamedRegister[] =>
  numberOf(body, 'contextType') === BOOT_CONTEXT
    ? slots(
        restOf(body),
        Array.from({ length: 8 }, (_, i) => [`BOOT_MESSAGE_${i}`, 8 * i, 8] as const),
      )
    : slots(restOf(body), CRASH_REGISTERS);

const AMD_GPU_CRASH: Tabled = {
  type: SECTION_AMD_GPU_CRASH,
  kind: 'amd-gpu-crash',
  layout: CRASH_LAYOUT,
  least: CRASH_LAYOUT.length,
  say: body => [
    `${numberOf(body, 'contextType') === BOOT_CONTEXT ? 'Boot' : 'Fatal'} error of an AMD accelerator, firmware "${textOf(body, 'firmwareId')}", PLDM bundle ${hex(numberOf(body, 'pldmBundle') ?? 0)}.`,
    ...registersInWords(crashRegisters(body)),
  ],
  registers: crashRegisters,
};

export const VENDORS: readonly Tabled[] = [AMPERE, AMPERE_BMC, NVIDIA, NVIDIA_EVENT, YITIAN, AMD_GPU, AMD_GPU_CRASH];
