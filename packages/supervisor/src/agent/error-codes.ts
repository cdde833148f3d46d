/** What an agent says went wrong, for `--explain`: what happened, and what to do. */
export const AGENT_ERROR_CODES: Readonly<Record<string, string>> = {
  E_AGENT_BOOK:
    'The file with the epochs of the VMs of this host is damaged. Without it the agent could carry out an order that is too old, so it does not start. Restore it from a backup; or make sure that none of these VMs runs elsewhere, and remove it.',
  E_AGENT_TLS:
    'A file with which the agent shows who it is, or that of the authority, cannot be read, or others may read its key (mode 0600); the text says which.',
  E_AGENT_REFUSED: 'The controller refuses this agent; the text says why. It tries again by itself.',
  E_AGENT_RUNNING: 'Another agent works in the folder. End it, or give this one another folder.',
  E_AGENT_VERSION:
    'Controller and agent speak different versions of the wire. Bring both to one release; what was read is kept meanwhile.',
  E_AGENT_VM_FACTS:
    'A file beside a QMP socket does not describe a VM; the text says where. Until then that VM is not read.',
  E_SPOOL_CLOSED: 'The agent is ending: what comes now is not taken any more.',
  E_SPOOL_ROW: 'What a source said has line ends in it, or is longer than a row may be. It is a defect of the source.',
};
