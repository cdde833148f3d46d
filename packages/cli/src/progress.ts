import { safeText } from '@syndrome/decode/common/screen.ts';
import type { SupplyProgress } from '@syndrome/lab/supply/fetcher.ts';
import { say, sayForNow } from './output.ts';

/** Bytes for people: `13.2 MB`. */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** How far a phase is, in its own measure: bytes of a download, packages of the others. */
function amount({ phase, done, total }: SupplyProgress): string {
  if (total <= 1) return '';
  if (phase === 'download') return ` ${bytes(done)} of ${bytes(total)}`;
  return phase === 'verify' || phase === 'unpack' ? ` ${done} of ${total}` : '';
}

/**
 * One line of stderr that is rewritten on a terminal. Elsewhere, in a log that is kept, a line for each phase
 * of a part, once, though verifying and unpacking alternate for each of its packages; of a download one for
 * each quarter, so that a slow one is seen to go on.
 */
export function progressLine(): (p: SupplyProgress) => void {
  const said = new Map<string, Set<string>>();
  return progress => {
    const { part, phase, done, total, text } = progress;
    const lasting = phase === 'done' || phase === 'notice';
    const line = safeText(`${part}: ${text ?? phase}${amount(progress)}`, 300);
    if (sayForNow(line, lasting)) return;
    const quarter = phase === 'download' && total > 0 ? Math.floor((4 * done) / total) : 0;
    const ofPart = said.get(part) ?? new Set();
    if (phase === 'notice' || !ofPart.has(`${phase} ${quarter}`)) {
      say(phase === 'verify' || phase === 'unpack' ? safeText(`${part}: ${phase}`, 300) : line);
    }
    if (phase === 'done') said.delete(part);
    else said.set(part, ofPart.add(`${phase} ${quarter}`));
  };
}
