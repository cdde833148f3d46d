/**
 * What can go wrong between us and a gdbstub. Catch the branch you can act on:
 *
 *   GdbError
 *   ├── GdbConnectError      nobody answers at the address
 *   ├── GdbProtocolError     the peer sent something that is not the remote protocol; the connection is closed
 *   ├── GdbClosedError       the connection ended while (or before) something was asked
 *   ├── GdbDeadlineError     no answer in time; the connection stays usable
 *   ├── GdbRemoteError       the stub answered a request with Enn; the connection stays usable
 *   ├── GdbUnsupportedError  the stub does not know the request, the register or the feature
 *   ├── GdbStateError        not possible while the machine runs, or after it has ended
 *   ├── GdbWriteError        a write was accepted and not kept
 *   └── Stage2Error          a stage-2 configuration is reserved, or a walk could not be broken (stage2.ts, poke.ts)
 */
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';

type ErrorOptions = { hint?: string; cause?: unknown };

/** Base of everything the gdb room throws, wrong arguments (UsageError) excepted. */
export class GdbError extends SyndromeError {}

/** The connection could not be opened: no such socket, refused, aborted, path too long. */
export class GdbConnectError extends GdbError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('E_GDB_CONNECT', message, options);
  }
}

/** The peer broke the protocol; nothing after this can be trusted, so the connection is closed. */
export class GdbProtocolError extends GdbError {
  /** What the peer sent, bounded. */
  readonly received: string;

  constructor(message: string, received: string, options: ErrorOptions = {}) {
    super('E_GDB_PROTOCOL', received === '' ? message : `${message}: ${safeText(received, 200)}`, options);
    this.received = received.slice(0, 4096);
  }
}

/** The connection is gone. What was asked may or may not have been carried out. */
export class GdbClosedError extends GdbError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('E_GDB_CLOSED', message, options);
  }
}

/** Nothing came in time. What was sent may still be carried out; its late answer is dropped. */
export class GdbDeadlineError extends GdbError {
  readonly waitingFor: string;
  readonly deadlineMs: number;

  constructor(waitingFor: string, deadlineMs: number, options: ErrorOptions = {}) {
    super('E_GDB_DEADLINE', `no ${waitingFor} within ${deadlineMs} ms`, options);
    this.waitingFor = waitingFor;
    this.deadlineMs = deadlineMs;
  }
}

/** The stub answered `Enn` or `E.text`. QEMU writes errno in decimal: E14 is EFAULT, E22 is EINVAL. */
export class GdbRemoteError extends GdbError {
  readonly request: string;
  /** The answer as it came, bounded. */
  readonly answer: string;

  constructor(request: string, answer: string, options: ErrorOptions = {}) {
    super('E_GDB_REMOTE', `the stub refused ${request}: ${safeText(answer, 200)}`, options);
    this.request = request;
    this.answer = answer.slice(0, 4096);
  }
}

/** The stub, or the machine behind it, does not have what was asked for. */
export class GdbUnsupportedError extends GdbError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('E_GDB_UNSUPPORTED', message, options);
  }
}

/** The request needs a halted machine (or one that still exists). */
export class GdbStateError extends GdbError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('E_GDB_STATE', message, options);
  }
}

/** The stub said OK and the value read back is another one. */
export class GdbWriteError extends GdbError {
  readonly wanted: bigint;
  readonly kept: bigint;

  constructor(message: string, wanted: bigint, kept: bigint, options: ErrorOptions = {}) {
    super('E_GDB_WRITE', message, options);
    this.wanted = wanted;
    this.kept = kept;
  }
}

/** See the tables of codes in stage2.ts and poke.ts. */
export class Stage2Error extends GdbError {}
