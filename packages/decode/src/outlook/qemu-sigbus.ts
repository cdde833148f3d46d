/** @module What QEMU makes of a SIGBUS for poisoned host memory. Source: QEMU target/i386/kvm, target/arm, accel/kvm. */
import type { CperRecord } from '../cper/record.ts';
import { MISC_PAGE } from '../mca/named.ts';
import { mcaCase } from './case.ts';
import type { Facts } from './facts.ts';
import { hex } from './linux-messages.ts';
import type { Ending, Run } from './prediction.ts';
import { qemuInject } from './qemu-inject.ts';
import { defineRules } from './rule.ts';
import { versionSince } from './version.ts';

export const QEMU_SIGBUS_RULES = defineRules('qemu.sigbus', 'QEMU target/i386/kvm/kvm.c kvm_arch_on_sigbus_vcpu()', {
  'no-kvm': [
    'Without KVM QEMU does not handle SIGBUS: the signal ends it.',
    'read',
    'QEMU system/cpus.c sigbus_handler()',
  ],
  'own-memory-required': ['QEMU needed memory of its own that is bad: it exits.'],
  'own-memory-optional': ['Memory of QEMU itself went bad and nobody used it: a warning.'],
  'page-kept': ['The page is put on the list that is remapped at the next reset and blocks migration.'],
  'intel-required': ['An Intel guest gets a data load error with action required in bank 9.'],
  'intel-optional': ['An Intel guest gets a memory scrubbing error with action optional in bank 9.', 'observed'],
  'amd-required': ['An AMD guest gets consumed poison in bank 9, on one CPU (since 9.1).', 'observed'],
  'amd-optional': ['An AMD guest gets a deferred error in bank 9, which it finds by polling (since 9.1).', 'observed'],
  'amd-before-9.1': ['Before 9.1 an AMD guest got the records of an Intel one, broadcast.'],
  'arm-required': [
    'An Arm guest gets a memory record in GHES source 0 and a synchronous external abort.',
    'read',
    'QEMU target/arm/kvm.c kvm_arch_on_sigbus_vcpu()',
  ],
  'arm-optional': [
    'An Arm guest is told nothing of a page that nobody used yet.',
    'read',
    'QEMU target/arm/kvm.c kvm_arch_on_sigbus_vcpu()',
  ],
  'arm-no-ras': [
    'Without ras=on and ACPI QEMU cannot tell an Arm guest: with action required it exits.',
    'read',
    'QEMU target/arm/kvm.c kvm_arch_on_sigbus_vcpu()',
  ],
});

const R = QEMU_SIGBUS_RULES;

/** Records kvm_mce_inject() makes: bank 9, physical address exact to a page. */
const BANK = 9;
const SHAPES = {
  'intel-required': { status: 0xbd80_0000_0000_0134n, mcgStatus: 0x7n },
  'intel-optional': { status: 0xbd00_0000_0000_00c0n, mcgStatus: 0x5n },
  'amd-required': { status: 0xbc00_0800_0000_0000n, mcgStatus: 0x7n },
  'amd-optional': { status: 0x9c00_1800_0000_0000n, mcgStatus: 0x5n },
} as const;
const LMCE = 8n;

/** ESR_EL1 QEMU gives an Arm guest: data abort, FnV, code 0x10, from EL0 or EL1. */
const ARM_ESR = { user: 0x9200_0410n, kernel: 0x9600_0410n };
const MEMORY_SECTION = 'a5bc1114-6f64-4ede-b863-3e83ed7c83b1';

