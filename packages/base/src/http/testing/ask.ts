/** Requests as no browser makes them: any host, any method, any bytes. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a server answers. @param to a port of 127.0.0.1, or the path of a socket */
export async function ask(
  to: number | string,
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const where = typeof to === 'number' ? { host: '127.0.0.1', port: to } : { socketPath: to, host: 'localhost' };
  const asked = request({ ...where, path, method, headers, agent: false });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}

/** What a server says to bytes, until it ends the connection. */
export async function say(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  let text = '';
  socket.setEncoding('utf8').on('data', chunk => (text += String(chunk)));
  // Where it still sends what is not read, its end of the connection breaks off.
  socket.on('error', () => {});
  await new Promise<void>(resolve => socket.on('close', () => resolve()));
  return text;
}
