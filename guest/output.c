#include "output.h"

#include "line.h"
#include "state.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static struct {
	size_t head, tail;
	uint64_t dropped;
	char b[OUT_MAX];
} out;

size_t out_room(void)
{
	return OUT_MAX - (out.tail - out.head);
}

bool out_waiting(void)
{
	return out.head < out.tail;
}

void out_queue(const char *bytes, size_t len)
{
	if (out_room() < len) {
		out.dropped++;
		return;
	}
	if (OUT_MAX - out.tail < len) {
		memmove(out.b, out.b + out.head, out.tail - out.head);
		out.tail -= out.head;
		out.head = 0;
	}
	memcpy(out.b + out.tail, bytes, len);
	out.tail += len;
}

void out_flush(void)
{
	while (out.head < out.tail) {
		ssize_t n = write(agent.port_fd, out.b + out.head, out.tail - out.head);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		out.head += (size_t)n;
	}
	out.head = out.tail = 0;
	if (out.dropped != 0) {
		struct line l;

		event_begin(&l, "dropped");
		kv_u64(&l, "lines", out.dropped);
		out.dropped = 0;
		line_send(&l);
	}
}
