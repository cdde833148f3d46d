/**
 * @module Linux kernel messages that are one line long. Fixed message texts are facts of arch/x86/kernel/cpu/mce,
 * mm/memory-failure.c, drivers/acpi/apei, drivers/firmware/efi/cper.c, kernel/panic.c and arch/arm64/kernel/traps.c.
 */
import type { LinuxKind } from '../../events/catalog.ts';
import type { Pattern } from '../patterns.ts';

const HEX = '(0x[0-9a-fA-F]{1,16}|0)';
/** mm/memory-failure.c, soft_offline_in_use_page() and get_hwpoison_page() of all ages. */
const NOT_MOVED = '(?:fail|unable|busy|cannot|unhandlable|unknown)';

export const LINUX_LINES: readonly Pattern<LinuxKind>[] = [
  {
    re: /^Linux version (\S{1,128})/,
    event: 'boot',
    captures: [['version', 'text']],
    source: 'Linux version %s',
  },
  {
    re: new RegExp(`^Kernel panic - not syncing: (Memory failure: (0x[0-9a-f]{1,16}): .*)$`, 's'),
    event: 'panic',
    captures: [
      ['message', 'text'],
      ['pfn', 'hex'],
    ],
    source: 'Kernel panic - not syncing: Memory failure: %#lx: unrecoverable page (mm/memory-failure.c since 7.2)',
  },
  {
    re: /^Kernel panic(?: - not syncing)?: (.*)$/s,
    event: 'panic',
    captures: [['message', 'text']],
    source: 'Kernel panic - not syncing: %s (before 2.6: Kernel panic: %s)',
  },
  {
    re: /^(?:mce: )?\[Hardware Error\]: Machine check: (.*)$/s,
    event: 'mce-severity',
    captures: [['message', 'text']],
    source: 'mce: [Hardware Error]: Machine check: %s',
  },
  {
    re: /^(?:mce: )?(?:\[Hardware Error\]: )?Machine check events logged\s{0,4}$/,
    event: 'mce-logged',
    captures: [],
    source: 'mce: [Hardware Error]: Machine check events logged (before 2.6.33 without what stands before)',
  },
  {
    re: /^(?:mce: )?(?:CPU(\d{1,6}) BANK(\d{1,3}) )?CMCI storm (detected|subsided)(?:: switching to (?:poll|interrupt) mode)?\s{0,4}$/,
    event: 'mce-storm',
    captures: [
      ['cpu', 'dec'],
      ['bank', 'dec'],
      ['state', 'text'],
    ],
    source: 'CPU%d BANK%d CMCI storm detected (before 6.8: CMCI storm detected: switching to poll mode)',
  },
  {
    re: /^(?:mce: )?(?:\[Hardware Error\]: )?CPUs not responding to MCE broadcast(?: \(may include false positives\))?: ([\d,-]{1,200})/,
    event: 'mce-missing-cpus',
    captures: [['cpus', 'text']],
    source: 'mce: CPUs not responding to MCE broadcast (may include false positives): %*pbl',
  },
  {
    // Whoever types it off a screen leaves the list out.
    re: /^(?:mce: )?(?:\[Hardware Error\]: )?(CPUs) not responding to MCE broadcast(?: \(may include false positives\))?\s*$/,
    event: 'mce-missing-cpus',
    captures: [['cpus', 'text']],
    source: 'the same without the list',
  },
  {
    re: /^(?:mce: )?(Triggering MCE exception|Starting machine check poll) (?:on )?CPU (\d{1,6})\s*$/,
    event: 'mce-injected',
    captures: [
      ['message', 'text'],
      ['cpu', 'dec'],
    ],
    source:
      'mce: Triggering MCE exception on CPU %d, mce: Starting machine check poll CPU %d (mce/inject.c; older without what stands before)',
  },
  {
    re: /^(\w{0,48}(?:mce|ghes|cper|estatus|edac|apei|extlog|soft_offline|memory_failure|hwpoison|aer_|bert|erst|cec_|action_result|arm64_serror)\w{0,48}): (\d{1,9}) (?:callbacks|output lines) suppressed/,
    event: 'messages-suppressed',
    captures: [
      ['function', 'text'],
      ['count', 'dec'],
    ],
    source: '%s: %d callbacks suppressed (lib/ratelimit.c; since 6.17 output lines)',
  },
  {
    re: /^\S{1,32} ([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): (?:AER: )?[Dd]evice recovery successful$/,
    event: 'pcie-recovered',
    captures: [['device', 'text']],
    source: '%s %s: AER: device recovery successful (drivers/pci/pcie/err.c)',
  },
  {
    re: /^(\S{1,32} [0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): (?:AER: )?([Dd]evice recovery failed|can't recover \(no (?:driver|error_detected callback)\))$/,
    event: 'pcie-not-recovered',
    captures: [
      ['device', 'text'],
      ['message', 'text'],
    ],
    source: "%s %s: AER: device recovery failed; can't recover (no error_detected callback) (drivers/pci/pcie/err.c)",
  },
  {
    re: /^BERT: \[Hardware Error\]: Skipped ([1-9]\d{0,5}) error records/,
    event: 'bert-skipped',
    captures: [['count', 'dec']],
    source: 'BERT: [Hardware Error]: Skipped %d error records',
  },
  {
    re: /^(?:x86\/amd: )?Previous system reset reason \[(0x[0-9a-f]{1,8})\]: (.*)$/s,
    event: 'reset-reason',
    captures: [
      ['value', 'hex'],
      ['message', 'text'],
    ],
    source: 'x86/amd: Previous system reset reason [0x%08x]: %s',
  },
  {
    re: /^mce: Uncorrected hardware memory error in user-access at ([0-9a-f]{1,16})$/,
    event: 'mce-user-error',
    captures: [['addr', 'hex']],
    source: 'mce: Uncorrected hardware memory error in user-access at %llx',
  },
  {
    re: /^mce: Kernel accessed poison in user space at ([0-9a-f]{1,16})$/,
    event: 'mce-kernel-access',
    captures: [['addr', 'hex']],
    source: 'mce: Kernel accessed poison in user space at %llx',
  },
  {
    re: /^mce: Memory error not recovered$/,
    event: 'mce-not-recovered',
    captures: [],
    source: 'mce: Memory error not recovered',
  },
  {
    re: /^(?:mce: |(unchecked) )MSR access error: (RDMSR|WRMSR) (?:from|to) (0x[0-9a-f]{1,8})(?: \(tried to write (0x[0-9a-f]{1,16})\))?(?: at rIP: (0x[0-9a-f]{1,16})(?: \(([^)]{1,128})\))?)?/,
    event: 'msr-error',
    captures: [
      ['unchecked', 'there'],
      ['access', 'text'],
      ['msr', 'hex'],
      ['value', 'hex'],
      ['rip', 'hex'],
      ['symbol', 'text'],
    ],
    source: '[mce: |unchecked ]MSR access error: WRMSR to 0x%x (tried to write 0x%08x%08x) at rIP: 0x%lx (%pS)',
  },
  {
    re: new RegExp(`^Memory failure: ${HEX}: recovery action for (.{1,64}?): ([A-Za-z]{1,16})`, 's'),
    event: 'memory-failure',
    captures: [
      ['pfn', 'hex'],
      ['page', 'text'],
      ['result', 'text'],
    ],
    source: 'Memory failure: %#lx: recovery action for %s: %s',
  },
  {
    re: new RegExp(`^MCE ${HEX}: recovery action for (.{1,64}?): ([A-Za-z]{1,16})`, 's'),
    event: 'memory-failure',
    captures: [
      ['pfn', 'hex'],
      ['page', 'text'],
      ['result', 'text'],
    ],
    source: 'MCE %#lx: recovery action for %s: %s (4.1)',
  },
  {
    re: new RegExp(`^MCE ${HEX}: (.{1,64}?) recovery: ([A-Za-z]{1,16})$`, 's'),
    event: 'memory-failure',
    captures: [
      ['pfn', 'hex'],
      ['page', 'text'],
      ['result', 'text'],
    ],
    source: 'MCE %#lx: %s recovery: %s (before 4.2)',
  },
  {
    re: new RegExp(
      `^(?:Memory failure: |MCE )${HEX}: Killing (.{0,64}):(\\d{1,10}) (?:early )?due to hardware memory corruption`,
      's',
    ),
    event: 'sigbus-sent',
    captures: [
      ['pfn', 'hex'],
      ['comm', 'text'],
      ['pid', 'dec'],
    ],
    source:
      'Memory failure: %#lx: Killing %s:%d due to hardware memory corruption (before 4.17; before 4.2: MCE %#lx: …)',
  },
  {
    re: new RegExp(
      `^(?:Memory failure: |GHES: )?${HEX}: Sending SIGBUS to (.{0,64}):(\\d{1,10}) due to hardware memory corruption`,
      's',
    ),
    event: 'sigbus-sent',
    captures: [
      ['pfn', 'hex'],
      ['comm', 'text'],
      ['pid', 'dec'],
    ],
    source: 'Memory failure: %#lx: Sending SIGBUS to %s:%d due to hardware memory corruption',
  },
  {
    re: new RegExp(`^(?:Memory failure: )?[Ss]oft[ _]offline: ${HEX}:? (.{0,64}${NOT_MOVED}.*)$`, 's'),
    event: 'soft-offline-failed',
    captures: [
      ['pfn', 'hex'],
      ['message', 'text'],
    ],
    source:
      'Soft offline: %#lx: … migration failed, isolation failed, unknown page type, unhandlable page, split failed',
  },
  {
    re: new RegExp(`^(?:Memory failure: )?${HEX}: soft[ _]offline: (.{0,64}${NOT_MOVED}.*)$`, 's'),
    event: 'soft-offline-failed',
    captures: [
      ['pfn', 'hex'],
      ['message', 'text'],
    ],
    source: '%#lx: soft offline: … failed',
  },
  {
    re: new RegExp(`^(?:Memory failure: )?[Ss]oft[ _]offline: ${HEX}:? (.*)$`, 's'),
    event: 'soft-offline',
    captures: [
      ['pfn', 'hex'],
      ['message', 'text'],
    ],
    source: 'Soft offline: %#lx: … (older: soft_offline: …; before 5.7 some without the second colon)',
  },
  {
    re: new RegExp(`^(?:Memory failure: )?${HEX}: soft[ _]offline: (.*)$`, 's'),
    event: 'soft-offline',
    captures: [
      ['pfn', 'hex'],
      ['message', 'text'],
    ],
    source: '%#lx: soft offline: …',
  },
  {
    re: new RegExp(`^Unpoison: ${HEX}: (.*)$`, 's'),
    event: 'unpoison',
    captures: [
      ['pfn', 'hex'],
      ['message', 'text'],
    ],
    source: 'Unpoison: %#lx: …',
  },
  {
    re: /^MCE: Killing (.{0,64}):(\d{1,10}) due to hardware memory corruption fault at ([0-9a-f]{1,16})$/s,
    event: 'poison-fault',
    captures: [
      ['comm', 'text'],
      ['pid', 'dec'],
      ['virt', 'hex'],
    ],
    source: 'MCE: Killing %s:%d due to hardware memory corruption fault at %lx',
  },
  {
    re: /^\[Hardware Error\]: GHES: (.{0,64}):(\d{1,10}): synchronous unrecoverable error \(SIGBUS\)$/s,
    event: 'ghes-sigbus',
    captures: [
      ['comm', 'text'],
      ['pid', 'dec'],
    ],
    source: '[Hardware Error]: GHES: %s:%d: synchronous unrecoverable error (SIGBUS)',
  },
  {
    re: new RegExp(`^Soft offlining pfn ${HEX}`),
    event: 'soft-offline',
    captures: [['pfn', 'hex']],
    fixed: { message: 'requested' },
    source: 'Soft offlining pfn %#lx at process virtual address %#lx',
  },
  {
    re: new RegExp(`^(?:RAS: )?Soft-offlining pfn: ${HEX}`),
    event: 'soft-offline',
    captures: [['pfn', 'hex']],
    fixed: { message: 'the kernel counted too many corrected errors in it (CEC)' },
    source: 'RAS: Soft-offlining pfn: 0x%llx (drivers/ras/cec.c)',
  },
  {
    re: new RegExp(
      `^(?:[\\w-]{1,32}: )?Injecting memory failure (?:at|for) (?:pfn|page) ${HEX}(?: at (?:process virtual address )?${HEX})?`,
    ),
    event: 'hwpoison-injected',
    captures: [
      ['pfn', 'hex'],
      ['virt', 'hex'],
    ],
    source: 'Injecting memory failure for pfn %#lx at process virtual address %#lx (before 4.12: for page %#x at %lx)',
  },
  {
    re: new RegExp(
      `^(?:Memory failure: |MCE )${HEX}: forcibly killing (.{0,64}):(\\d{1,10}) because of failure to unmap`,
      's',
    ),
    event: 'poison-killed',
    captures: [
      ['pfn', 'hex'],
      ['comm', 'text'],
      ['pid', 'dec'],
    ],
    source:
      'Memory failure: %#lx: forcibly killing %s:%d because of failure to unmap corrupted page (kill_procs(), SIGKILL)',
  },
  {
    re: new RegExp(`^(?:Memory failure: |MCE )${HEX}: (.*)$`, 's'),
    event: 'memory-failure-note',
    captures: [
      ['pfn', 'hex'],
      ['message', 'text'],
    ],
    source: 'Memory failure: %#lx: … (before 4.2: MCE %#lx: …)',
  },
  {
    re: /^(reboot: .*|Rebooting in \d{1,10} seconds\.\.)$/s,
    event: 'reboot',
    captures: [['message', 'text']],
    source: 'reboot: …',
  },
];

/** Lines of a firmware report, one by one. APEI: the sequence number in braces keeps the lines of one report together. */
const REPORT_LINES: readonly Pattern<LinuxKind>[] = [
  {
    re: /^\{(\d{1,10})\}\[Hardware Error\]: Hardware error from APEI Generic Hardware Error Source: (\d{1,6})/,
    event: 'cper',
    captures: [
      ['seq', 'dec'],
      ['source', 'dec'],
    ],
    source: '{%u}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: %d',
  },
  {
    re: /^\{(\d{1,10})\}\[Hardware Error\]: event severity: (\w{1,32})/,
    event: 'cper-severity',
    captures: [
      ['seq', 'dec'],
      ['severity', 'text'],
    ],
    source: '{%u}[Hardware Error]: event severity: %s',
  },
  {
    re: /^\{(\d{1,10})\}\[Hardware Error\]: {1,8}section_type: (.{1,128})$/s,
    event: 'cper-section',
    captures: [
      ['seq', 'dec'],
      ['section', 'text'],
    ],
    source: '{%u}[Hardware Error]:   section_type: %s',
  },
  {
    re: /^\{(\d{1,10})\}\[Hardware Error\]: {1,8}physical_address: (0x[0-9a-f]{1,16})/,
    event: 'cper-address',
    captures: [
      ['seq', 'dec'],
      ['addr', 'hex'],
    ],
    source: '{%u}[Hardware Error]:   physical_address: 0x%016llx',
  },
  {
    re: /^\{(\d{1,10})\}\[Hardware Error\]: {1,8}error_type: (\d{1,5}), (.{1,128})$/s,
    event: 'cper-error-type',
    captures: [
      ['seq', 'dec'],
      ['code', 'dec'],
      ['type', 'text'],
    ],
    source: '{%u}[Hardware Error]:   error_type: %d, %s',
  },
];

/** Kernel crashes that are not a panic yet. `Internal error` of a synchronous external abort is also a `sea`. */
const OOPSES: readonly Pattern<LinuxKind>[] = [
  {
    re: /^((?:BUG:|Internal error:|Oops:|Unable to handle kernel |general protection fault[,:]).*)$/s,
    event: 'oops',
    captures: [['message', 'text']],
    source: 'BUG: … | Internal error: … | Oops: … | general protection fault…',
  },
];

/** What a line says beside the record that it belongs to. */
export const LINUX_STEPS: readonly Pattern<LinuxKind>[] = [...REPORT_LINES, ...OOPSES];
