import { SyndromeError } from '@syndrome/decode/common/errors.ts';

/** An initramfs cannot be written or read as asked (bad path, damaged archive). Code `E_GUEST_INITRAMFS`. */
export class InitramfsError extends SyndromeError {
  constructor(message: string, hint = 'Paths inside an initramfs are relative, without empty, "." or ".." parts.') {
    super('E_GUEST_INITRAMFS', message, { hint });
  }
}

/** The agent program could not be built. Code `E_GUEST_AGENT_BUILD`. */
export class AgentBuildError extends SyndromeError {
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('E_GUEST_AGENT_BUILD', message, options);
  }
}

/** The agent answered a command with an error. Code `E_GUEST_AGENT`. */
export class AgentError extends SyndromeError {
  /** Name of the errno (`ENOENT`), as the guest gave it. */
  readonly errno: string;
  readonly command: string;

  constructor(command: string, errno: string, text: string) {
    super('E_GUEST_AGENT', `guest agent: ${command}: ${errno}: ${text}`, { hint: errnoHint(errno) });
    this.errno = errno;
    this.command = command;
  }
}

/** The connection to the agent is closed. Code `E_GUEST_AGENT_CLOSED`. */
export class AgentClosedError extends SyndromeError {
  constructor(what: string, cause?: unknown) {
    super('E_GUEST_AGENT_CLOSED', `guest agent: connection closed ${what}`, {
      hint: 'The machine ended or reset: its console shows why.',
      cause,
    });
  }
}

/** The agent did not answer in time. Code `E_GUEST_AGENT_DEADLINE`. */
export class AgentDeadlineError extends SyndromeError {
  constructor(what: string, deadlineMs: number) {
    super('E_GUEST_AGENT_DEADLINE', `guest agent: no answer to ${what} within ${deadlineMs} ms`, {
      hint: 'Look at the guest console for a panic or a hang; without hardware acceleration a longer deadline may help.',
    });
  }
}

/** The agent broke the protocol, or answered more than the bounds allow. Code `E_GUEST_AGENT_PROTOCOL`. */
export class AgentProtocolError extends SyndromeError {
  constructor(message: string) {
    super('E_GUEST_AGENT_PROTOCOL', `guest agent: ${message}`, {
      hint: 'The guest may run another agent version, or something else writes to its port: check syndrome.port.',
    });
  }
}

function errnoHint(errno: string): string {
  switch (errno) {
    case 'ESRCH':
      return 'The subject is not there: it exited (see its exit event) or was never spawned.';
    case 'ENOENT':
      return 'The file is absent in this guest: a kernel option, a module or a mount may be missing.';
    case 'EBUSY':
      return 'The subject spins: stop it first.';
    case 'ETIMEDOUT':
      return 'The guest runs, but the command did not finish: the subject or the kernel is stuck on it.';
    case 'EPERM':
      return 'The guest kernel refuses this; lockdown or a missing capability are common reasons.';
    default:
      return 'The guest console and its kernel log may say more.';
  }
}
