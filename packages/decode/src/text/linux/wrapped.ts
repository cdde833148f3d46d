/** @module Messages of one line that a mail or a window broke into several: which are cut, and which are whole again. */

interface Wrapped {
  /** How far the line may be recognized for what it is. */
  readonly begins: RegExp;
  /** What it is when nothing of it is missing, */
  readonly whole?: RegExp;
  /** or when something is. */
  readonly cut?: RegExp;
}

const PFN = String.raw`(?:Memory failure: |MCE |GHES: )?0x[0-9a-f]{1,16}: `;
/** A driver and its PCI device. */
const PCI = String.raw`\S{1,32} [0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]:(?: AER:)?`;
const TAG = String.raw`\[Hardware Error\]:? {0,8}`;

/** Sources: mm/memory-failure.c, arch/x86/kernel/cpu/mce, drivers/edac, drivers/firmware/efi/cper.c of Linux. */
const MESSAGES: readonly Wrapped[] = [
  {
    begins: new RegExp(`^${PFN}recovery action for(?: |$)`),
    whole: /: (?:Recovered|Delayed|Ignored|Failed)(?:\W|$)/,
  },
  { begins: new RegExp(`^${PFN}(?:Sending SIGBUS to|Killing)(?: |$)`), whole: /due to hardware memory corruption/ },
  // Kernels for real time print the two halves apart.
  { begins: /^Kernel panic - not syncing:\s*$/, cut: /$/ },
  { begins: /^MCE: The hardware reports a non fatal,/, whole: / on CPU \d{1,6}\.?\s*$/ },
  { begins: /^CPU ?\d{1,6}: Machine Check Exception:\s*$/, cut: /$/ },
  { begins: /^CPU ?\d{1,6}: Machine Check Exception: {1,20}[0-9a-f]{16}\s*$/, whole: /$/ },
  { begins: new RegExp(`^${PCI}\\s*$`), cut: /$/ },
  { begins: new RegExp(`^${PCI} PCIe Bus Error: `), whole: /\)\s*$/ },
  { begins: /^mce: Uncorrected hardware memory error/, whole: / at [0-9a-f]{1,16}\s*$/ },
  { begins: /^mce: Kernel accessed poison in user/, whole: / at [0-9a-f]{1,16}\s*$/ },
  // Since 3.6 what the driver knows of the place stands in parentheses, with others within.
  {
    begins: /^EDAC MC\d{1,3}: \d{1,9} (?:CE|UE) /,
    whole: /\([^()]*(?:\([^()]*\)[^()]*)*\){1,8}\s*$|no information available/,
  },
  {
    begins: /^EDAC [a-z][\w-]{1,15} MC\d{1,3}: CPU \d{1,6}: Machine Check/,
    whole: / Bank \d{1,4}: (?:0x)?[0-9a-f]{16}\s*$/,
  },
  { begins: /^EDAC [a-z][\w-]{1,15} MC\d{1,3}: PROCESSOR /, whole: / APIC (?:0x)?[0-9a-f]{1,8}(?:\s|$)/ },
  { begins: /^EDAC [a-z][\w-]{1,15} MC\d{1,3}: (?:TSC|ADDR|MISC)(?: |$)/, whole: / (?:0x)?[0-9a-f]{1,16}\s*$/ },
  {
    begins: new RegExp(`^${TAG}CPU:\\d{1,6}[ \\t(][^[]{0,24}MC\\d{1,4}_STATUS\\[`),
    whole: /\]: 0x[0-9a-f]{16}$/,
  },
  { begins: new RegExp(`^${TAG}Error Addr:`), whole: /: 0x[0-9a-f]{1,16}$/ },
  { begins: new RegExp(`^${TAG}(?:PPIN|IPID): 0x`), whole: /: 0x[0-9a-f]{1,16}$/ },
  {
    begins: new RegExp(`^\\{\\d{1,10}\\}${TAG}Hardware error from APEI`),
    whole: /Source: \d{1,6}\s*$/,
  },
  {
    begins: new RegExp(`^(?:\\{\\d{1,10}\\})?${TAG}(?:event severity|Error \\d{1,4}, type|(?:section|error)_type):`),
    cut: /: ?$|_type: (?:memory|PCIe|CXL(?: Protocol)?|(?:ARM|general|IA32\/X64)(?: processor)?|Firmware(?: Error(?: Record)?)?)$|_type: \d{1,3},(?: (?:single|multi)-(?:bit|symbol(?: chipkill)?)| scrub(?: \w{9,11})?)?$/,
  },
  {
    begins: new RegExp(`^(?:\\{\\d{1,10}\\})?${TAG}(?:physical_address|physical_address_mask|error_status):`),
    cut: /: ?$/,
  },
];

/** Pieces that one message is put together from at most. */
export const MAX_PIECES = 6;

/** Whether a text begins as such a message and lacks its end (`cut`), or is whole; undefined for any other. */
export function wrappedState(text: string): 'cut' | 'whole' | undefined {
  const message = MESSAGES.find(m => m.begins.test(text));
  if (message === undefined) return undefined;
  return message.whole?.test(text) === false || message.cut?.test(text.trimEnd()) === true ? 'cut' : 'whole';
}
