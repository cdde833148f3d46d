/** @module What QEMU makes of a SIGBUS for poisoned host memory. Source: QEMU target/i386/kvm, target/arm, accel/kvm. */
import { QEMU_ABORT } from '../arm/vmm-made.ts';
import { SECTION_MEMORY } from '../cper/guid.ts';
import type { CperRecord } from '../cper/record.ts';
import { QEMU_LOCAL, QEMU_SIGBUS } from '../mca/vmm-made.ts';
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
  'monitor-read': [
    'QEMU reads the page itself, for its monitor (xp): the signal comes to a thread that blocks it, and the kernel ends QEMU.',
    'observed',
    'QEMU system/cpus.c qemu_init_sigbus(); Linux kernel/signal.c force_sig_info_to_task()',
  ],
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

function x86(required: boolean, gpa: bigint | undefined, facts: Facts, run: Run): Ending {
  const amdGuest = facts.vendor() === 'amd';
  const amd = amdGuest && versionSince(facts.get('version'), '9.1');
  const key = `${amd ? 'amd' : 'intel'}-${required ? 'required' : 'optional'}` as const;
  if (amdGuest && !amd) run.note(R['amd-before-9.1'], 'Intel-shaped record');
  const lmce = facts.get('lmceEnabled');
  const shape = QEMU_SIGBUS[key];
  run.note(R[key], `status ${hex(shape.status)}`);
  run.note(R['page-kept'], gpa === undefined ? 'the page' : hex(gpa));
  const code = required ? 'BUS_MCEERR_AR' : 'BUS_MCEERR_AO';
  const where = gpa === undefined ? '<gpa>' : hex(gpa);
  const record = mcaCase({
    ...shape,
    kind: 'x86-mca',
    // Before 9.1 AMD guests got those of Intel.
    vendor: amdGuest ? 'amd' : 'intel',
    // Action optional comes to the main thread, which tells the first CPU.
    cpu: 0,
    mcgStatus: lmce ? shape.mcgStatus | QEMU_LOCAL : shape.mcgStatus,
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
        type: SECTION_MEMORY,
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
      record: running === 'user' ? cper : { kind: 'arm-sea', esr: QEMU_ABORT.kernel, el: 1 },
      settings: { vendor: 'arm', platform: 'kvm', running, apeiClaims: true },
    },
  };
}

/** SIGBUS of a vCPU thread (action required) or of the main thread (action optional). */
export function qemuSigbus(required: boolean, gpa: bigint | undefined, facts: Facts, run: Run): Ending {
  if (facts.get('platform', 'kvm') !== 'kvm') return run.end('vmm-died', R['no-kvm'], 'SIGBUS ends QEMU');
  if (facts.vendor() === 'arm') return arm(required, gpa, facts, run);
  if (required && facts.get('guestRam') && facts.get('vmmReads')) {
    return run.end('vmm-died', R['monitor-read'], 'SIGBUS ends QEMU');
  }
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
