/** @module What a VMM reports by itself or by QEMU's ways: its end, QMP events, messages. Facts: QEMU qapi/run-state.json, target/i386/kvm. */
import { row } from './row.ts';
import { short } from './show.ts';

export const QEMU = {
  'vmm.start': row('command?:string', 'The virtual machine monitor was started.', { line: () => 'QEMU starts' }),
  'vmm.exit': row('code?:number signal?:number expected?:boolean', 'The virtual machine monitor ended.', {
    line: f =>
      f.expected === true && f.signal === 9
        ? undefined
        : `the VMM ends (${f.signal === undefined ? `code ${short(f.code)}` : `signal ${short(f.signal)}`})`,
  }),
  'vmm.memory-failure': row(
    'recipient?:string action?:string actionRequired?:boolean recursive?:boolean',
    'QEMU dealt with a memory failure: inject, ignore, reset or fatal.',
    {
      severity: 'uncorrected',
      line: f =>
        `MEMORY_FAILURE ${short(f.recipient)} ${short(f.action)}` +
        (f.actionRequired === true ? ', action required' : '') +
        (f.recursive === true ? ', recursive' : ''),
      record: {
        reporter: 'kernel',
        name: 'qemu-memory-failure',
        headline: 'QEMU dealt with a memory failure',
        explanation:
          'inject: the guest got a record, of whatever severity: QEMU says the same for a corrected error; ignore: dropped, because an earlier one was not finished; reset: the machine restarts; fatal: QEMU exits. The event carries no address and no CPU.',
        next: 'For the address look at the log of QEMU (GUEST addr) or of the guest.',
      },
    },
  ),
  'vmm.guest-panicked': row('action?:string', 'The guest told QEMU that it panicked (pvpanic).', {
    severity: 'fatal',
    line: f => `GUEST_PANICKED ${short(f.action)}`,
  }),
  'vmm.reset': row('guest?:boolean reason?:string', 'The machine was reset.', {
    severity: 'fatal',
    line: f => `RESET ${short(f.reason)}`,
  }),
  'vmm.shutdown': row('guest?:boolean reason?:string', 'The machine was shut down.', {
    line: f => `SHUTDOWN ${short(f.reason)}`,
  }),
  'vmm.stop': row('', 'The virtual CPUs were stopped.', { line: () => 'virtual CPUs stopped' }),
  'vmm.resume': row('', 'The virtual CPUs run again.', { line: () => 'virtual CPUs run' }),
  'vmm.watchdog': row('action?:string', 'The watchdog of the machine expired.'),
  'vmm.answer': row(
    'command:string ok:boolean text:string',
    'The VMM answered a command of its monitor, or refused it.',
    { line: f => `${short(f.command)} ${f.ok === true ? 'is answered' : 'is refused'}: ${short(f.text)}` },
  ),
  'vmm.event': row('type:string', 'Another QMP event.'),
  'vmm.event-emitted': row(
    'number:number us?:number',
    'QEMU emitted an event of its monitor; the number of its kind differs from QEMU to QEMU.',
    {
      record: {
        reporter: 'kernel',
        name: 'qemu-event-emitted',
        headline: 'QEMU emitted an event of its monitor',
        explanation:
          'A line of its trace event monitor_protocol_event_emit, written also when nobody listens. It has the number of the kind only, which differs from QEMU to QEMU: 11 is MEMORY_FAILURE in 7.2.',
        next: 'Compare it with an event that came by QMP at the same time, of the same QEMU: that tells the number.',
      },
    },
  ),
  'vmm.sigbus-injected': row(
    'hva:address gpa:address code:string',
    'QEMU got SIGBUS for guest memory and injected a machine check.',
    {
      severity: 'uncorrected-recoverable',
      line: f => `QEMU got SIGBUS ${short(f.code)} and injects a machine check for guest address ${short(f.gpa)}`,
      record: {
        reporter: 'kernel',
        name: 'qemu-sigbus-injected',
        headline: 'QEMU got SIGBUS for guest memory and injects a machine check',
        explanation: 'AO: found by the host before use; AR: a virtual CPU consumed it.',
        next: 'Look at the log of the guest, and on the host for the page behind the address.',
      },
    },
  ),
  'vmm.memory-error': row(
    'message:string hva?:address code?:string target?:string',
    'QEMU got SIGBUS for memory that is not guest memory, or that it cannot tell its guest of.',
    {
      severity: 'uncorrected',
      record: {
        reporter: 'kernel',
        name: 'qemu-memory-error',
        headline: 'QEMU got SIGBUS and cannot tell its guest',
        explanation:
          'On x86 the bad page is memory of QEMU itself and not of the guest. On arm the same words come for guest memory too: without ras=on, which is not the default, QEMU cannot report an error to its guest. With action required QEMU exits.',
        next: 'Restart the virtual machine on healthy memory; on arm give the machine ras=on, so that the guest can handle the next one.',
      },
    },
  ),
  'vmm.triple-fault': row(
    'cpu:number reason:string',
    'QEMU could not deliver a machine check and resets the machine.',
    {
      severity: 'fatal',
      line: f =>
        `CPU ${short(f.cpu)}: ${f.reason === 'mcip-set' ? 'MCIP still set' : 'CR4.MCE clear'}, QEMU raises "triple fault"`,
      record: {
        reporter: 'kernel',
        name: 'qemu-triple-fault',
        headline: 'QEMU could not deliver a machine check and resets the machine',
        explanation: 'The guest does not take machine checks yet, or the one before is not finished.',
        next: 'Look for what the guest was doing; the reset is the consequence, not the cause.',
      },
    },
  ),
  'vmm.mce-rejected': row('reason:string cpu?:number bank?:number', 'QEMU refused to inject a machine check.', {
    severity: 'info',
    record: {
      reporter: 'kernel',
      name: 'qemu-mce-rejected',
      headline: 'QEMU refused to inject a machine check',
      explanation: 'Nothing happened in the guest.',
      next: 'Correct the command.',
    },
  }),
  'vmm.message': row('severity:string message:string', 'A message of the virtual machine monitor.', {
    line:
      // An emulated CPU lacks some features of its model; dozens of lines at each start.
      f =>
        String(f.message).startsWith("TCG doesn't support requested feature") ? undefined : `VMM: ${short(f.message)}`,
  }),
};
