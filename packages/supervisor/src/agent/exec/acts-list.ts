/** @module Acts that a program of an exec section may be set up for; `prove` is the agent's own. */
export const EXEC_ACTS = ['stop', 'terminate', 'start', 'reset', 'migrate', 'autostart-off', 'pause'] as const;
export type ExecAct = (typeof EXEC_ACTS)[number];
