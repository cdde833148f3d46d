/** @module Which of the lines that the rules say will be printed tells most of what becomes of the system. */

/** The most telling first. */
const TELLING = [
  /^Kernel panic/,
  /^Fatal machine check/,
  /^Xen BUG/,
  /Software recovery failed/,
  /raising triple fault/,
  /^Internal error/,
  /Sending SIGBUS/,
  /recovery action/,
  /event severity/,
  /injected$/,
  /events logged/,
];

/** That line of `messages`; undefined where none of them tells much. */
export function tellingLine(messages: readonly string[]): string | undefined {
  for (const shape of TELLING) {
    const found = messages.find(message => shape.test(message));
    if (found !== undefined) return found;
  }
  return undefined;
}
