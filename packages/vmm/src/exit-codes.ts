/** What the guest's end means for the one who started it: the exit code, by the reason of the `stopped` event. */
const EXIT_CODES: ReadonlyMap<string, number> = new Map([
  ['shutdown', 0],
  ['control', 0],
  ['SIGTERM', 0],
  ['SIGINT', 0],
  ['reset', 3],
  ['threshold', 4],
]);
export const EXIT_FAILED = 1;

/** The exit code of a machine that ended for this reason: every reason without one of its own is a failure. */
export const exitCodeOf = (reason: string): number => EXIT_CODES.get(reason) ?? EXIT_FAILED;
