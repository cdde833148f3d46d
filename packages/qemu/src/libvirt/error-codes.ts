/** What the libvirt room throws, for `--explain`: what happened, and what to do. */
export const LIBVIRT_ERROR_CODES: Readonly<Record<string, string>> = {
  E_LIBVIRT_BAD_DEADLINE: 'A deadline is not a positive, finite time in milliseconds (at most 24 days).',
  E_LIBVIRT_CALL:
    'libvirt refused a call or failed in it; its own words, its error number and the class of that number are in the message.',
  E_LIBVIRT_CLOSED:
    'The connection to libvirt’s daemon ended while something was asked, or before; the call may or may not have been done. Look at the daemon’s log, and whether it runs.',
  E_LIBVIRT_CONNECT:
    'Nobody answers at libvirt’s socket, or the daemon wants a login. Start libvirtd or virtqemud, check the path, and use a user who may open it.',
  E_LIBVIRT_DEADLINE:
    'libvirt’s daemon did not answer in time, or not to a keepalive. A call that was sent may still be carried out.',
  E_LIBVIRT_DEFINITION:
    'A domain definition is not XML as libvirt writes it, is larger than what is read, or lacks what every domain has. Take it from libvirt: virsh dumpxml --migratable.',
  E_LIBVIRT_PROTOCOL:
    'The peer sent something that is not libvirt’s RPC; nothing after it can be trusted, so the connection was closed.',
};
