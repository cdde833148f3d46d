/** What the room of policies throws, for `--explain`: what happened, and what to do. */
export const POLICY_ERROR_CODES: Readonly<Record<string, string>> = {
  E_POLICY:
    'A policy is none: each fault is told with its line and with what was most likely meant. A policy names thresholds and rungs, never commands or URLs.',
};
