/** @module What PostgreSQL's codes mean for us. postgresql.org/docs/current/errcodes-appendix.html */
import { messageOf } from '@syndrome/decode/common/errors.ts';
import { type StoreCode, StoreError } from './errors.ts';

/** By SQLSTATE, else by its class (the first two characters). */
const CODES: Readonly<Record<string, StoreCode>> = {
  '08': 'E_STORE_LOST', // connection exception
  '25006': 'E_STORE_LOST', // read-only: it was the primary, and is one no more
  '25P03': 'E_STORE_LOST', // idle in a transaction for too long
  '28': 'E_STORE_OPEN', // authentication
  '3D000': 'E_STORE_OPEN', // no such database
  '3F000': 'E_STORE_OPEN', // no schema
  '40': 'E_STORE_BUSY', // serialization failure, deadlock
  '42501': 'E_STORE_OPEN', // no right
  '53': 'E_STORE_BUSY', // out of memory, too many connections
  '53100': 'E_STORE_FULL', // disk full
  '55P03': 'E_STORE_BUSY', // a lock was not got in time
  '57014': 'E_STORE_BUSY', // the time of a statement was over
  '57P01': 'E_STORE_LOST', // shut down
  '57P02': 'E_STORE_LOST', // another one of its processes has crashed
  '57P03': 'E_STORE_LOST', // it starts
  '57P04': 'E_STORE_LOST', // the database was dropped
  '57P05': 'E_STORE_LOST', // idle for too long
  '58': 'E_STORE_IO', // input and output
  XX001: 'E_STORE_DAMAGED',
  XX002: 'E_STORE_DAMAGED',
};

/** Of TLS (nodejs.org/api/tls.html, "X509 certificate error codes"), and of what is read for it: it does not pass by itself. */
const TLS =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH)/;

/** Another transaction was in the way: the same may be tried again at once. */
export const isConflict = (error: unknown): boolean => ['40001', '40P01'].includes(stateOf(error) ?? '');

/** The server has answered, so that it is known what became of the statement. */
export const isAnswer = (error: unknown): boolean => {
  const state = stateOf(error);
  return state !== undefined && codeOf(state) !== 'E_STORE_LOST';
};

const codeOf = (state: string): StoreCode => CODES[state] ?? CODES[state.slice(0, 2)] ?? 'E_STORE_SQL';

/** An error of the server has five characters, and says how grave it is. */
function stateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && severity !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** The error for people behind one of PostgreSQL or of the network; a StoreError stays what it is. Nothing secret is in it. */
export function postgresError(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  const state = stateOf(error);
  const { code } = (error ?? {}) as { code?: unknown };
  const without: StoreCode = typeof code === 'string' && TLS.test(code) ? 'E_STORE_OPEN' : 'E_STORE_LOST';
  return new StoreError(state === undefined ? without : codeOf(state), `${what}: ${messageOf(error)}`, {
    cause: error,
  });
}
