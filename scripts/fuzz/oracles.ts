/** What has to hold for more than one target. */

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const NONSENSE = /\bundefined\b|\bNaN\b|\[object /;
/** Full schema validation costs more than decoding: every so many cases. */
export const VALIDATE_EVERY = 16;
/** Most characters of rendered text per record. */
export const TEXT_PER_RECORD = 32_768;

/** Lines with control characters: the input's own words may be anything else. */
export function controlFaults(what: string, lines: readonly string[]): string[] {
  return lines.filter(line => CONTROL.test(line)).map(line => `${what}: control character in ${JSON.stringify(line)}`);
}

/** Lines of our own words that hold what no sentence does. */
export function textFaults(what: string, lines: readonly string[]): string[] {
  return lines.flatMap(line => {
    const wrong = controlFaults(what, [line]);
    return wrong.length === 0 && NONSENSE.test(line) ? [`${what}: nonsense in ${JSON.stringify(line)}`] : wrong;
  });
}
