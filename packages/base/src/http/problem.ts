/** @module What a server says instead of an answer: RFC 9457 for programs, a few words for a person who looks at it. */
import { STATUS_CODES } from 'node:http';
import { escapeMarkup } from '@syndrome/decode/common/markup.ts';

/** Why a request is refused, by a code that stays the same. */
export type RefusalCode =
  | 'E_HTTP_BODY'
  | 'E_HTTP_FAULT'
  | 'E_HTTP_HOST'
  | 'E_HTTP_METHOD'
  | 'E_HTTP_NONE'
  | 'E_HTTP_ORIGIN'
  | 'E_HTTP_REQUEST'
  | 'E_HTTP_SESSION'
  | 'E_HTTP_TOKEN';

/** A refusal, thrown by whoever finds its cause; the server makes a response of it. */
export class Refusal extends Error {
  readonly status: number;
  /** One of {@link RefusalCode}, or one of the room that answers. */
  readonly code: string;
  /** What to do; undefined where nothing helps. */
  readonly hint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    { hint, headers = {} }: { hint?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.headers = headers;
  }
}

/** What a response consists of, whoever sends it. */
interface Written {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A refusal as RFC 9457 has it. Of `about:blank` the title is that of the status (4.2.1). */
export const problemOf = ({ status, code, message, hint }: Refusal): Readonly<Record<string, unknown>> => ({
  type: 'about:blank',
  title: titleOf(status),
  status,
  detail: message,
  code,
  ...(hint === undefined ? {} : { hint }),
});

const titleOf = (status: number): string => STATUS_CODES[status] ?? 'Error';

/**
 * A refusal as a response.
 * @param accept the request's header: a browser that opens a page gets HTML, everything else `application/problem+json`
 * @example writeRefusal(new Refusal(404, 'E_HTTP_NONE', 'there is nothing at /x'), undefined).status // 404
 */
export function writeRefusal(refusal: Refusal, accept: string | undefined): Written {
  const { status, code, message, hint, headers } = refusal;
  const title = titleOf(status);
  if (accept?.includes('text/html') === true) {
    const said = [message, ...(hint === undefined ? [] : [hint]), `[${code}]`].map(
      line => `<p>${escapeMarkup(line)}</p>`,
    );
    const body = `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${title}</title>\n<h1>${title}</h1>\n${said.join('\n')}\n</html>\n`;
    return { status, headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8' }, body };
  }
  return {
    status,
    headers: { ...headers, 'Content-Type': 'application/problem+json' },
    body: `${JSON.stringify(problemOf(refusal))}\n`,
  };
}
