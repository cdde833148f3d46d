#include "request.h"

#include "names.h"

#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decodes in place; false on a broken escape. */
static bool percent_decode(char *s, size_t *len)
{
	size_t in = 0, out = 0;

	while (s[in] != '\0') {
		if (s[in] == '%') {
			int hi = hex_digit(s[in + 1]);
			int lo = hi < 0 ? -1 : hex_digit(s[in + 2]);

			if (lo < 0)
				return false;
			s[out++] = (char)(hi * 16 + lo);
			in += 3;
		} else {
			s[out++] = s[in++];
		}
	}
	s[out] = '\0';
	*len = out;
	return true;
}

static bool valid_id(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > ID_MAX || s[0] == '0')
		return false;
	return strspn(s, "0123456789") == n;
}

bool valid_name(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= NAME_MAX_LEN &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

char *next_word(char **cursor)
{
	char *s = *cursor, *end;

	while (*s == ' ')
		s++;
	if (*s == '\0')
		return NULL;
	end = s;
	while (*end != '\0' && *end != ' ')
		end++;
	*cursor = *end == '\0' ? end : end + 1;
	*end = '\0';
	return s;
}

const char *parse_request(char *text, size_t len, struct request *r)
{
	char *cursor = text, *word;

	r->id = NULL;
	r->command = NULL;
	r->count = 0;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e)
			return "byte outside printable ASCII";
	word = next_word(&cursor);
	if (word == NULL || !valid_id(word))
		return "line does not start with a request id";
	r->id = word;
	r->command = next_word(&cursor);
	if (r->command == NULL)
		return "no command";
	while ((word = next_word(&cursor)) != NULL) {
		struct value *v = &r->values[r->count];
		char *eq = strchr(word, '=');

		if (eq == NULL || eq == word)
			return "argument is not key=value";
		if (r->count == KEYS_MAX)
			return "too many arguments";
		*eq = '\0';
		v->key = word;
		v->text = eq + 1;
		if (!percent_decode(v->text, &v->len))
			return "broken percent encoding";
		for (size_t i = 0; i < r->count; i++)
			if (strcmp(r->values[i].key, word) == 0)
				return "argument given twice";
		r->count++;
	}
	return NULL;
}

const struct value *arg(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->values[i].key, name) == 0)
			return &r->values[i];
	return NULL;
}

const char *arg_text(const struct request *r, const char *name, const char *otherwise)
{
	const struct value *v = arg(r, name);

	return v != NULL && strlen(v->text) == v->len ? v->text : otherwise;
}

bool parse_u64(const char *s, uint64_t *out)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		int d = hex_digit(*s);

		if (d < 0 || (unsigned)d >= base || v > (UINT64_MAX - (unsigned)d) / base)
			return false;
		v = v * base + (unsigned)d;
	}
	*out = v;
	return true;
}

bool arg_u64(const struct request *r, const char *name, uint64_t otherwise, uint64_t min, uint64_t max, uint64_t *out)
{
	const struct value *v = arg(r, name);

	*out = otherwise;
	if (v == NULL)
		return true;
	return parse_u64(v->text, out) && strlen(v->text) == v->len && *out >= min && *out <= max;
}

bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	if (n == 0 || strchr(word, ' ') != NULL)
		return false;
	for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

int parse_signal(const char *s)
{
	uint64_t v;
	int signo = signal_number(s);

	if (signo != 0)
		return signo;
	return parse_u64(s, &v) && v >= 1 && v <= 64 ? (int)v : 0;
}

