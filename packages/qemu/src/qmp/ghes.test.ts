import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { QmpClient } from './client.ts';
import { ghesRefusals, injectGhes } from './ghes.ts';
import { type Peer, type PeerServer, peerServer } from './testing/peer.ts';

let server: PeerServer;
let peer: Peer;
let client: QmpClient;
beforeAll(async () => {
  server = await peerServer();
  const pair = await server.pair();
  peer = pair.peer;
  [client] = await Promise.all([QmpClient.attach(pair.socket), peer.greet()]);
});
afterAll(async () => {
  await client.close();
  await server.close();
});

/** Plays an arm64 machine with RAS and firmware up to the injection; returns what was sent. */
async function injection(answer: object): Promise<unknown> {
  for (;;) {
    const { execute, arguments: args, id } = await peer.command();
    if (execute === 'query-commands') await peer.say({ return: [{ name: 'inject-ghes-v2-error' }], id });
    else if (execute === 'qom-get') await peer.say({ return: true, id });
    else if (execute === 'qom-list') await peer.say({ return: [{ name: 'device[9]', type: 'child<acpi-ged>' }], id });
    else {
      await peer.say({ ...answer, id });
      return args;
    }
  }
}

describe('injectGhes', () => {
  test('sends any block as base64 QEMU can read, views into larger buffers included', async () => {
    const sizes = { minLength: 1, maxLength: 1024 };
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(sizes), fc.nat(64), async (bytes, offset) => {
        const larger = new Uint8Array(bytes.length + 128).fill(0xee);
        larger.set(bytes, offset);
        const view = larger.subarray(offset, offset + bytes.length);
        const [sent] = await Promise.all([injection({ return: {} }), injectGhes(client, view)]);
        const { cper } = sent as { cper: string };
        expect(cper).toMatch(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
        expect(new Uint8Array(Buffer.from(cper, 'base64'))).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
  });

  // The first and the last text were seen in QEMU 11.1.3; the others are from its source.
  test.each([
    ['GHES QMP error inject is not compiled in', 'E_GHES_NOT_COMPILED'],
    ['GHES CPER record is too big: 1028', 'E_GHES_TOO_BIG'],
    ['HEST: Source 1 not found.', 'E_GHES_NO_SOURCE'],
    ['HEST: type 9 not supported.', 'E_GHES_SOURCE_TYPE'],
    ['something new', 'E_GHES_REFUSED'],
    [
      'OSPM does not acknowledge previous error, so can not record CPER for current error anymore',
      'E_GHES_NOT_ACKNOWLEDGED',
    ],
  ])('explains: %s', async (desc, code) => {
    const refused = injectGhes(client, Uint8Array.of(1)).catch((error: unknown) => error);
    await injection({ error: { class: 'GenericError', desc } });
    expect(await refused).toMatchObject({ name: 'QmpInjectError', code, cause: { desc } });
  });

  test('every refusal has its own code', () => {
    expect(new Set(ghesRefusals.map(r => r.code)).size).toBe(ghesRefusals.length);
  });
});
