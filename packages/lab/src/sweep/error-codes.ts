/** What a sweep throws, for `--explain`: what happened, and what to do. */
export const SWEEP_ERROR_CODES: Readonly<Record<string, string>> = {
  E_SPACE_UNKNOWN:
    'There is no space of this name; give one that comes with the program (the hint has them), or a YAML file.',
  E_SPACE_READ: 'The file of the space cannot be read; the cause is the system’s.',
  E_MAP_EMPTY:
    'A map shows what sweeps have measured, and nothing is known of this space or kernel in the state folder. The message has the sweep that measures it.',
  E_SWEEP_ISOLATION:
    'A cell that was measured beside others showed something else when it was measured alone, twice: the sweep has stopped, and what it measured cannot be trusted. Compare the two traces that the message names; --engine restore starts a machine for every cell.',
  E_SWEEP_LAB:
    'Cell after cell was not carried out: the sweep has stopped. The message has the cause of the last; what was measured until then is kept.',
};
