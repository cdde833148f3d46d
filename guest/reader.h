/* Lines from a file descriptor, in a buffer of one line. */
#ifndef SYNDROME_READER_H
#define SYNDROME_READER_H

#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct reader {
	size_t used;
	bool discarding; /* inside a line that was too long */
	char b[WIRE_MAX];
};

/* Who gets the lines. */
struct listener {
	/* A whole line of len bytes, its LF or CR LF replaced by NUL. */
	void (*line)(char *text, size_t len);
	/* A line does not fit: told once, and the rest of it is dropped. */
	void (*too_long)(void);
};

/* Reads once and hands on every line that is whole now. The bytes read, 0 at the end of the file, -1 with errno. */
ssize_t read_lines(struct reader *in, int fd, const struct listener *to);

#endif
