/** What the room of notices throws, for `--explain`: what happened, and what to do. */
export const NOTIFY_ERROR_CODES: Readonly<Record<string, string>> = {
  E_NOTIFY_HOOK:
    'The program of a hook is no absolute path, is not there, cannot be run, or others may change it. It runs with the rights of the controller: it has to belong to root or to the controller’s user, and nobody else may write to it.',
  E_NOTIFY_SECRET:
    'A secret file is no secret: others may read it (chmod 600), it belongs to somebody else, or it holds no line `whsec_` with 24 to 64 bytes of base64.',
  E_NOTIFY_TEMPLATE: 'A template names a word that a notice does not have; the hint lists those it has.',
  E_NOTIFY_URL:
    'The URL of a webhook is not taken: it is no http or https, holds a password or a fragment, or is plain http and not in the allow list.',
};
