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

/** One line of stderr that is rewritten on a terminal; elsewhere one line for each change of phase. */
export function progressLine(): (p: SupplyProgress) => void {
  let last = '';
  return ({ part, phase, done, total, text }) => {
    const amount = phase === 'download' && total > 0 ? ` ${bytes(done)} of ${bytes(total)}` : '';
    const line = safeText(`${part}: ${text ?? phase}${amount}`, 300);
    const lasting = phase === 'done' || phase === 'notice';
    if (!sayForNow(line, lasting) && (`${part} ${phase}` !== last || phase === 'notice')) say(line);
    last = `${part} ${phase}`;
  };
}
