#include "reader.h"

#include "io.h"

#include <string.h>

ssize_t read_lines(struct reader *in, int fd, const struct listener *to)
{
	/* One byte stays free: a line that fills the rest has no LF and is too long. */
	ssize_t n = read_some(fd, in->b + in->used, sizeof(in->b) - 1 - in->used);
	char *start = in->b, *end;

	if (n <= 0)
		return n;
	in->used += (size_t)n;
	while ((end = memchr(start, '\n', in->used - (size_t)(start - in->b))) != NULL) {
		size_t len = (size_t)(end - start);

		if (len > 0 && start[len - 1] == '\r')
			len--;
		start[len] = '\0';
		if (in->discarding)
			in->discarding = false;
		else
			to->line(start, len);
		start = end + 1;
	}
	in->used -= (size_t)(start - in->b);
	memmove(in->b, start, in->used);
	if (in->used == sizeof(in->b) - 1) {
		if (!in->discarding)
			to->too_long();
		in->discarding = true;
		in->used = 0;
	}
	return n;
}
