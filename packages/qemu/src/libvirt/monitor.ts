/**
 * @module The monitor of a domain's QEMU, which libvirt keeps for itself: it passes commands on (`virsh qemu-monitor-command`), and
 * tells of events by its own. Spoken as QMP, so that whoever speaks it to a QEMU speaks it to a domain.
 */
import { StringDecoder } from 'node:string_decoder';
import { Duplex } from 'node:stream';
import { QmpClient } from '../qmp/client.ts';
import { parseJson, stringifyJson } from '../qmp/json.ts';
import type { Domain } from './calls.ts';
import { LibvirtClient } from './client.ts';
import type { LibvirtEvent } from './events.ts';

/** How long QEMU may take for one command, ms. */
const COMMAND_MS = 30_000;
/** No command of QMP that we send is longer, bytes. */
const MAX_COMMAND = 1 << 20;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A memory-failure event of libvirt in QMP's words (qapi/run-state.json, MEMORY_FAILURE). */
function qmpEventOf(e: LibvirtEvent & { event: 'memory-failure' }): object {
  const flags = { 'action-required': e.actionRequired, recursive: e.recursive };
  return { event: 'MEMORY_FAILURE', data: { recipient: e.recipient, action: e.action, flags } };
}

/** The server's end of a QMP connection: each command goes through libvirt, one after the other. */
class DomainMonitor extends Duplex {
  readonly #client: LibvirtClient;
  readonly #domain: Domain;
  readonly #stop: () => void;
  #rest = '';
  /** A character may come in two pieces. */
  readonly #decoder = new StringDecoder('utf8');
  #last: Promise<void> = Promise.resolve();

  constructor(client: LibvirtClient, domain: Domain, version: unknown) {
    super();
    this.#client = client;
    this.#domain = domain;
    this.#stop = client.onEvent(e => {
      if (e.event === 'memory-failure' && e.domain.uuid === domain.uuid) this.#say(qmpEventOf(e));
    });
    void client.closed.then(why => this.destroy(why));
    this.#say({ QMP: { version, capabilities: [] } });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: unknown, done: (error?: Error) => void): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_COMMAND) return done(new RangeError('a command that has no end'));
    for (const line of lines)
      this.#last = this.#last.then(() => this.#pass(line)).catch((error: unknown) => void this.destroy(error as Error));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stop();
    void this.#client.close().then(() => done(error));
  }

  async #pass(line: string): Promise<void> {
    const message = parseJson(line);
    if (!isObject(message)) throw new TypeError('a command that is no object');
    const { id, ...command } = message;
    // libvirt has negotiated already.
    if (command['execute'] === 'qmp_capabilities') return this.#say({ return: {}, id });
    const args = { domain: this.#domain, command: stringifyJson(command) };
    const answer = parseJson(await this.#client.call('domain-monitor-command', args, COMMAND_MS));
    if (!isObject(answer)) throw new TypeError('an answer of QEMU that is no object');
    this.#say({ ...answer, id });
  }

  #say(message: object): void {
    if (!this.destroyed) this.push(`${stringifyJson(message)}\r\n`);
  }
}

/**
 * Speaks to the QEMU of a domain that runs. libvirt marks the domain as tainted (`custom-monitor`) until it is started anew. Of events only
 * MEMORY_FAILURE comes, and beside the answers: `injectMce` wants `lateMs`. Closing it ends the connection to libvirt.
 * @param uuid of the domain
 * @throws LibvirtError, QmpError
 * @example const qmp = await domainMonitor({ path: '/run/libvirt/libvirt-sock' }, uuid); await qmp.execute('query-status');
 */
export async function domainMonitor(
  { path, uri }: { path: string; uri?: string },
  uuid: string,
  signal?: AbortSignal,
): Promise<QmpClient> {
  const ended = signal === undefined ? {} : { signal };
  const client = await LibvirtClient.connect({ path }, { ...(uri === undefined ? {} : { uri }), ...ended });
  try {
    await client.listen();
    const domain = await client.call('domain-lookup-by-uuid', { uuid });
    const command = stringifyJson({ execute: 'query-version' });
    const said = parseJson(await client.call('domain-monitor-command', { domain, command }, COMMAND_MS));
    const version = isObject(said) ? said['return'] : undefined;
    return await QmpClient.attach(new DomainMonitor(client, domain, version), ended);
  } catch (error) {
    await client.close();
    throw error;
  }
}
