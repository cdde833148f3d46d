/**
 * The human monitor answers failures with ordinary text. This table gives the texts a stable code.
 * Source: QEMU 11.1 monitor/hmp.c, monitor/hmp-cmds.c, target/i386/helper.c, target/i386/monitor.c; the texts were seen
 * in a running 11.1.3 unless `seen: false`.
 */
import { safeText } from '@syndrome/decode/common/screen.ts';
import type { HmpOptions, QmpClient } from './client.ts';
import { HmpError } from './errors.ts';

type HmpFailure = {
  code: string;
  /** Matches anywhere in the monitor's text. */
  pattern: RegExp;
  explanation: string;
  hint?: string;
  /** The text itself says more than the explanation, so a message repeats it. */
  quote?: true;
  /** False where the text is from the source only. */
  seen?: false;
};

/** Ordered: the first match names the failure, so the general patterns stand last in their group. */
export const hmpFailures: readonly HmpFailure[] = [
  // Command line. HMP takes C-like expressions of unsigned numbers; a value that starts with '-' is read as an option.
  {
    code: 'E_HMP_UNKNOWN_COMMAND',
    pattern: /^unknown command: /m,
    explanation: 'this monitor has no such command',
  },
  {
    code: 'E_HMP_NOT_AVAILABLE',
    pattern: /^Command '.*' not available/m,
    explanation: 'the command is not available in this machine',
    hint: "QEMU 11.1 also says 'until machine initialization has completed' of a command of another architecture: `mce` exists on x86 only.",
  },
  {
    code: 'E_HMP_MISSING_ARGUMENT',
    pattern: /^unexpected end of expression/m,
    explanation: 'an argument is missing',
  },
  {
    code: 'E_HMP_BAD_EXPRESSION',
    pattern: /^(invalid char '.*' in expression|division by zero|'\)' expected|unknown register)/m,
    explanation: 'an argument is not an expression the monitor can read',
  },
  {
    code: 'E_HMP_NUMBER_TOO_LARGE',
    pattern: /^number too large/m,
    explanation: 'a number does not fit in 64 bits',
  },
  {
    code: 'E_HMP_INTEGER_32_BIT',
    pattern: /^'.*' has failed: integer is for 32-bit values/m,
    explanation: 'a number does not fit in 32 bits',
  },
  {
    code: 'E_HMP_UNKNOWN_OPTION',
    pattern: /: unsupported option -/,
    explanation: 'the command has no such option',
  },
  {
    code: 'E_HMP_EXTRA_ARGUMENT',
    pattern: /: extraneous characters at the end of line/,
    explanation: 'there are more arguments than the command takes',
  },
  {
    code: 'E_HMP_BAD_ARGUMENTS',
    pattern: /^Try "help .*" for more information/m,
    explanation: 'the monitor cannot read the arguments',
    quote: true,
    seen: false,
  },

  // mce (target/i386/helper.c: cpu_x86_inject_mce, do_inject_x86_mce)
  {
    code: 'E_HMP_MCE_NOT_SUPPORTED',
    pattern: /^MCE injection not supported/m,
    explanation: 'the CPU model has no machine-check architecture',
    hint: 'Choose a CPU model of family 6 or later with MCE and MCA.',
  },
  {
    code: 'E_HMP_MCE_BANK',
    pattern: /^Invalid MCE bank number/m,
    explanation: 'the bank does not exist',
    hint: 'QEMU gives every x86 CPU banks 0 to 9.',
  },
  {
    code: 'E_HMP_MCE_STATUS',
    pattern: /^Invalid MCE status code/m,
    explanation: 'MCi_STATUS.VAL (bit 63) is not set',
    hint: 'An error without VAL is no error: set bit 63.',
  },
  {
    code: 'E_HMP_MCE_BROADCAST',
    pattern: /^Guest CPU does not support MCA broadcast/m,
    explanation: 'this CPU does not broadcast machine checks',
    hint: 'AMD CPUs (since QEMU 9.1) and Intel CPUs before family 6 model 14 take machine checks one by one: leave broadcast out.',
  },
  {
    code: 'E_HMP_MCE_BANK_DISABLED',
    pattern: /^CPU \d+: Uncorrected error reporting disabled for bank \d+/m,
    explanation: 'the guest has switched off error reporting of this bank (MCi_CTL), so nothing was injected',
  },
  {
    code: 'E_HMP_MCE_DISABLED',
    pattern: /^CPU \d+: Uncorrected error reporting disabled/m,
    explanation: 'the guest has switched off error reporting (MCG_CTL), so nothing was injected',
  },

  // gpa2hva, gpa2hpa, gva2gpa (monitor/hmp-cmds.c)
  {
    code: 'E_HMP_NO_MEMORY',
    pattern: /^No memory is mapped at address /m,
    explanation: 'nothing is mapped at this guest physical address',
  },
  {
    code: 'E_HMP_NOT_RAM',
    pattern: /^Memory at address 0x[0-9a-f]+ is not RAM/m,
    explanation: 'a device, not RAM, is at this guest physical address',
  },
  {
    code: 'E_HMP_REGION_END',
    pattern: /^Size of memory region at 0x[0-9a-f]+ exceeded/m,
    explanation: 'the address is beyond the end of its memory region',
    seen: false,
  },
  {
    code: 'E_HMP_PAGE_NOT_PRESENT',
    pattern: /^Page not present/m,
    explanation: 'the host has no page behind this guest page (swapped out or never touched)',
    seen: false,
  },
  {
    code: 'E_HMP_PAGEMAP',
    pattern: /^Cannot (open|read|seek) .*pagemap/m,
    explanation: "QEMU cannot read its own pagemap, which holds the host's physical addresses",
    hint: 'gpa2hpa works on Linux hosts only, and QEMU needs CAP_SYS_ADMIN.',
    seen: false,
  },
  {
    code: 'E_HMP_UNMAPPED',
    pattern: /^Unmapped/m,
    explanation: "the CPU's page tables do not map this guest virtual address",
  },
  {
    code: 'E_HMP_NO_CPU',
    pattern: /^No cpu$/im,
    explanation: 'the monitor has no CPU to work on',
    seen: false,
  },

  // savevm, loadvm and other commands that are QMP underneath (monitor/hmp.c: hmp_handle_error)
  {
    code: 'E_HMP_NO_SNAPSHOT_DEVICE',
    pattern: /^Error: no block device can store vmstate/m,
    explanation: 'no disk of the machine can hold a snapshot',
    hint: 'Give the machine a qcow2 drive: -drive if=none,format=qcow2,file=…',
  },
  {
    code: 'E_HMP_CPU_INDEX',
    pattern: /^invalid CPU index/m,
    explanation: 'the machine has no such CPU',
  },
  {
    code: 'E_HMP_ERROR',
    pattern: /^Error: /m,
    explanation: 'the command failed',
    quote: true,
  },
];

