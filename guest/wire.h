/*
 * The text wire between the agent and its host: building lines, parsing requests, names of errno and signals.
 *
 *   request   <id> <command> key=value ...
 *   reply     R <id> ok key=value ... t=<ns>      or   R <id> err <ERRNO> <text> t=<ns>
 *   data      D <id> <text>    one line of a multi-line answer; C <id> <text> is a piece that the next C or D continues
 *   event     E <name> key=value ... t=<ns>
 *
 * A line is at most WIRE_MAX bytes with its LF. Values and texts are percent-encoded. No stdio: formatting of numbers
 * is done here, so that the program links without compiler support routines.
 */
#ifndef SYNDROME_WIRE_H
#define SYNDROME_WIRE_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WIRE_MAX 4096
/* Room that every line keeps for its " t=<ns>" and LF. */
#define WIRE_TAIL 32
#define ID_MAX 15
#define NAME_MAX_LEN 15
#define KEYS_MAX 24

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- names ---------------------------------------------------------------------------------------------------- */

struct named {
	int number;
	const char *name;
};

static const struct named errno_names[] = {
	{EPERM, "EPERM"},	{ENOENT, "ENOENT"},	{ESRCH, "ESRCH"},	{EINTR, "EINTR"},
	{EIO, "EIO"},		{ENXIO, "ENXIO"},	{E2BIG, "E2BIG"},	{ENOEXEC, "ENOEXEC"},
	{EBADF, "EBADF"},	{ECHILD, "ECHILD"},	{EAGAIN, "EAGAIN"},	{ENOMEM, "ENOMEM"},
	{EACCES, "EACCES"},	{EFAULT, "EFAULT"},	{EBUSY, "EBUSY"},	{EEXIST, "EEXIST"},
	{EXDEV, "EXDEV"},	{ENODEV, "ENODEV"},	{ENOTDIR, "ENOTDIR"},	{EISDIR, "EISDIR"},
	{EINVAL, "EINVAL"},	{ENFILE, "ENFILE"},	{EMFILE, "EMFILE"},	{ENOTTY, "ENOTTY"},
	{ETXTBSY, "ETXTBSY"},	{EFBIG, "EFBIG"},	{ENOSPC, "ENOSPC"},	{ESPIPE, "ESPIPE"},
	{EROFS, "EROFS"},	{EMLINK, "EMLINK"},	{EPIPE, "EPIPE"},	{EDOM, "EDOM"},
	{ERANGE, "ERANGE"},	{EDEADLK, "EDEADLK"},	{ENAMETOOLONG, "ENAMETOOLONG"},
	{ENOSYS, "ENOSYS"},	{ENOTEMPTY, "ENOTEMPTY"}, {ELOOP, "ELOOP"},	{ENODATA, "ENODATA"},
	{ETIME, "ETIME"},	{EPROTO, "EPROTO"},	{EBADMSG, "EBADMSG"},	{EOVERFLOW, "EOVERFLOW"},
	{EOPNOTSUPP, "EOPNOTSUPP"}, {ENOBUFS, "ENOBUFS"}, {ETIMEDOUT, "ETIMEDOUT"}, {EALREADY, "EALREADY"},
	{ECANCELED, "ECANCELED"}, {EKEYREJECTED, "EKEYREJECTED"}, {EHWPOISON, "EHWPOISON"},
};

static const struct named signal_names[] = {
	{SIGHUP, "SIGHUP"},	{SIGINT, "SIGINT"},	{SIGQUIT, "SIGQUIT"},	{SIGILL, "SIGILL"},
	{SIGTRAP, "SIGTRAP"},	{SIGABRT, "SIGABRT"},	{SIGBUS, "SIGBUS"},	{SIGFPE, "SIGFPE"},
	{SIGKILL, "SIGKILL"},	{SIGUSR1, "SIGUSR1"},	{SIGSEGV, "SIGSEGV"},	{SIGUSR2, "SIGUSR2"},
	{SIGPIPE, "SIGPIPE"},	{SIGALRM, "SIGALRM"},	{SIGTERM, "SIGTERM"},	{SIGCHLD, "SIGCHLD"},
	{SIGCONT, "SIGCONT"},	{SIGSTOP, "SIGSTOP"},	{SIGSYS, "SIGSYS"},	{SIGXCPU, "SIGXCPU"},
};

