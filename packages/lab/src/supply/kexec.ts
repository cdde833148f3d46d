import type { Fetcher } from './fetcher.ts';
import { type GuestProgramPart, obtainGuestProgram } from './guest-program.ts';

/** kexec of Debian's kexec-tools, built with Xen's kexec hypercalls: for a Linux, and for the dom0 of a Xen. */
export async function obtainKexec(fetcher: Fetcher): Promise<GuestProgramPart> {
  return await obtainGuestProgram(fetcher, {
    kind: 'kexec',
    package: 'kexec-tools',
    program: 'usr/sbin/kexec',
    // Only trixie's: it is linked with the libxenctrl of Xen 4.20, whose ABI is good for that Xen alone.
    suites: ['trixie', 'trixie-updates'],
    wanted: /^(?:kexec-tools$|libc6$|libxen)/,
  });
}
