/** @module What to do with a firmware record. */
import { classifyCper, isOfPreviousBoot } from './classify.ts';
import { isOfWindows } from './guid.ts';
import { pagesOfCper } from './page.ts';
import type { CperRecord, CperSeverity } from './record.ts';

const NEXT: Readonly<Record<CperSeverity, string>> = {
  recoverable:
    'Look for `Memory failure:` lines with the page of the physical address: Recovered means it is out of use.',
  fatal: 'Expect a panic (`Fatal hardware error`) or a reset. The record itself survives in BERT or ERST; keep it.',
  corrected:
    'Count them by node, card, module, rank and row; many from one place mean that the part wears out and is to be replaced.',
  none: 'Nothing to do.',
};

/** The kinds of section whose next step differs from that of memory. */
type Kind = 'memory' | 'processor' | 'pcie' | 'other';

/** What else a corrected record is good for. */
const CORRECTED: Readonly<Record<Kind, string>> = {
  memory: NEXT.corrected,
  processor: 'Count them by processor; one that repeats on the same core means that the processor wears out.',
  pcie: 'Count them by device (segment, bus, device, function); many from one link mean a bad slot, riser, cable or card.',
  other: 'Count them by FRU and section type; many from one place mean that the part is to be looked at.',
};
const RECOVERABLE: Readonly<Record<Kind, string>> = {
  memory: NEXT.recoverable,
  processor:
    'Look whether the process that ran on it was ended (`SIGBUS`), and for a memory record of the same moment. A processor that repeats it is to be replaced.',
  pcie: 'Look at the AER lines and the driver of the device: Linux resets the link and the driver recovers, or the device is gone.',
  other: 'Look at the log of the firmware or the BMC of the same moment: Linux only prints such a section.',
};
const NO_PAGE =
  'Without an address in the record Linux cannot take a page away: look for a machine check or a line of the memory controller driver (EDAC) of the same moment that names one.';
const PREVIOUS_BOOT =
  'It tells of the boot before this one, and Linux only prints it: look there for why the machine went down, at the log of the BMC, and replace the part that the record names if it comes again.';
const WINDOWS_FATAL =
  'Windows wrote it. Where it stopped for it (bug check 0x124) its dump has the same record, which `!analyze -v` and `!errrec` show. Look at the sections for the part.';
const EXTLOG =
  'Linux only prints it (acpi_extlog) and acts on the machine check that it belongs to: look for that beside it, and for `Memory failure:` lines with the page.';
const BARE_SECTION =
  'A section alone has no severity: that stands in the record or the data entry around it. Look for the whole record.';

function kindOf(record: CperRecord): Kind {
  const kinds = record.sections.map(({ body }) => body.kind);
  if (kinds.some(k => k === 'memory' || k === 'memory2')) return 'memory';
  if (kinds.some(k => k === 'processor' || k === 'x86-processor' || k === 'arm-processor')) return 'processor';
  if (kinds.includes('pcie')) return 'pcie';
  const { class: of } = classifyCper(record);
  return of === 'memory' || of === 'processor' || of === 'pcie' ? of : 'other';
}

/** How the record was found, as far as that decides. */
interface CperFoundAs {
  /** Only a section is known, without the record that says how bad it is. */
  bare?: boolean;
  /** In Linux's extended log, which acts on nothing. */
  extlog?: boolean;
}

/** What to do next, the most useful step first. */
export function nextStepCper(record: CperRecord, { bare = false, extlog = false }: CperFoundAs = {}): string[] {
  if (bare) return [BARE_SECTION];
  const { severity, severityNumber } = record;
  if (severityNumber !== undefined) {
    return [
      `The severity ${severityNumber} is none that is specified: Linux takes it for fatal and panics. Tell the vendor of the firmware.`,
    ];
  }
  if (isOfPreviousBoot(record) && severity !== 'none') return [PREVIOUS_BOOT];
  if (severity === 'fatal' && record.header !== undefined && isOfWindows(record.header.creatorId))
    return [WINDOWS_FATAL];
  if (extlog && severity !== 'corrected' && severity !== 'none') return [EXTLOG];
  const kind = kindOf(record);
  if (severity === 'corrected') return [CORRECTED[kind]];
  if (severity === 'recoverable' && kind === 'memory' && pagesOfCper(record).length === 0) return [NO_PAGE];
  return [severity === 'recoverable' ? RECOVERABLE[kind] : NEXT[severity]];
}
