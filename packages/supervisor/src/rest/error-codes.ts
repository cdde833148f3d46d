import type { RestCode } from './errors.ts';

/** What the API of a controller answers, for `--explain`: what happened, and what to do. */
export const REST_ERROR_CODES: Readonly<Record<RestCode, string>> = {
  E_API_BODY:
    'The body of the request is no JSON, or not as the document of the API (`syndrome api document`) has it; the text names the place.',
  E_API_CHANGED:
    'What is to be replaced is another one by now, or If-Match, which names what is to be replaced, is missing. Get it, look at it, and send its ETag.',
  E_API_CURSOR:
    'The cursor is none that this list has given, or a list was asked for in another order than the one that it is of. Begin at its start.',
  E_API_KEY:
    'Whatever orders needs a header Idempotency-Key: a text of the caller’s, a new one for each order. Sent again with the same key it is done once; a key that was used for another request is refused.',
  E_API_NONE: 'There is no host, VM, incident or act of that name.',
  E_API_OLDER:
    'What was known so long ago is made of too many inputs: a controller that is at work does not take them all once more for an answer. `syndrome store export` has the whole ledger.',
  E_API_PARAMETER: 'A parameter of the address is unknown here, given twice, or has no such value; the text names it.',
  E_API_REFUSED:
    'The controller does not do what was ordered, and says why. That it was ordered and refused stands in its ledger.',
  E_API_ROLE:
    'The token is good, and its roles do not cover this. They stand in the file of the site, under api: tokens.',
  E_API_SLOW:
    'What was ordered is not durable yet: the store does not answer. It may be done later: ask again with the same Idempotency-Key, and the answer says what became of it.',
  E_API_STANDBY:
    'This controller does not work at the moment: it waits for its lease, or for its store. Ask again, or another controller of the site.',
  E_API_TOKEN:
    'No token of the site was given, or it is over. It goes into the header `Authorization: Bearer TOKEN`; `syndrome api token NAME` makes one.',
};
