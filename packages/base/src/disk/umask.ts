/** The modes of what is made. */
let users: number | undefined;

/**
 * From now on what this process and its children make belongs to their user alone (0700, 0600), whatever the umask: caches,
 * states and sockets are nobody else's, and a umask that takes rights from the user (0777) stops nothing. For the start of
 * the program; files that the user asks for are made with {@link outputMode}.
 */
export function makePrivately(): void {
  users ??= process.umask(0o077);
}

/** The mode of a file that the user asked for: what the umask of the program leaves of 0666. */
export function outputMode(): number {
  return 0o666 & ~(users ?? process.umask());
}

/** The mode of a folder that the user asked for. */
export function outputFolderMode(): number {
  return 0o777 & ~(users ?? process.umask());
}
