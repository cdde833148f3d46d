/* Requests of the wire: parsing, and the values of their arguments. */
#ifndef SYNDROME_REQUEST_H
#define SYNDROME_REQUEST_H

#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value {
	const char *key;
	char *text; /* decoded and NUL-terminated; may hold NUL bytes */
	size_t len;
};

/* Points into the line it was parsed from. */
struct request {
	const char *id;
	const char *command;
	size_t count;
	struct value values[KEYS_MAX];
};

/*
 * Parses a NUL-terminated line in place. Returns NULL, or what is wrong with it; r->id is then set if the line had a
 * usable id, else NULL.
 */
const char *parse_request(char *text, size_t len, struct request *r);

/* The argument of that name, or NULL. */
const struct value *arg(const struct request *r, const char *name);
/* The argument as text without NUL bytes, or the default. */
const char *arg_text(const struct request *r, const char *name, const char *otherwise);
/* The argument as a number in [min, max]; absent gives the default. False when it is present and wrong. */
bool arg_u64(const struct request *r, const char *name, uint64_t otherwise, uint64_t min, uint64_t max, uint64_t *out);

/* Names of subjects and mappings: they become a comm and appear on the wire, so they stay plain. */
bool valid_name(const char *s);
/* Decimal, or hexadecimal after 0x; false when it is neither or needs more than 64 bits. */
bool parse_u64(const char *s, uint64_t *out);
/* A signal by name (SIGBUS) or number; 0 when it is neither. */
int parse_signal(const char *s);
/* Whether a space-separated list holds the word. */
bool listed(const char *list, const char *word);
/* The next word of a text of words between blanks, NUL-terminated in place; NULL at the end. */
char *next_word(char **cursor);

#endif
