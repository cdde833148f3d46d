/** @module The way to a controller on another machine: TLS 1.3, and both sides show who they are. */
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { readTlsFiles } from '@syndrome/base/disk/tls-files.ts';
import { messageOf, SyndromeError } from '@syndrome/decode/common/errors.ts';
import type { ControllerPort } from './config.ts';

/**
 * Opens a connection to one of its addresses; the files are read anew, so that a new certificate needs no restart. Nothing is sent before the controller has shown a certificate
 * of the authority with the name that is asked for.
 * @throws SyndromeError E_AGENT_TLS for a file that cannot be read, or a key that others may read
 */
export function connectTls(address: string, { ca, cert, key }: ControllerPort): Socket {
  const files = readTlsFiles(
    { ca, cert, key },
    (which, file, cause) => new SyndromeError('E_AGENT_TLS', `${which}: ${file}: ${messageOf(cause)}`, { cause }),
  );
  const { hostname, port } = new URL(`tls://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  return connect({ ...files, host, port: Number(port), minVersion: 'TLSv1.3', rejectUnauthorized: true });
}
