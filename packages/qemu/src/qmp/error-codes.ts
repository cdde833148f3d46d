import { ghesRefusals } from './ghes.ts';
import { hmpFailures } from './hmp.ts';

type Known = { code: string; explanation: string; hint?: string };

/** The tables that recognise QEMU's own texts explain their codes. */
const sentences = ({ code, explanation, hint }: Known): [string, string] => [
  code,
  `QEMU answered: ${explanation}.${hint === undefined ? '' : ` ${hint}`}`,
];

/** What the monitor's room throws, for `--explain`: what happened, and what to do. */
export const QMP_ERROR_CODES: Readonly<Record<string, string>> = {
  ...Object.fromEntries([...hmpFailures, ...ghesRefusals].map(sentences)),
  E_GHES_NO_COMMAND: 'This QEMU has no inject-ghes-v2-error. It came with QEMU 10.2.',
  E_GHES_NO_GED:
    'The machine has no generic event device to notify the guest: QEMU would accept the record and drop it. Give it UEFI firmware and leave ACPI on.',
  E_GHES_RAS_OFF:
    'The machine has no GHES: QEMU would accept the record and drop it. Start the machine with -M virt,ras=on.',
  E_GHES_REFUSED: 'QEMU refused the record for a reason that is not known here; its own words are the cause.',
  E_GHES_SIZE: 'The error block is empty or larger than what QEMU reserves for it (1024 bytes).',
  E_HMP_BAD_CPU: 'The machine has no CPU of that number; the hint lists those it has. Nothing was injected.',
  E_HMP_CONTROL_CHARACTER: 'A command line of the human monitor may not hold control characters; it was not sent.',
  E_HMP_NO_EVENT:
    'The monitor took the command, but QEMU did not report the injection on every CPU by MEMORY_FAILURE: it was not injected everywhere. Check the CPU index with query-cpus-fast.',
  E_HMP_PFN_HIDDEN:
    'The host hides its frame numbers from QEMU, so a guest address cannot be turned into one of the host. QEMU needs CAP_SYS_ADMIN on the host.',
  E_HMP_UNEXPECTED_OUTPUT:
    'The human monitor answered with a text that is neither success nor a failure that is known here; it is in the message.',
  E_MCE_ARGUMENT: 'A value for the monitor’s command mce does not fit: CPU and bank 31 bits, registers 64 bits.',
  E_QMP_BAD_DEADLINE: 'A deadline is not a positive, finite time in milliseconds (at most 24 days).',
  E_QMP_CLOSED:
    'The connection to QEMU’s monitor ended while something was asked, or before; the command may or may not have been done. Look at QEMU’s exit status and stderr.',
  E_QMP_COMMAND: 'QEMU refused a command or failed in it; its own words and error class are in the message.',
  E_QMP_CONNECT: 'Nobody answers at the monitor’s address. Start QEMU with -qmp, and check the path or port.',
  E_QMP_DEADLINE:
    'QEMU did not answer in time. A command that was sent stays in its queue and may still be carried out.',
  E_QMP_EVENTS_LOST: 'More events arrived than may wait to be read, so the stream ended instead of losing some.',
  E_QMP_NEGOTIATION:
    'Somebody answers, but not a QMP server that can be talked to: a human monitor, or a socket of another kind. Use a -qmp socket, or -mon with mode=control.',
  E_QMP_NO_OOB: 'Out-of-band execution was asked for and is not enabled on this connection.',
  E_QMP_OBSERVED_OOB: 'A command that is executed out of band has no events of its own to be observed.',
  E_QMP_PROTOCOL:
    'The peer sent something that is not QMP; nothing after it can be trusted, so the connection was closed.',
  E_QMP_TOO_MANY_CALLS: 'Too many commands wait for an answer: the monitor does not answer any more.',
};
