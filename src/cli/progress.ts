import type { SupplyProgress } from '../supply/supply.ts';

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

/** One line that is rewritten on a terminal; elsewhere one line for each change of phase. */
export function progressLine(stream: NodeJS.WriteStream): (p: SupplyProgress) => void {
  let last = '';
  return ({ part, phase, done, total }) => {
    const amount = total ? `${bytes(done ?? 0)} of ${bytes(total)}` : '';
    if (stream.isTTY) {
      const text = `${part}: ${phase} ${amount}`.trimEnd().slice(0, (stream.columns ?? 80) - 1);
      stream.write(`\r\u001b[K${text}${phase === 'done' ? '\n' : ''}`);
    } else if (`${part} ${phase}` !== last) {
      stream.write(`${part}: ${phase}${total ? ` ${bytes(total)}` : ''}\n`);
    }
    last = `${part} ${phase}`;
  };
}
