#include "line.h"

#include "io.h"
#include "names.h"

#include <stdbool.h>
#include <string.h>

void (*emit)(const char *bytes, size_t len);

static size_t line_room(const struct line *l)
{
	return l->n < WIRE_MAX - WIRE_TAIL ? WIRE_MAX - WIRE_TAIL - l->n : 0;
}

void put_bytes(struct line *l, const char *s, size_t len)
{
	size_t room = line_room(l);

	if (len > room)
		len = room;
	memcpy(l->b + l->n, s, len);
	l->n += len;
}

void put(struct line *l, const char *s)
{
	put_bytes(l, s, strlen(s));
}

static size_t digits(char out[24], uint64_t v, unsigned base)
{
	char tmp[24];
	size_t n = 0, i;

	do {
		tmp[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0);
	for (i = 0; i < n; i++)
		out[i] = tmp[n - 1 - i];
	return n;
}

void put_u64(struct line *l, uint64_t v)
{
	char d[24];

	put_bytes(l, d, digits(d, v, 10));
}

void put_i64(struct line *l, int64_t v)
{
	if (v < 0)
		put(l, "-");
	put_u64(l, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
}

void put_hex(struct line *l, uint64_t v, unsigned width)
{
	char d[24];
	size_t n = digits(d, v, 16);

	put(l, "0x");
	while (width-- > n)
		put(l, "0");
	put_bytes(l, d, n);
}

static bool plain(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '%';
}

size_t put_encoded(struct line *l, const char *s, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (line_room(l) < 3)
			break;
		if (plain(c)) {
			l->b[l->n++] = (char)c;
		} else {
			l->b[l->n++] = '%';
			l->b[l->n++] = hex[c >> 4];
			l->b[l->n++] = hex[c & 15];
		}
	}
	return i;
}

const char *line_text(struct line *l)
{
	l->b[l->n] = '\0';
	return l->b;
}

void key(struct line *l, const char *name)
{
	put(l, " ");
	put(l, name);
	put(l, "=");
}

void kv(struct line *l, const char *name, const char *value)
{
	key(l, name);
	put_encoded(l, value, strlen(value));
}

void kv_u64(struct line *l, const char *name, uint64_t v)
{
	key(l, name);
	put_u64(l, v);
}

void kv_i64(struct line *l, const char *name, int64_t v)
{
	key(l, name);
	put_i64(l, v);
}

void kv_hex(struct line *l, const char *name, uint64_t v)
{
	key(l, name);
	put_hex(l, v, 16);
}

void kv_signal(struct line *l, int signo)
{
	const char *name = signal_name(signo);

	kv_i64(l, "signo", signo);
	if (name != NULL) {
		kv(l, "signal", name);
	} else {
		key(l, "signal");
		put(l, "SIG");
		put_i64(l, signo);
	}
}

static void line_begin(struct line *l, const char *kind, const char *id)
{
	l->n = 0;
	put(l, kind);
	put(l, " ");
	put(l, id);
}

void line_send(struct line *l)
{
	char d[24];
	size_t n = digits(d, now_ns(), 10);

	memcpy(l->b + l->n, " t=", 3);
	memcpy(l->b + l->n + 3, d, n);
	l->n += 3 + n;
	l->b[l->n++] = '\n';
	emit(l->b, l->n);
}

void ok_begin(struct line *l, const char *id)
{
	line_begin(l, "R", id);
	put(l, " ok");
}

void event_begin(struct line *l, const char *name)
{
	line_begin(l, "E", name);
}

void send_ok(const char *id)
{
	struct line l;

	ok_begin(&l, id);
	line_send(&l);
}

void send_error(const char *id, int error, const char *what, const char *detail)
{
	const char *name = errno_name(error);
	struct line l;

	line_begin(&l, "R", id);
	put(&l, " err ");
	if (name != NULL) {
		put(&l, name);
	} else {
		put(&l, "E");
		put_i64(&l, error);
	}
	put(&l, " ");
	put_encoded(&l, what, strlen(what));
	if (detail != NULL) {
		put_encoded(&l, ": ", 2);
		put_encoded(&l, detail, strlen(detail));
	}
	line_send(&l);
}

void send_data(const char *id, const char *s, size_t len)
{
	struct line l;
	size_t done = 0;

	do {
		line_begin(&l, "D", id);
		put(&l, " ");
		done += put_encoded(&l, s + done, len - done);
		if (done < len)
			l.b[0] = 'C';
		l.b[l.n++] = '\n';
		emit(l.b, l.n);
	} while (done < len);
}
