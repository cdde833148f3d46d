/** Certificates of an authority of the tests: X.509 v3 (RFC 5280) with Ed25519 keys (RFC 8410), in DER and PEM. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

type Bytes = Uint8Array;

/** Tag, length, content (X.690, 8.1). */
function der(tag: number, ...content: readonly Bytes[]): Bytes {
  const body = Buffer.concat(content);
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
const sequence = (...content: readonly Bytes[]): Bytes => der(0x30, ...content);
const text = (tag: number, value: string): Bytes => der(tag, Buffer.from(value));
/** An object identifier whose parts are small; the first two in one byte. */
const oid = (...bytes: number[]): Bytes => der(0x06, Buffer.from(bytes));

const ED25519 = sequence(oid(0x2b, 0x65, 0x70));
const nameOf = (...names: string[]): Bytes =>
  sequence(...names.map(name => der(0x31, sequence(oid(0x55, 0x04, 0x03), text(0x0c, name)))));
const time = (ms: number): Bytes =>
  text(
    0x17,
    `${new Date(ms)
      .toISOString()
      .replaceAll(/[-:T]|\.\d+/g, '')
      .slice(2)}`,
  );
const pem = (label: string, bytes: Bytes): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;

interface Certified {
  serial: Uint8Array;
  cert: string;
  key: string;
}

const DAY = 86_400_000;
/** Positive, and as long as it is. */
function newSerial(): Uint8Array {
  const serial = randomBytes(8);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

/** An authority, which makes certificates. */
export class Authority {
  readonly cert: string;
  readonly #key: KeyObject;
  readonly #name: string;

  constructor(name = 'Tests') {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    [this.#key, this.#name] = [privateKey, name];
    const serial = newSerial();
    const isCa = sequence(
      oid(0x55, 0x1d, 0x13),
      der(0x01, Buffer.from([0xff])),
      der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
    );
    this.cert = this.#sign(serial, publicKey, [name], [isCa], DAY);
  }

  /**
   * A certificate with these common names.
   * @param dns what the peer is called that a client connects to
   * @param lastsMs until it is over, ms from now; negative for one that is
   */
  issue(names: readonly string[], dns?: string, lastsMs = DAY): Certified {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const alternative =
      dns === undefined ? [] : [sequence(oid(0x55, 0x1d, 0x11), der(0x04, sequence(text(0x82, dns))))];
    const serial = newSerial();
    return {
      serial,
      cert: this.#sign(serial, publicKey, names, alternative, lastsMs),
      key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    };
  }

  /** A list of certificates that are called back (RFC 5280, 5.1). */
  callBack(...called: readonly Certified[]): string {
    const now = Date.now();
    const body = sequence(
      der(0x02, Buffer.from([1])),
      ED25519,
      nameOf(this.#name),
      time(now - DAY),
      time(now + DAY),
      sequence(...called.map(({ serial }) => sequence(der(0x02, serial), time(now - DAY)))),
    );
    return pem('X509 CRL', sequence(body, ED25519, this.#signature(body)));
  }

  #signature(body: Bytes): Bytes {
    return der(0x03, Buffer.from([0]), sign(null, body, this.#key));
  }

  #sign(
    serial: Bytes,
    publicKey: KeyObject,
    names: readonly string[],
    extensions: readonly Bytes[],
    lastsMs: number,
  ): string {
    const now = Date.now();
    const body = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, serial),
      ED25519,
      nameOf(this.#name),
      sequence(time(now - 2 * DAY), time(now + lastsMs)),
      nameOf(...names),
      publicKey.export({ format: 'der', type: 'spki' }),
      ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
    );
    return pem('CERTIFICATE', sequence(body, ED25519, this.#signature(body)));
  }
}
