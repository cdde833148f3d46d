/**
 * @module A port for agents of other machines. Both sides show who they are by certificates of the site's own authority (TLS 1.3): an agent is the
 * host that its certificate names, and no other.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { readTlsFiles, type TlsFiles } from '@syndrome/base/disk/tls-files.ts';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { ControllerError } from './errors.ts';
import type { Listening } from './listen.ts';

/** Where agents come, and with what both sides show who they are. */
export interface AgentPort {
  address: string;
  port: number;
  tls: TlsFiles;
}

/** Whether nothing else is wrong than that another process has the port. */
export const isTaken = (error: unknown): boolean =>
  error instanceof ControllerError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';

/** How long a peer may take until it has shown who it is, ms. */
const HANDSHAKE_MS = 10_000;
/** How often the files are looked at, ms. */
const RENEW_MS = 60_000;
/** Connections at a time: hosts of a large site, and those that come anew. */
const MAX_CONNECTIONS = 25_000;

/** The one common name of a certificate that was checked; several, or none, are nobody. */
function nameIn(socket: TLSSocket): string | undefined {
  const { CN } = socket.getPeerCertificate().subject ?? {};
  return typeof CN === 'string' && CN !== '' ? CN : undefined;
}

/**
 * Listens for agents over TLS. Who shows no certificate of the authority, or one that was called back, gets no connection.
 * @param connection takes one whose peer is known, with the name in its certificate
 * @param renewMs how often the files are read again, ms
 * @throws ControllerError E_CONTROLLER_LISTEN
 */
export async function listenTls(
  { address, port, tls }: AgentPort,
  connection: (socket: Socket, identity: string) => void,
  log: (line: string) => void,
  renewMs: number = RENEW_MS,
): Promise<Listening & { port: number }> {
  const failed = (why: string, cause: unknown): ControllerError =>
    new ControllerError('E_CONTROLLER_LISTEN', `cannot listen at ${address}:${port}: ${why}`, { cause });
  const read = (): ReturnType<typeof readTlsFiles> =>
    readTlsFiles(tls, (which, file, cause) => failed(`${which}: ${file}: ${messageOf(cause)}`, cause));
  const sockets = new Set<Socket>();
  let known = read();
  let server: Server;
  try {
    server = createServer(
      {
        ...known,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
        handshakeTimeout: HANDSHAKE_MS,
      },
      socket => {
        socket.on('error', () => {});
        const identity = nameIn(socket);
        if (identity === undefined) socket.destroy();
        else connection(socket, identity);
      },
    );
  } catch (cause) {
    throw failed('its certificate or key', cause);
  }
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {}); // of one connection; who it was nobody knows
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (cause) {
    throw failed('the system refuses', cause);
  }
  server.on('error', () => {});
  const renew = setInterval(() => {
    try {
      const now = read();
      if (JSON.stringify(now) === JSON.stringify(known)) return;
      server.setSecureContext({ ...now, minVersion: 'TLSv1.3' });
      known = now;
      log('the certificates for agents are new ones');
    } catch (error) {
      log(`the certificates for agents stay those of before: ${messageOf(error)}`);
    }
  }, renewMs);
  renew.unref();
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise(resolve => {
        clearInterval(renew);
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