static inline const char *name_of(const struct named *table, size_t count, int number)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].number == number)
			return table[i].name;
	return NULL;
}

/* include/uapi/asm-generic/siginfo.h */
static inline const char *code_name(int signo, int code)
{
	static const char *const bus[] = {"BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"};
	static const char *const segv[] = {"SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"};

	switch (code) {
	case 0: return "SI_USER";
	case 0x80: return "SI_KERNEL";
	case -1: return "SI_QUEUE";
	case -6: return "SI_TKILL";
	default: break;
	}
	if (signo == SIGBUS && code >= 1 && (size_t)code <= COUNT(bus))
		return bus[code - 1];
	if (signo == SIGSEGV && code >= 1 && (size_t)code <= COUNT(segv))
		return segv[code - 1];
	return "UNKNOWN";
}

/* ---- time ----------------------------------------------------------------------------------------------------- */

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- building lines ------------------------------------------------------------------------------------------- */

struct line {
	size_t n;
	char b[WIRE_MAX];
};

static inline size_t line_room(const struct line *l)
{
	return l->n < WIRE_MAX - WIRE_TAIL ? WIRE_MAX - WIRE_TAIL - l->n : 0;
}

static inline void put_bytes(struct line *l, const char *s, size_t len)
{
	size_t room = line_room(l);

	if (len > room)
		len = room;
	memcpy(l->b + l->n, s, len);
	l->n += len;
}

static inline void put(struct line *l, const char *s)
{
	put_bytes(l, s, strlen(s));
}

static inline size_t digits(char out[24], uint64_t v, unsigned base)
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

static inline void put_u64(struct line *l, uint64_t v)
{
	char d[24];

	put_bytes(l, d, digits(d, v, 10));
}

