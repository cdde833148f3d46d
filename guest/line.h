/* Building and sending lines of the wire. What does not fit into a line is cut, never written past its end. */
#ifndef SYNDROME_LINE_H
#define SYNDROME_LINE_H

#include "wire.h"

#include <stddef.h>
#include <stdint.h>

struct line {
	size_t n;
	char b[WIRE_MAX];
};

/* Where finished lines go: the agent queues them for the port, a subject or job writes them to its pipe. */
extern void (*emit)(const char *bytes, size_t len);

void put_bytes(struct line *l, const char *s, size_t len);
void put(struct line *l, const char *s);
void put_u64(struct line *l, uint64_t v);
void put_i64(struct line *l, int64_t v);
/* 0x and at least width digits. */
void put_hex(struct line *l, uint64_t v, unsigned width);
/* Percent-encodes as many of the bytes as fit; returns how many that were. */
size_t put_encoded(struct line *l, const char *s, size_t len);

/* The text so far as a NUL-terminated string, for paths. */
const char *line_text(struct line *l);

/* " name=" and then, in the others, the value. */
void key(struct line *l, const char *name);
void kv(struct line *l, const char *name, const char *value);
void kv_u64(struct line *l, const char *name, uint64_t v);
void kv_i64(struct line *l, const char *name, int64_t v);
/* u64 quantities (addresses, frames, raw entries): always 0x and 16 digits. */
void kv_hex(struct line *l, const char *name, uint64_t v);
/* signo= and signal=. */
void kv_signal(struct line *l, int signo);

void ok_begin(struct line *l, const char *id);
void event_begin(struct line *l, const char *name);
/* Adds t= and sends the line. */
void line_send(struct line *l);

void send_ok(const char *id);
/* "what" says what was attempted, "detail" (may be NULL) on what. */
void send_error(const char *id, int error, const char *what, const char *detail);
/* One data line of any length, in as many wire lines as it needs. */
void send_data(const char *id, const char *s, size_t len);

#endif
