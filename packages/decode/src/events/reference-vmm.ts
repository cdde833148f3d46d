/** @module What the reference VMM reports (packages/vmm/src/events.ts). */
import { row } from './row.ts';
import type { Said } from './row.ts';

function seaWords({ seaEnabled, seaCapability }: Said<'seaEnabled:boolean seaCapability:number'>): string {
  if (seaEnabled === true) return 'it takes KVM_EXIT_ARM_SEA';
  if (seaCapability === 0) return 'without KVM_EXIT_ARM_SEA, the host kernel has no KVM_CAP_ARM_SEA_TO_USER';
  return 'without KVM_EXIT_ARM_SEA';
}

/** Fields are named as the members of its JSON; `gpaSource` is the member `source` of `gpa`. */
export const REFERENCE_VMM = {
  'vmm.started': row(
    'vcpus:number seaEnabled:boolean seaCapability:number ms:number',
    'The reference VMM runs its guest.',
    { line: f => `the VMM runs its guest: ${seaWords(f)}` },
  ),
  'vmm.arm-sea': row(
    'vcpu:number el:number pc:address flags:register esr:register gva?:address gpa?:address gpaSource:string gpaCertain?:boolean suspect?:address hpa?:address action:string quarantine:string',
    'The guest consumed an error: KVM_EXIT_ARM_SEA.',
    { severity: 'uncorrected-recoverable' },
  ),
  'vmm.quarantine-hit': row(
    'vcpu:number pc?:address exit:string gpa:address write?:boolean action:string',
    'The guest touched a page that the VMM has taken away.',
    {
      severity: 'uncorrected-recoverable',
      record: {
        reporter: 'kernel',
        fields: 'cpu=vcpu pc exit gpa write action',
        headline: 'The guest touched a page that the VMM had taken away',
        explanation: 'The VMM answers with an abort, so that only what touched the page ends.',
        next: 'Look at the log of the guest for the process that was ended.',
      },
    },
  ),
  'vmm.sigbus': row(
    'codename:string lsb:number hva:address gpa?:address action:string quarantine:string',
    'The host told the VMM of poisoned memory by SIGBUS.',
    {
      severity: 'uncorrected-recoverable',
      record: {
        reporter: 'kernel',
        fields: 'code=codename lsb hva gpa action quarantine',
        headline: 'The VMM got SIGBUS for guest memory',
        explanation: 'The host took the page away; the guest learns of it only by what the VMM does.',
        next: 'Look at the action, and on the host for the page behind the address.',
      },
    },
  ),
  'vmm.quarantined': row(
    'gpa:address hpa?:address bytes:bigint by:string slots:number',
    'The VMM has taken a page out of the memory of the guest.',
    {
      severity: 'info',
      record: {
        reporter: 'kernel',
        fields: 'gpa hpa bytes by',
        headline: 'The VMM took a bad page away from its guest',
        explanation: 'No later access reaches the bad memory; each ends in the VMM.',
        next: 'Nothing to do for the host; the guest should give the page up too.',
      },
    },
  ),
  'vmm.quarantine-refused': row('gpa:address by:string reason:string', 'The VMM did not take a page away.', {
    severity: 'info',
    record: {
      reporter: 'kernel',
      headline: 'The VMM did not take a page away',
      explanation: 'The reason stands with it.',
      next: 'Ask for the page again when the reason is gone.',
    },
  }),
  'vmm.threshold': row(
    'errors:number pages:number limit:number',
    'The VMM has counted so many errors that the guest should leave this host.',
    {
      severity: 'uncorrected-recoverable',
      record: {
        reporter: 'kernel',
        headline: 'A guest met so many memory errors that it should leave its host',
        explanation: 'The VMM counts errors and pages, and says when a limit is passed.',
        next: 'Move the guest to another host.',
      },
    },
  ),
  'vmm.page': row('gpa:address hva:address hpa?:address quarantined:boolean', 'Where a guest page lies in the host.'),
  'vmm.system-event': row('vcpu:number name:string', 'The guest asked to be shut down or reset, or crashed.'),
  'vmm.unhandled-mmio': row(
    'vcpu:number gpa:address write?:boolean value?:bigint length?:number',
    'The guest touched an address behind which the VMM has no device.',
  ),
  'vmm.control-refused': row('reason:string', 'The reference VMM did not do what its control channel asked for.'),
  'vmm.run-failed': row('vcpu:number reason:string', 'KVM could not run the guest.'),
  'vmm.stopped': row('reason:string errors:number pages:number', 'The reference VMM has ended its guest.'),
};
