/**
 * What can go wrong between us and a QEMU monitor. Catch the branch you can act on:
 *
 *   QmpError
 *   ├── QmpConnectError      nobody answers at the address
 *   ├── QmpNegotiationError  somebody answers, but not a QMP server we can talk to
 *   ├── QmpProtocolError     the peer sent something that is not QMP; the connection is closed
 *   ├── QmpClosedError       the connection ended while (or before) something was asked
 *   ├── QmpDeadlineError     no answer in time; the connection stays usable
 *   ├── QmpCommandError      QEMU answered a command with an error; the connection stays usable
 *   ├── HmpError             a human-monitor command failed (QEMU reports that as ordinary text)
 *   └── QmpInjectError       a GHES record was not injected
 */
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';

type ErrorOptions = { hint?: string; cause?: unknown };

/** Base of everything the qmp room throws, wrong arguments (UsageError) excepted. */
export class QmpError extends SyndromeError {}

/** The connection could not be opened: no such socket, refused, aborted, path too long. */
export class QmpConnectError extends QmpError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('E_QMP_CONNECT', message, options);
  }
}

/** The peer's greeting or its answer to `qmp_capabilities` is not what QMP prescribes. */
export class QmpNegotiationError extends QmpError {
  /** What the peer sent, bounded. */
  readonly received: string;

  constructor(message: string, received: string, options: ErrorOptions = {}) {
    super('E_QMP_NEGOTIATION', message, options);
    this.received = received;
  }
}

/** The peer broke the protocol; nothing after this message can be trusted, so the connection is closed. */
export class QmpProtocolError extends QmpError {
  /** What the peer sent, bounded. */
  readonly received: string;

  constructor(message: string, received: string, options: ErrorOptions = {}) {
    super('E_QMP_PROTOCOL', `${message}: ${safeText(received, 200)}`, options);
    this.received = received;
  }
}

/** The connection is gone. A pending command may or may not have been carried out. */
export class QmpClosedError extends QmpError {
  /** The command that was waiting, if any. */
  readonly command: string | undefined;

  constructor(message: string, options: ErrorOptions & { command?: string } = {}) {
    super('E_QMP_CLOSED', message, options);
    this.command = options.command;
  }
}

/** Nothing came in time. A command that was already sent stays in QEMU's queue and may still be carried out. */
export class QmpDeadlineError extends QmpError {
  readonly waitingFor: string;
  readonly deadlineMs: number;

  constructor(waitingFor: string, deadlineMs: number, options: ErrorOptions = {}) {
    super('E_QMP_DEADLINE', `no ${waitingFor} within ${deadlineMs} ms`, options);
    this.waitingFor = waitingFor;
    this.deadlineMs = deadlineMs;
  }
}

/** Error classes of QMP (qapi/error.json, QapiErrorClass). */
type QmpErrorClass = 'GenericError' | 'CommandNotFound' | 'DeviceNotActive' | 'DeviceNotFound' | 'KVMMissingCap';

/** QEMU refused or failed a command. */
export class QmpCommandError extends QmpError {
  readonly command: string;
  readonly class: QmpErrorClass | (string & {});
  /** QEMU's own text: for people, not stable between releases. */
  readonly desc: string;

  constructor(command: string, errorClass: string, desc: string, options: ErrorOptions = {}) {
    super(
      'E_QMP_COMMAND',
      `QEMU refused '${safeText(command, 200)}': ${safeText(desc)} (${safeText(errorClass, 60)})`,
      {
        hint:
          errorClass === 'CommandNotFound'
            ? 'This QEMU does not offer the command; ask with has() before using it.'
            : undefined,
        ...options,
      } as ErrorOptions,
    );
    this.command = command;
    this.class = errorClass;
    this.desc = desc;
  }
}

/** A human-monitor command failed; `code` says why (table in hmp.ts). */
export class HmpError extends QmpError {
  readonly commandLine: string;
  /** The monitor's text as it came. */
  readonly text: string;

  constructor(code: string, message: string, commandLine: string, text: string, options: ErrorOptions = {}) {
    super(code, `'${safeText(commandLine, 200)}': ${message}`, options);
    this.commandLine = commandLine;
    this.text = text;
  }
}

/** `inject-ghes-v2-error` was refused, by us or by QEMU; `code` says why (table in ghes.ts). */
export class QmpInjectError extends QmpError {}
