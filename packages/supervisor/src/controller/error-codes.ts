import type { ControllerCode } from './errors.ts';

/** What the controller throws, for `--explain`: what happened, and what to do. */
export const CONTROLLER_ERROR_CODES: Readonly<Record<ControllerCode, string>> = {
  E_CONTROLLER_ASK:
    'The controller was asked for something that it does not have, or in a wrong form; the message says what.',
  E_CONTROLLER_FENCE:
    'A fence agent of the site cannot be used: it is not root’s or this user’s alone, a secret is not in a file of mode 0600, or something that the controller says itself is named; the text says what.',
  E_CONTROLLER_LISTEN:
    'The controller cannot listen on its sockets: the path is too long, or the folder is not this user’s alone (mode 0700); or on its port for agents: a certificate or key cannot be read, or the port is in use. Without TLS nothing is taken over TCP.',
  E_CONTROLLER_REFUSED:
    'What was ordered cannot be done as things are; the text says why. Look at it again, and order what fits.',
  E_CONTROLLER_BUSY:
    'Too many ask at once what was known at inputs of the past: each takes the time of the controller. Ask again in a moment.',
  E_CONTROLLER_STATE:
    'What the store remembers cannot be made a state again: it was written by another version. Use that version, or replay from a backup.',
  E_CONTROLLER_STOPPED: 'The controller stops, or another one has taken over. What was sent is sent again there.',
};
