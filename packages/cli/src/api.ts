import { UsageError } from '@syndrome/decode/common/errors.ts';
import { apiDocument } from '@syndrome/supervisor/rest/routes.ts';
import { newToken } from '@syndrome/supervisor/rest/tokens.ts';
import { type GlobalOptions, print, printJson } from './output.ts';

/** The document, as the server gives it. */
export const document = (): void => printJson(apiDocument(), 2);

/** A new token. It is nowhere else: who loses it makes another one. */
export function token(name: string, options: GlobalOptions & { json?: boolean }): void {
  if (!/^[\w.-]{1,63}$/.test(name))
    throw new UsageError('E_USAGE', 'a name has up to 63 letters, digits, dots, dashes and underscores');
  const made = newToken();
  if (options.json === true) return printJson({ schemaVersion: 1, name, ...made });
  print(`token (it is shown this once)   ${made.token}`);
  print(`for api: tokens: of the site    { name: ${name}, roles: [viewer], sha256: '${made.sha256}' }`);
}
