/** What reading and judging a trace throws or states, for `--explain`: what happened, and what to do. */
export const TRACE_ERROR_CODES: Readonly<Record<string, string>> = {
  E_EXPECT_SYNTAX:
    'An expectation cannot be read: it begins with an event name (guest.panic), then field=value, !=, ~regexp, >= and the like; it holds within a time, never, or a number of times.',
  E_LAB_TRACE_CUT: 'The trace ends before the run did: the run was killed, so there is no verdict about the system.',
  E_LAB_TRACE_DAMAGED:
    'Lines of the trace cannot be read, and what they said might have changed the verdict. Take the trace as the run wrote it, or run the scenario again.',
  E_LAB_TRACE_FORMAT:
    'The file is no trace of this program. A trace is the .ndjson file that `syndrome run` names at its end.',
  E_LAB_TRACE_VERSION:
    'The trace is of a newer version than this program reads; the message says which. Each Syndrome reads all versions up to its own: use a newer one.',
};
