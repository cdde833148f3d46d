import type { WireCode } from './errors.ts';

/** What ends a connection between agent, controller and command line, for `--explain`: what happened, and what to do. */
export const WIRE_ERROR_CODES: Readonly<Record<WireCode, string>> = {
  E_WIRE_ELSEWHERE:
    'Another controller works on the shard to which this host belongs. The agent tries the next address that its file names; name all controllers there.',
  E_WIRE_HOST_TAKEN:
    'Another agent is connected that says it is this host, from another spool. Two agents need two names; look for a second one on the host.',
  E_WIRE_IDENTITY:
    'An agent says that it is another host than its certificate names. Give each host a certificate with its own name as common name, and `host:` of its agent the same name.',
  E_WIRE_LINE: 'A peer sent a line that is too long or no UTF-8. It is no agent or command line of this version.',
  E_WIRE_MESSAGE: 'A peer sent a message that has not the form of one; the text says where. That connection was ended.',
  E_WIRE_ORDER: 'A peer sent a message out of its order: an agent says hello first, and once.',
  E_WIRE_SHARD:
    'No shard of the site takes that host. Give one of `shards:` in the file of the site a pattern for its name.',
  E_WIRE_STALLED: 'A peer did not answer or did not read in its time, and was left. It comes back by itself.',
  E_WIRE_VALUE: 'A value has no form on the wire: more than 64 bits, infinite, or more bytes than a row may have.',
  E_WIRE_VERSION:
    'Agent and controller speak different versions of the wire. Bring both to one version of the program.',
};
