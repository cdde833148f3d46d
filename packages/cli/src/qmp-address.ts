import { UsageError } from '@syndrome/decode/common/errors.ts';
import type { SocketAddress } from '@syndrome/qemu/socket/connect.ts';

/** `--qmp`: a path (also `unix:PATH`), or `host:port` (also `tcp:host:port`). @throws UsageError. */
export function qmpAddress(text: string): SocketAddress {
  const unix = /^unix:(?<path>[^,]+)/.exec(text)?.groups?.path;
  if (unix !== undefined) return { path: unix };
  const tcp = /^(?:tcp:)?(?<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]*):(?<port>\d{1,5})$/.exec(text)?.groups;
  if (tcp && !text.includes('/')) {
    const port = Number(tcp.port);
    if (port < 1 || port > 65_535) throw new UsageError('E_USAGE', `${text}: there is no port ${port}`);
    return { host: tcp.host === '' ? '127.0.0.1' : String(tcp.host).replace(/^\[|\]$/g, ''), port };
  }
  if (text === '')
    throw new UsageError('E_USAGE', '--qmp is empty', { hint: 'Give the path of the socket, or host:port.' });
  return { path: text };
}
