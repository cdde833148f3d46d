import type { FdtNode } from './fdt.ts';
import { MAP } from './layout.ts';

/** Interrupt cells of `arm,gic-v3`: type (0 shared, 1 private), number, trigger (4 level high). */
const SPI = 0;
const PPI = 1;
const LEVEL_HIGH = 4;
const GIC_PHANDLE = 1;
/** What a 16550 divides for its baud rate; only its ratio matters to an emulated line. */
const UART_CLOCK_HZ = 1_843_200;
/** EL1 secure, EL1 physical, EL1 virtual, EL2 (bindings/timer/arm,arch_timer.yaml). */
const TIMER_PPIS = [13, 14, 11, 10];
const GIC_MAINTENANCE_PPI = 9;

/** The device tree of the machine this VMM makes: CPUs, memory, PSCI, GICv3, timer, two 16550 lines. */
export function deviceTree(machine: {
  vcpus: number;
  memoryBytes: bigint;
  bootargs: string;
  initrd: { start: bigint; end: bigint } | undefined;
}): FdtNode {
  const { gicDistributor, gicRedistributor, ram } = MAP;
  return {
    name: '',
    properties: {
      compatible: 'linux,dummy-virt',
      model: 'Syndrome reference VMM',
      '#address-cells': [2],
      '#size-cells': [2],
      'interrupt-parent': [GIC_PHANDLE],
    },
    children: [
      {
        name: 'chosen',
        properties: {
          bootargs: machine.bootargs,
          'stdout-path': `/${uartName(MAP.consoleUart.base)}`,
          ...(machine.initrd === undefined
            ? {}
            : { 'linux,initrd-start': [machine.initrd.start], 'linux,initrd-end': [machine.initrd.end] }),
        },
      },
      {
        name: `memory@${ram.base.toString(16)}`,
        properties: { device_type: 'memory', reg: [ram.base, machine.memoryBytes] },
      },
      {
        name: 'cpus',
        properties: { '#address-cells': [1], '#size-cells': [0] },
        children: Array.from({ length: machine.vcpus }, (_, index) => ({
          name: `cpu@${index.toString(16)}`,
          // KVM numbers up to 16 vCPUs in affinity level 0, which is what `reg` holds.
          properties: { device_type: 'cpu', compatible: 'arm,armv8', 'enable-method': 'psci', reg: [index] },
        })),
      },
      { name: 'psci', properties: { compatible: ['arm,psci-1.0', 'arm,psci-0.2'], method: 'hvc' } },
      {
        name: `interrupt-controller@${gicDistributor.base.toString(16)}`,
        properties: {
          compatible: 'arm,gic-v3',
          '#interrupt-cells': [3],
          'interrupt-controller': null,
          reg: [
            gicDistributor.base,
            BigInt(gicDistributor.size),
            gicRedistributor.base,
            BigInt(gicRedistributor.sizePerVcpu * machine.vcpus),
          ],
          interrupts: [PPI, GIC_MAINTENANCE_PPI, LEVEL_HIGH],
          phandle: [GIC_PHANDLE],
        },
      },
      {
        name: 'timer',
        properties: {
          compatible: 'arm,armv8-timer',
          interrupts: TIMER_PPIS.flatMap(ppi => [PPI, ppi, LEVEL_HIGH]),
          'always-on': null,
        },
      },
      uart(MAP.consoleUart),
      uart(MAP.agentUart),
    ],
  };
}

const uartName = (base: bigint): string => `serial@${base.toString(16)}`;

function uart(line: { base: bigint; size: number; spi: number }): FdtNode {
  return {
    name: uartName(line.base),
    properties: {
      compatible: 'ns16550a',
      reg: [line.base, BigInt(line.size)],
      'clock-frequency': [UART_CLOCK_HZ],
      'current-speed': [115200],
      interrupts: [SPI, line.spi, LEVEL_HIGH],
    },
  };
}
