/** The monitor of a VM in another machine, handed on by a unix socket of this one: what it answers and what it tells is its own. */
import { renameSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import type { QmpClient } from '@syndrome/qemu/qmp/client.ts';

const GREETING = {
  QMP: { version: { qemu: { micro: 3, minor: 1, major: 11 }, package: 'relayed' }, capabilities: [] },
};

interface Command {
  execute?: string;
  arguments?: object;
  id?: unknown;
}

/** 64-bit values of a monitor are beyond what JSON.stringify takes; none that an agent asks for is beyond 2^53. */
const json = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v));

/**
 * Listens at `path` until it is closed. Events have no time there: the clock of a machine whose kept state was restored stands
 * where it was kept. Nobody in this machine's /proc listens at `path`, because no process of this machine is the VM.
 */
export async function relayQmp(monitor: QmpClient, path: string): Promise<{ close(): void }> {
  const clients = new Set<Socket>();
  const say = (client: Socket, message: object): void => void client.write(`${json(message)}\r\n`);
  const answer = async (client: Socket, { execute = '', arguments: given, id }: Command): Promise<void> => {
    try {
      const value = execute === 'qmp_capabilities' ? {} : await monitor.execute(execute, given);
      say(client, { return: value, id });
    } catch (error) {
      say(client, { error: { class: 'GenericError', desc: messageOf(error) }, id });
    }
  };
  const unlisten = monitor.onEvent(({ event, data }) => {
    for (const client of clients) say(client, { event, data });
  });
  const server = createServer(client => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
    client.on('error', () => undefined);
    say(client, GREETING);
    createInterface({ input: client }).on('line', line => void answer(client, JSON.parse(line) as Command));
  });
  server.listen(`${path}.there`);
  await once(server, 'listening');
  renameSync(`${path}.there`, path);
  return {
    close: () => {
      unlisten();
      for (const client of clients) client.destroy();
      server.close();
    },
  };
}
