/** @module With what a server shows who it is: a certificate and its key, and the names that it answers for. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { readTlsFiles } from '../disk/tls-files.ts';
import { HttpError } from './errors.ts';

/** Paths of a certificate, with those between it and its authority, and of its key of mode 0600; PEM. */
interface CertFiles {
  cert: string;
  key: string;
}

export class Certified {
  readonly #files: CertFiles;
  #read: { cert: string; key: string };
  #certificate: X509Certificate;

  /** @throws HttpError E_HTTP_LISTEN for a file that cannot be read, a key that others may read, or what is no certificate */
  constructor(files: CertFiles) {
    this.#files = files;
    [this.#read, this.#certificate] = this.#look();
  }

  #look(): [CertFiles, X509Certificate] {
    const wrong = (what: string, cause: unknown): HttpError =>
      new HttpError('E_HTTP_LISTEN', `${what}: ${messageOf(cause)}`, { cause });
    const { cert = '', key = '' } = readTlsFiles(this.#files, (which, file, cause) =>
      wrong(`${which}: ${file}`, cause),
    );
    try {
      const certificate = new X509Certificate(cert);
      return [{ cert, key }, certificate];
    } catch (cause) {
      throw wrong(`cert: ${this.#files.cert}`, cause);
    }
  }

  /** What a server of TLS is made with. */
  get context(): CertFiles {
    return this.#read;
  }

  /** Whether it is the certificate of a name or an address. */
  answersFor(name: string): boolean {
    const bare = name.replace(/^\[|\]$/g, '');
    const found = isIP(bare) === 0 ? this.#certificate.checkHost(bare) : this.#certificate.checkIP(bare);
    return found !== undefined;
  }

  /** Reads the files anew. @returns whether there is another certificate @throws HttpError: it stays that of before */
  renew(): boolean {
    const [read, certificate] = this.#look();
    if (read.cert === this.#read.cert && read.key === this.#read.key) return false;
    [this.#read, this.#certificate] = [read, certificate];
    return true;
  }
}
