/**
 * @module What every call of the client has in common: the token, problems as errors, the key of an order, events that are resumed. It uses
 * nothing but `fetch`, so that it runs in a browser, too; over a unix socket it uses Node's own HTTP.
 */
import { EventText } from '../client/event-text.ts';

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** A problem that the API has answered with (RFC 9457). */
export class ApiProblem extends Error {
  readonly status: number;
  /** Stays the same: `E_API_ROLE`. */
  readonly code: string;
  readonly hint: string | undefined;
  /** How soon it makes sense to ask again, s. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: Readonly<Record<string, unknown>>, retryAfter: string | null) {
    super(textOf(problem['detail']) ?? `the API answers with status ${status}`);
    this.name = 'ApiProblem';
    this.status = status;
    this.code = textOf(problem['code']) ?? '';
    this.hint = textOf(problem['hint']);
    this.retryAfter = retryAfter === null ? undefined : Number(retryAfter);
  }
}

/** An answer of the API. */
export interface ApiAnswer<T> {
  status: number;
  body: T;
  /** Changes with the body; what a change of it has to name. */
  etag: string | undefined;
  /** It was done before under this key, and this was answered then. */
  replayed: boolean;
}

/** An event of a stream. */
export interface ApiEvent {
  id: string | undefined;
  event: string;
  data: unknown;
}

/** Of any call. */
export interface CallOptions {
  signal?: AbortSignal;
}
/** Of what orders: the key by which it is done once; a new one where it is missing. */
export interface OrderOptions extends CallOptions {
  key?: string;
  /** The ETag of what is replaced. */
  ifMatch?: string;
}

/** What is sent: the part of `fetch` that is used. */
type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal?: AbortSignal },
) => Promise<Response>;

/** Where the API is, and who asks. */
export interface ClientOptions {
  /** `http://127.0.0.1:8470`, or the absolute path of a unix socket. */
  at: string;
  token: string;
  /** What the paths of a ledger begin with: `/shards/NAME` of a site that has several. */
  below?: string;
  /** In the place of the runtime's own. */
  fetch?: Fetch;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `fetch` over a unix socket. */
const overSocket =
  (socketPath: string): Fetch =>
  async (url, { method, headers, body, signal }) => {
    const [{ request }, { Readable }] = await Promise.all([import('node:http'), import('node:stream')]);
    const { pathname, search } = new URL(url);
    const length = body === undefined ? {} : { 'Content-Length': String(new TextEncoder().encode(body).length) };
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          socketPath,
          host: 'localhost',
          path: pathname + search,
          method,
          headers: { ...headers, ...length },
          ...(signal && { signal }),
        },
        response => {
          const status = response.statusCode ?? 0;
          const none = status === 204 || status === 304;
          const said = new Headers();
          for (const [name, value] of Object.entries(response.headers))
            if (value !== undefined) said.set(name, String(value));
          resolve(new Response(none ? null : (Readable.toWeb(response) as ReadableStream), { status, headers: said }));
        },
      );
      asked.on('error', reject).end(body);
    });
  };

export class ApiClient {
  readonly #base: string;
  readonly #token: string;
  readonly #fetch: Fetch;

  /** @example new SyndromeClient({ at: '/var/lib/syndrome/run/api.sock', token }) */
  constructor({ at, token, below = '', fetch: given }: ClientOptions) {
    const isSocket = at.startsWith('/');
    this.#base = `${isSocket ? 'http://localhost' : at.replace(/\/$/, '')}${below}`;
    this.#token = token;
    this.#fetch = given ?? (isSocket ? overSocket(at) : (url, init) => globalThis.fetch(url, init));
  }

  /** @throws ApiProblem; whatever `fetch` throws */
  protected async read<T>(path: string, query: Query = {}, { signal }: CallOptions = {}): Promise<ApiAnswer<T>> {
    return answerOf(await this.#call('GET', path, query, {}, undefined, signal));
  }

  /** @throws ApiProblem; whatever `fetch` throws: then the same key may be sent again */
  protected async send<T>(
    method: string,
    path: string,
    query: Query,
    body: unknown,
    { key = crypto.randomUUID(), ifMatch, signal }: OrderOptions = {},
  ): Promise<ApiAnswer<T>> {
    const headers = {
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
      ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch }),
    };
    return answerOf(await this.#call(method, path, query, headers, JSON.stringify(body), signal));
  }

  /** Events until the stream ends; who goes on begins with the id of the last one. */
  protected async *events(path: string, query: Query, { signal }: CallOptions = {}): AsyncGenerator<ApiEvent, void> {
    const response = await this.#call('GET', path, query, { Accept: 'text/event-stream' }, undefined, signal);
    if (!response.ok || response.body === null) throw await problemIn(response);
    const text = new EventText();
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream()))
      for (const { id, event, data } of text.push(chunk))
        if (data !== '') yield { id, event, data: JSON.parse(data) as unknown };
  }

  #call(
    method: string,
    path: string,
    query: Query,
    headers: Record<string, string>,
    body?: string,
    signal?: AbortSignal,
  ): Promise<Response> {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
    );
    return this.#fetch(`${this.#base}${path}${given.length === 0 ? '' : `?${given.join('&')}`}`, {
      method,
      headers: { Accept: 'application/json', Authorization: `Bearer ${this.#token}`, ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

async function problemIn(response: Response): Promise<ApiProblem> {
  const problem = (await response.json().catch(() => ({}))) as Readonly<Record<string, unknown>>;
  return new ApiProblem(response.status, problem, response.headers.get('retry-after'));
}

async function answerOf<T>(response: Response): Promise<ApiAnswer<T>> {
  if (!response.ok) throw await problemIn(response);
  return {
    status: response.status,
    body: (await response.json()) as T,
    etag: response.headers.get('etag') ?? undefined,
    replayed: response.headers.get('idempotency-replayed') === 'true',
  };
}
