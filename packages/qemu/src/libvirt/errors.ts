/**
 * What can go wrong between us and a libvirt daemon. Catch the branch you can act on:
 *
 *   LibvirtError
 *   ├── LibvirtConnectError   nobody answers at the socket, or the daemon wants a login that we cannot give
 *   ├── LibvirtProtocolError  the peer sent something that is not libvirt's RPC; the connection is closed
 *   ├── LibvirtClosedError    the connection ended while (or before) something was asked
 *   ├── LibvirtDeadlineError  no answer in time; after a missed keepalive the connection is closed too
 *   ├── LibvirtCallError      libvirt answered a call with an error; the connection stays usable
 *   └── LibvirtDefinitionError  a domain's XML is not what libvirt writes
 */
import { SyndromeError } from '@syndrome/decode/common/errors.ts';
import { safeText } from '@syndrome/decode/common/screen.ts';
import { errorClass, type LibvirtErrorClass } from './error-numbers.ts';

type ErrorOptions = { hint?: string; cause?: unknown };

/** Base of everything the libvirt room throws, wrong arguments (UsageError) excepted. */
export class LibvirtError extends SyndromeError {}

/** The connection could not be opened: no such socket, refused, aborted, path too long, a login is wanted. */
export class LibvirtConnectError extends LibvirtError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('E_LIBVIRT_CONNECT', message, options);
  }
}

/** The peer broke the protocol; nothing after this message can be trusted, so the connection is closed. */
export class LibvirtProtocolError extends LibvirtError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('E_LIBVIRT_PROTOCOL', message, options);
  }
}

/** The connection is gone. A pending call may or may not have been carried out. */
export class LibvirtClosedError extends LibvirtError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('E_LIBVIRT_CLOSED', message, options);
  }
}

/** Nothing came in time. A call that was already sent may still be carried out. */
export class LibvirtDeadlineError extends LibvirtError {
  constructor(waitingFor: string, deadlineMs: number, options: ErrorOptions = {}) {
    super('E_LIBVIRT_DEADLINE', `no ${waitingFor} within ${deadlineMs} ms`, options);
  }
}

/** libvirt refused or failed a call. */
export class LibvirtCallError extends LibvirtError {
  readonly call: string;
  /** virErrorNumber: never changes its meaning. */
  readonly number: number;
  /** What can be done about it; `other` for the numbers that need no way of their own. */
  readonly class: LibvirtErrorClass;
  /** libvirt's own text: for people, not stable between releases. */
  readonly text: string;

  constructor(call: string, number: number, text: string, options: ErrorOptions = {}) {
    const what = errorClass(number);
    super('E_LIBVIRT_CALL', `libvirt refused '${call}': ${safeText(text, 1024)} (${what}, ${number})`, options);
    this.call = call;
    this.number = number;
    this.class = what;
    this.text = text;
  }
}

/** A definition is not XML that libvirt writes, or lacks what every domain has. */
export class LibvirtDefinitionError extends LibvirtError {
  constructor(why: string) {
    super('E_LIBVIRT_DEFINITION', `the definition cannot be read: ${safeText(why, 200)}`, {
      hint: 'Take it from libvirt: virsh dumpxml --migratable NAME.',
    });
  }
}