/** The failure a monitor's text tells of, or undefined when the text holds no known one. */
export function recogniseHmpFailure(text: string): HmpFailure | undefined {
  // \r would keep `$` from matching and costs nothing to take away.
  const plain = text.slice(0, 65_536).replaceAll('\r', '');
  return hmpFailures.find(failure => failure.pattern.test(plain));
}

/** The error for a text that was not what the command prints on success. */
export function hmpErrorOf(commandLine: string, text: string): HmpError {
  const failure = recogniseHmpFailure(text);
  if (failure === undefined) {
    return new HmpError(
      'E_HMP_UNEXPECTED_OUTPUT',
      `unexpected answer '${safeText(text.trim(), 200)}'`,
      commandLine,
      text,
    );
  }
  const quoted = failure.quote ? `: '${safeText(text.trim(), 200)}'` : '';
  return new HmpError(failure.code, failure.explanation + quoted, commandLine, text, hintOf(failure));
}

/**
 * Runs a monitor command that is meant to succeed: returns its text, throws HmpError when the text is a known failure.
 * Unknown texts pass: only the caller can know what success looks like.
 */
export async function hmpChecked(client: QmpClient, commandLine: string, options: HmpOptions = {}): Promise<string> {
  const text = await client.hmp(commandLine, options);
  if (recogniseHmpFailure(text) !== undefined) throw hmpErrorOf(commandLine, text);
  return text;
}

function hintOf(failure: HmpFailure): { hint?: string } {
  return failure.hint === undefined ? {} : { hint: failure.hint };
}
