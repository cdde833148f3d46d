#ifndef SYNDROME_ENDS_H
#define SYNDROME_ENDS_H

/* A socket to `hub`, with a first line that says whose it is: TOKEN PID NAME. The descriptor, or a negative errno. */
long dial(const char *hub, const char *token, const char *name);

/*
 * Looks at what this process has open: each line of the lab (files below `folder`, sockets to it) is noted with its name. NULL,
 * or what would be shared with a copy and may not be; then `detail` says which.
 */
const char *find_ends(const char *folder, int control, char *detail, unsigned long room);

/*
 * In a copy: puts ends of its own under the old numbers, so that nothing is shared with the process that it was copied from.
 * Files get FIFOs `hub`.TOKEN.NAME, sockets are dialled to `hub`. 0, or a negative errno.
 */
long own_ends(const char *hub, const char *token, int control);

#endif