function x86(required: boolean, gpa: bigint | undefined, facts: Facts, run: Run): Ending {
  const amdGuest = facts.vendor() === 'amd';
  const amd = amdGuest && versionSince(facts.get('version'), '9.1');
  const key = `${amd ? 'amd' : 'intel'}-${required ? 'required' : 'optional'}` as const;
  if (amdGuest && !amd) run.note(R['amd-before-9.1'], 'Intel-shaped record');
  const lmce = facts.get('lmceEnabled');
  const shape = SHAPES[key];
  run.note(R[key], `status ${hex(shape.status)}`);
  run.note(R['page-kept'], gpa === undefined ? 'the page' : hex(gpa));
  const code = required ? 'BUS_MCEERR_AR' : 'BUS_MCEERR_AO';
  const where = gpa === undefined ? '<gpa>' : hex(gpa);
  const record = mcaCase({
    kind: 'x86-mca',
    vendor: amdGuest ? 'amd' : 'intel',
    // Action optional comes to the main thread, which tells the first CPU.
    cpu: 0,
    bank: BANK,
    status: shape.status,
    mcgStatus: lmce ? shape.mcgStatus | LMCE : shape.mcgStatus,
    misc: MISC_PAGE,
    ...(gpa === undefined ? {} : { addr: gpa }),
  });
  const ending = qemuInject(record, facts, run, { keepActionOptional: false, broadcast: !amd && !lmce });
  run.print(
    `${required ? '' : 'warning: '}Guest MCE Memory Error at QEMU addr <hva> and GUEST addr ${where} of type ${code} injected`,
  );
  return ending;
}

function arm(required: boolean, gpa: bigint | undefined, facts: Facts, run: Run): Ending {
  if (!facts.get('ras') || !facts.get('guestRam')) {
    if (!required) {
      run.print('Hardware memory error at addr <hva> for memory used by QEMU itself instead of guest system!');
      return run.end('none', R['own-memory-optional'], 'a warning');
    }
    run.print('Hardware memory error!');
    return run.end('vmm-died', R['arm-no-ras'], 'exit(1)');
  }
  run.note(R['page-kept'], gpa === undefined ? 'the page' : hex(gpa));
  if (!required) return run.end('none', R['arm-optional'], 'no record');
  run.note(R['arm-required'], 'GHES record and external abort');
  const cper: CperRecord = {
    kind: 'cper',
    severity: 'recoverable',
    blockStatus: 1,
    sections: [
      {
        type: MEMORY_SECTION,
        severity: 'recoverable',
        revision: 0x300,
        flags: 0,
        body: { kind: 'memory', errorType: 0, ...(gpa === undefined ? {} : { physicalAddress: gpa }) },
      },
    ],
  };
  const running = facts.get('running');
  return {
    outcome: 'forwarded',
    rule: R['arm-required'],
    handover: {
      consumer: 'linux',
      // From EL0 the abort finds the record (APEI claims it); from EL1 only the abort itself counts.
      delivery: running === 'user' ? 'ghes-sea' : 'sea',
      record: running === 'user' ? cper : { kind: 'arm-sea', esr: ARM_ESR.kernel, el: 1 },
      settings: { vendor: 'arm', platform: 'kvm', running, apeiClaims: true },
    },
  };
}

/** SIGBUS of a vCPU thread (action required) or of the main thread (action optional). */
export function qemuSigbus(required: boolean, gpa: bigint | undefined, facts: Facts, run: Run): Ending {
  if (facts.get('platform', 'kvm') !== 'kvm') return run.end('vmm-died', R['no-kvm'], 'SIGBUS ends QEMU');
  if (facts.vendor() === 'arm') return arm(required, gpa, facts, run);
  if (facts.get('guestRam')) return x86(required, gpa, facts, run);
  run.event('MEMORY_FAILURE', {
    recipient: 'hypervisor',
    action: required ? 'fatal' : 'ignore',
    'action-required': required,
    recursive: false,
  });
  if (required) {
    run.print('QEMU got Hardware memory error at addr <hva>');
    return run.end('vmm-died', R['own-memory-required'], 'exit(1)');
  }
  run.print(
    'warning: Hardware memory error at addr <hva> of type BUS_MCEERR_AO for memory used by QEMU itself instead of guest system!',
  );
  return run.end('none', R['own-memory-optional'], 'a warning');
}
