/*
 * The agent's side of the wire, for a fuzzer: reads what a host would send from standard input and writes what the agent
 * makes of it, a few lines for every line that came.
 *
 *   wire-fuzz <bytes>     the input arrives in pieces of that many bytes; they make no difference
 *
 *   ok <id> <command> <key>=<hex>[u<number>][s<signal>] ...      a request
 *   wrong <id or 0> <text>                                       none, and why
 *   long                                                         a line that does not fit
 *   D 1 ... / C 1 ... / R 1 err ...                              the line itself as the agent sends texts
 *
 * Ends by abort() where something does not hold, and by the compiler's sanitizers where it was built with them.
 */
#define _GNU_SOURCE

#include "../io.h"
#include "../line.h"
#include "../reader.h"
#include "../request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_MAX 65536

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fflush(stdout);
	fprintf(stderr, "wire-fuzz: does not hold: %s\n", what);
	abort();
}

static void print_line(const char *bytes, size_t len)
{
	must(len >= 2 && len <= WIRE_MAX && bytes[len - 1] == '\n', "a line ends with its LF, within the bound");
	for (size_t i = 0; i + 1 < len; i++)
		must(bytes[i] >= 0x20 && bytes[i] < 0x7f, "a line is printable ASCII");
	fwrite(bytes, 1, len, stdout);
}

static void print_value(const struct request *r, const struct value *v)
{
	uint64_t number, again;
	char text[32];
	int signo = parse_signal(v->text);

	must(arg(r, v->key) == v, "an argument is found by its key");
	must(v->text[v->len] == '\0', "a value ends with NUL");
	printf(" %s=", v->key);
	for (size_t i = 0; i < v->len; i++)
		printf("%02x", (unsigned)(unsigned char)v->text[i]);
	if (parse_u64(v->text, &number)) {
		snprintf(text, sizeof(text), "0x%" PRIx64, number);
		must(parse_u64(text, &again) && again == number, "a number in hexadecimal is the same");
		snprintf(text, sizeof(text), "%" PRIu64, number);
		must(parse_u64(text, &again) && again == number, "a number in decimal is the same");
		printf("u%" PRIu64, number);
	}
	must(signo >= 0 && signo <= 64, "a signal is 1 to 64, or none");
	if (signo != 0)
		printf("s%d", signo);
	if (arg_u64(r, v->key, 0, 3, 70, &number))
		must(number >= 3 && number <= 70, "a number is within its bounds");
	if (listed("early late default", v->text))
		must(strlen(v->text) <= 7 && strchr(v->text, ' ') == NULL, "one word is listed, or none");
	if (valid_name(v->text))
		must(strlen(v->text) <= NAME_MAX_LEN, "a name is short");
}

static void line(char *text, size_t len)
{
	/* Of exactly its size, so that a sanitizer sees a step beyond its end. */
	char *copy = malloc(len + 1);
	struct request r;
	const char *wrong;

	must(copy != NULL, "memory");
	memcpy(copy, text, len + 1);
	send_data("1", copy, len);
	send_error("1", EINVAL, copy, copy);
	wrong = parse_request(copy, len, &r);
	if (wrong != NULL) {
		printf("wrong %s %s\n", r.id != NULL ? r.id : "0", wrong);
	} else {
		must(r.count <= KEYS_MAX, "no more arguments than there is room for");
		printf("ok %s %s", r.id, r.command);
		for (size_t i = 0; i < r.count; i++)
			print_value(&r, &r.values[i]);
		putchar('\n');
	}
	free(copy);
}

static void too_long(void)
{
	puts("long");
}

int main(int argc, char **argv)
{
	static const struct listener to = {line, too_long};
	static struct reader in;
	static char piece[PIECE_MAX];
	int way[2];
	uint64_t bytes;
	size_t n;

	if (argc != 2 || !parse_u64(argv[1], &bytes) || bytes < 1 || bytes > PIECE_MAX || pipe(way) != 0) {
		fprintf(stderr, "usage: wire-fuzz <bytes>, 1 to %d\n", PIECE_MAX);
		return 2;
	}
	emit = print_line;
	while ((n = fread(piece, 1, (size_t)bytes, stdin)) > 0) {
		size_t left = n;

		must(write_fully(way[1], piece, n), "a pipe takes a piece");
		while (left > 0) {
			ssize_t got = read_lines(&in, way[0], &to);

			must(got > 0 && (size_t)got <= left, "what was written is read");
			left -= (size_t)got;
		}
	}
	return 0;
}
