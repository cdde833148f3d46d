import type { RestCode } from './errors.ts';

/** What the API of a controller answers, for `--explain`: what happened, and what to do. */
export const REST_ERROR_CODES: Readonly<Record<RestCode, string>> = {
  E_API_BODY:
    'The body of the request is no JSON, or not as the document of the API (`syndrome api document`) has it; the text names the place.',
  E_API_CURSOR:
    'The cursor is none that this list has given, or a list was asked for in another order than the one that it is of. Begin at its start.',
  E_API_NONE: 'There is no host, VM, incident or act of that name.',
  E_API_PARAMETER: 'A parameter of the address is unknown here, given twice, or has no such value; the text names it.',
  E_API_ROLE:
    'The token is good, and its roles do not cover this. They stand in the file of the site, under api: tokens.',
  E_API_STANDBY:
    'This controller does not work at the moment: it waits for its lease, or for its store. Ask again, or another controller of the site.',
  E_API_TOKEN:
    'No token of the site was given, or it is over. It goes into the header `Authorization: Bearer TOKEN`; `syndrome api token NAME` makes one.',
};
