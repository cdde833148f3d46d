/** What the guest's room throws, for `--explain`: what happened, and what to do. */
export const GUEST_ERROR_CODES: Readonly<Record<string, string>> = {
  E_GUEST_AGENT:
    'The agent in the guest answered a command with an error; the errno in the message is the guest kernel’s. Its console may say more.',
  E_GUEST_AGENT_BUILD:
    'The agent that runs in the guest could not be compiled, or its source is missing. The compiler’s message is the cause.',
  E_GUEST_AGENT_CLOSED: 'The line to the agent closed: the machine ended or was reset. Its console shows why.',
  E_GUEST_AGENT_DEADLINE:
    'The agent did not answer in time: the guest has panicked, hangs, or is slow. Look at its console; without KVM a longer deadline may help.',
  E_GUEST_AGENT_PROTOCOL:
    'What came over the agent’s line is not its protocol, or is more than the bounds allow. Something else may write to its port.',
  E_GUEST_INITRAMFS:
    'An initramfs cannot be written or read: a path or file that it cannot hold, a library that is nowhere, or a damaged archive or program.',
};
