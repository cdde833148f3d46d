import type { HttpCode } from './errors.ts';
import type { RefusalCode } from './problem.ts';

/** What a server throws or answers, for `--explain`: what happened, and what to do. */
export const HTTP_ERROR_CODES: Readonly<Record<HttpCode | RefusalCode, string>> = {
  E_HTTP_BODY:
    'A request came with a body where none is taken, with a longer one than is taken, or without its length beforehand.',
  E_HTTP_FAULT: 'The server failed at an answer: a fault of this program. Please report it.',
  E_HTTP_HOST:
    'The request names a host that is not this machine, as a page does that has turned its own name towards 127.0.0.1 (DNS rebinding). Use the address that was printed; through ssh -L a port of localhost.',
  E_HTTP_IN_USE:
    'Another program listens on the port, or on the socket. End it, name another one, or leave --port out: then a free one is taken.',
  E_HTTP_LISTEN: 'The system does not let the program listen there; the message says why.',
  E_HTTP_METHOD:
    'The address takes no such method; the header Allow names those that it takes. A server of pages only reads.',
  E_HTTP_NONE: 'There is nothing at that address. Begin at the one that was printed.',
  E_HTTP_ORIGIN: 'The request was made by a page of another origin. Such pages get nothing here.',
  E_HTTP_REQUEST: 'The request is not as HTTP has it, or too long, or came too slowly.',
  E_HTTP_SESSION:
    'The browser has no session with the server: other users of a machine can connect to a port too. Open the link that was printed; each is good for one browser. In the terminal of the server, Enter prints a new one.',
  E_HTTP_SOCKET:
    'The socket cannot lie there: its path is too long for one, something else lies there, or other users can get into the folder. Name a path in a folder of your own (mode 0700), or one that is not there yet.',
  E_HTTP_TOKEN:
    'The link was used before, or is none of this server. Each is good for one browser. If it was not you who used it, another user of this machine was faster: end the server and start it again.',
};