static inline void put_i64(struct line *l, int64_t v)
{
	if (v < 0)
		put(l, "-");
	put_u64(l, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
}

static inline void put_hex(struct line *l, uint64_t v, unsigned width)
{
	char d[24];
	size_t n = digits(d, v, 16);

	put(l, "0x");
	while (width-- > n)
		put(l, "0");
	put_bytes(l, d, n);
}

static inline bool plain(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '%';
}

/* Percent-encodes as many of the bytes as fit; returns how many that were. */
static inline size_t put_encoded(struct line *l, const char *s, size_t len)
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

static inline void key(struct line *l, const char *name)
{
	put(l, " ");
	put(l, name);
	put(l, "=");
}

static inline void kv(struct line *l, const char *name, const char *value)
{
	key(l, name);
	put_encoded(l, value, strlen(value));
}

static inline void kv_u64(struct line *l, const char *name, uint64_t v)
{
	key(l, name);
	put_u64(l, v);
}

static inline void kv_i64(struct line *l, const char *name, int64_t v)
{
	key(l, name);
	put_i64(l, v);
}

/* u64 quantities (addresses, frames, raw entries): always 0x and 16 digits. */
static inline void kv_hex(struct line *l, const char *name, uint64_t v)
{
	key(l, name);
	put_hex(l, v, 16);
}

static inline void kv_signal(struct line *l, int signo)
{
	const char *name = name_of(signal_names, COUNT(signal_names), signo);

	kv_i64(l, "signo", signo);
	if (name != NULL) {
		kv(l, "signal", name);
	} else {
		key(l, "signal");
		put(l, "SIG");
		put_i64(l, signo);
	}
}

/* ---- sending -------------------------------------------------------------------------------------------------- */

/* Where finished lines go: the agent queues them for the port, a subject or job writes them to its pipe. */
static void (*emit)(const char *bytes, size_t len);

static inline void line_begin(struct line *l, const char *kind, const char *id)
{
	l->n = 0;
	put(l, kind);
	put(l, " ");
	put(l, id);
}

static inline void line_send(struct line *l)
{
	char d[24];
	size_t n = digits(d, now_ns(), 10);

	memcpy(l->b + l->n, " t=", 3);
	memcpy(l->b + l->n + 3, d, n);
	l->n += 3 + n;
	l->b[l->n++] = '\n';
	emit(l->b, l->n);
}

static inline void ok_begin(struct line *l, const char *id)
{
	line_begin(l, "R", id);
	put(l, " ok");
}

static inline void event_begin(struct line *l, const char *name)
{
	line_begin(l, "E", name);
}

/* "what" says what was attempted, "detail" (may be NULL) on what. */
static inline void send_error(const char *id, int error, const char *what, const char *detail)
{
	const char *name = name_of(errno_names, COUNT(errno_names), error);
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

/* One data line of any length, in as many wire lines as it needs. */
static inline void send_data(const char *id, const char *s, size_t len)
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

/* ---- parsing requests ----------------------------------------------------------------------------------------- */

struct value {
	const char *key;
	char *text;
	size_t len;
};

struct request {
	const char *id;
	const char *command;
	size_t count;
	struct value values[KEYS_MAX];
};

static inline int hex_digit(char c)
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
static inline bool percent_decode(char *s, size_t *len)
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

static inline bool valid_id(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > ID_MAX || s[0] == '0')
		return false;
	return strspn(s, "0123456789") == n;
}

/* Names of subjects and mappings: they become a comm and appear on the wire, so they stay plain. */
static inline bool valid_name(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= NAME_MAX_LEN &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

static inline char *next_word(char **cursor)
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

/*
 * Parses a NUL-terminated line in place. Returns NULL, or what is wrong with it; r->id is then set if the line had a
 * usable id, else NULL.
 */
static inline const char *parse_request(char *text, size_t len, struct request *r)
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

static inline const struct value *arg(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->values[i].key, name) == 0)
			return &r->values[i];
	return NULL;
}

/* The argument as text without NUL bytes, or the default. */
static inline const char *arg_text(const struct request *r, const char *name, const char *otherwise)
{
	const struct value *v = arg(r, name);

	return v != NULL && strlen(v->text) == v->len ? v->text : otherwise;
}

static inline bool parse_u64(const char *s, uint64_t *out)
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

/* The argument as a number in [min, max]; absent gives the default. False when it is present and wrong. */
static inline bool arg_u64(const struct request *r, const char *name, uint64_t otherwise, uint64_t min, uint64_t max,
			   uint64_t *out)
{
	const struct value *v = arg(r, name);

	*out = otherwise;
	if (v == NULL)
		return true;
	return parse_u64(v->text, out) && strlen(v->text) == v->len && *out >= min && *out <= max;
}

/* Whether a space-separated list holds the word. */
static inline bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

/* A signal by name (SIGBUS) or number; 0 when it is neither. */
static inline int parse_signal(const char *s)
{
	uint64_t v;

	for (size_t i = 0; i < COUNT(signal_names); i++)
		if (strcmp(signal_names[i].name, s) == 0)
			return signal_names[i].number;
	return parse_u64(s, &v) && v >= 1 && v <= 64 ? (int)v : 0;
}

/* Reads up to max bytes; -1 with errno when nothing could be read. */
static inline ssize_t read_some(int fd, char *buf, size_t max)
{
	ssize_t n;

	do
		n = read(fd, buf, max);
	while (n < 0 && errno == EINTR);
	return n;
}

static inline bool write_fully(int fd, const char *s, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, s, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s += n;
		len -= (size_t)n;
	}
	return true;
}

#endif
