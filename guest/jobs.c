#define _GNU_SOURCE

#include "jobs.h"

#include "frames.h"
#include "io.h"
#include "line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define READ_MAX (1u << 20)

static int job_fd;

static void job_emit(const char *bytes, size_t len)
{
	if (!write_fully(job_fd, bytes, len))
		_exit(71);
}

void become_job(int event_fd)
{
	job_fd = event_fd;
	emit = job_emit;
}

/* The names in a folder, as the lines of a file. */
static void read_names(const struct request *r, int fd)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	uint64_t bytes = 0;
	struct line l;

	if (dir == NULL) {
		send_error(r->id, errno, "read", arg_text(r, "path", ""));
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		send_data(r->id, entry->d_name, strlen(entry->d_name));
		bytes += strlen(entry->d_name) + 1;
	}
	closedir(dir);
	ok_begin(&l, r->id);
	kv_u64(&l, "bytes", bytes);
	kv_u64(&l, "truncated", 0);
	kv_u64(&l, "newline", bytes > 0);
	line_send(&l);
}

void job_read(const struct request *r)
{
	struct stat st;
	const char *path = arg_text(r, "path", "");
	static char buf[READ_MAX + 1];
	size_t used = 0, start = 0;
	ssize_t n = 0;
	uint64_t max, offset;
	struct line l;
	int fd;

	if (!arg_u64(r, "offset", 0, 0, INT64_MAX, &offset)) {
		send_error(r->id, EINVAL, "offset is not a number", NULL);
		return;
	}
	if (!arg_u64(r, "max", 65536, 1, READ_MAX, &max)) {
		send_error(r->id, EINVAL, "max is 1 to 1048576", NULL);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		send_error(r->id, errno, "open", path);
		return;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		read_names(r, fd);
		return;
	}
	/* Files such as /dev/cpu/0/msr are read at a position, and by the piece. */
	if (offset != 0) {
		n = pread(fd, buf, max, (off_t)offset);
		used = n > 0 ? (size_t)n : 0;
	}
	/* One byte more than asked for tells whether there is more. */
	while (offset == 0 && used < max + 1 && (n = read_some(fd, buf + used, max + 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0 && used == 0) {
		send_error(r->id, errno, "read", path);
		return;
	}
	bool truncated = used > max;
	if (truncated)
		used = max;
	for (size_t i = 0; i < used; i++) {
		if (buf[i] == '\n') {
			send_data(r->id, buf + start, i - start);
			start = i + 1;
		}
	}
	if (start < used)
		send_data(r->id, buf + start, used - start);
	ok_begin(&l, r->id);
	kv_u64(&l, "bytes", used);
	kv_u64(&l, "truncated", truncated);
	kv_u64(&l, "newline", used > 0 && buf[used - 1] == '\n');
	line_send(&l);
}

void job_copy(const struct request *r)
{
	const char *from = arg_text(r, "from", ""), *to = arg_text(r, "to", "");
	static char buf[1 << 16];
	uint64_t left;
	int in, out;

	if (!arg_u64(r, "bytes", 0, 1, UINT64_MAX, &left)) {
		send_error(r->id, EINVAL, "bytes is missing", NULL);
		return;
	}
	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0) {
		send_error(r->id, errno, "open", from);
		return;
	}
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0) {
		send_error(r->id, errno, "open", to);
		return;
	}
	while (left > 0) {
		ssize_t n = read_some(in, buf, left < sizeof(buf) ? (size_t)left : sizeof(buf));

		if (n <= 0) {
			send_error(r->id, n < 0 ? errno : EIO, "the source ends early", from);
			return;
		}
		if (!write_fully(out, buf, (size_t)n)) {
			send_error(r->id, errno, "write", to);
			return;
		}
		left -= (uint64_t)n;
	}
	send_ok(r->id);
}

void job_write(const struct request *r)
{
	const char *path = arg_text(r, "path", "");
	const struct value *value = arg(r, "value");
	uint64_t offset;
	int error;

	if (value == NULL || !arg_u64(r, "offset", 0, 0, INT64_MAX, &offset)) {
		send_error(r->id, EINVAL, "value is missing, or offset is not a number", NULL);
		return;
	}
	error = write_file_at(path, value->text, value->len, offset);
	if (error != 0)
		send_error(r->id, error, "write", path);
	else
		send_ok(r->id);
}

void job_follow(const struct request *r)
{
	const char *path = arg_text(r, "path", "");
	static char buf[WIRE_MAX];
	size_t used = 0;
	ssize_t n;
	struct line l;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		send_error(r->id, errno, "open", path);
		return;
	}
	send_ok(r->id);
	/* Nobody waits for this job any more: it ends with its file, or with the agent. */
	while ((n = read_some(fd, buf + used, sizeof(buf) - used)) > 0) {
		size_t start = 0;

		used += (size_t)n;
		for (char *lf; (lf = memchr(buf + start, '\n', used - start)) != NULL; start = (size_t)(lf - buf) + 1) {
			*lf = '\0';
			event_begin(&l, "line");
			kv(&l, "path", path);
			kv(&l, "text", buf + start);
			line_send(&l);
		}
		/* A line longer than the buffer is dropped piece by piece. */
		used = start == 0 && used == sizeof(buf) ? 0 : used - start;
		memmove(buf, buf + start, used);
	}
}

void job_register(const struct request *r)
{
	const char *path = arg_text(r, "path", "");
	const char *how = arg_text(r, "how", "file");
	bool mapped = strcmp(how, "map") == 0, writes = arg(r, "value") != NULL;
	uint64_t offset, value, page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint32_t word = 0;
	struct line l;
	bool done;
	int fd;

	if (arg(r, "offset") == NULL || !arg_u64(r, "offset", 0, 0, INT64_MAX, &offset) || offset % 4 != 0 ||
	    !arg_u64(r, "value", 0, 0, UINT32_MAX, &value) || (!mapped && strcmp(how, "file") != 0)) {
		send_error(r->id, EINVAL, "offset is a multiple of 4, value has 32 bits, how is file or map", NULL);
		return;
	}
	fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		send_error(r->id, errno, "open", path);
		return;
	}
	if (mapped) {
		volatile uint32_t *at;
		char *base = mmap(NULL, page, PROT_READ | (writes ? PROT_WRITE : 0), MAP_SHARED, fd,
				  (off_t)(offset - offset % page));

		if (base == MAP_FAILED) {
			send_error(r->id, errno, "mmap", path);
			return;
		}
		at = (volatile uint32_t *)(void *)(base + offset % page);
		if (writes)
			*at = (uint32_t)value;
		word = *at;
	} else {
		word = (uint32_t)value;
		errno = 0;
		done = !writes || pwrite(fd, &word, sizeof(word), (off_t)offset) == (ssize_t)sizeof(word);
		if (!done || pread(fd, &word, sizeof(word), (off_t)offset) != (ssize_t)sizeof(word)) {
			send_error(r->id, errno != 0 ? errno : EIO, done ? "read" : "write", path);
			return;
		}
	}
	ok_begin(&l, r->id);
	kv_hex(&l, "word", word);
	line_send(&l);
}

void job_hwpoison(const struct request *r)
{
	const char *file = "/sys/kernel/debug/hwpoison/corrupt-pfn";
	uint64_t pfn, undo;
	struct line l;
	int error;

	if (arg(r, "pfn") == NULL || !arg_u64(r, "pfn", 0, 1, (1ull << 52) - 1, &pfn) ||
	    !arg_u64(r, "undo", 0, 0, 1, &undo)) {
		send_error(r->id, EINVAL, "pfn must be a page frame number, undo 0 or 1", NULL);
		return;
	}
	if (undo)
		file = "/sys/kernel/debug/hwpoison/unpoison-pfn";
	l.n = 0;
	put_hex(&l, pfn, 1);
	error = write_file(file, l.b, l.n);
	if (error == ENOENT)
		send_error(r->id, error, "debugfs hwpoison is absent: load the module hwpoison-inject", file);
	else if (error != 0)
		send_error(r->id, error, "write", file);
	else
		send_ok(r->id);
}

void job_insmod(const struct request *r)
{
	const char *path = arg_text(r, "path", "");
	const char *params = arg_text(r, "params", "");
	size_t n = strlen(path);
	/* include/uapi/linux/module.h: MODULE_INIT_COMPRESSED_FILE */
	int flags = n > 3 && strcmp(path + n - 3, ".ko") == 0 ? 0 : 4;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		send_error(r->id, errno, "open", path);
		return;
	}
	if (syscall(SYS_finit_module, fd, params, flags) != 0)
		send_error(r->id, errno, "finit_module", path);
	else
		send_ok(r->id);
}

void job_check_interval(const struct request *r)
{
	const char *file = "/sys/devices/system/machinecheck/machinecheck0/check_interval";
	uint64_t seconds;
	struct line l;
	int error;

	if (arg(r, "seconds") == NULL || !arg_u64(r, "seconds", 0, 0, 86400, &seconds)) {
		send_error(r->id, EINVAL, "seconds is 0 to 86400", NULL);
		return;
	}
	/* The file reads as decimal and is parsed with any base (mce/core.c). */
	l.n = 0;
	put_u64(&l, seconds);
	error = write_file(file, l.b, l.n);
	if (error != 0)
		send_error(r->id, error, "write", file);
	else
		send_ok(r->id);
}

void job_sync(const struct request *r)
{
	sync();
	send_ok(r->id);
}

void job_translate(const struct request *r, pid_t pid, const struct shared *shared)
{
	uint64_t virt, page, offset;
	struct line path, l;

	if (arg(r, "virt") != NULL) {
		if (!arg_u64(r, "virt", 0, 0, UINT64_MAX, &virt)) {
			send_error(r->id, EINVAL, "virt must be an address", NULL);
			return;
		}
	} else {
		const char *id = arg_text(r, "id", "");
		const struct mapping *m = NULL;

		for (size_t i = 0; i < MAPS_MAX; i++)
			if (shared->maps[i].bytes != 0 && strcmp(shared->maps[i].id, id) == 0)
				m = &shared->maps[i];
		if (m == NULL) {
			send_error(r->id, ENOENT, "no such mapping", id);
			return;
		}
		if (!arg_u64(r, "page", 0, 0, m->bytes / m->page_bytes - 1, &page) ||
		    !arg_u64(r, "offset", 0, 0, m->page_bytes - 1, &offset)) {
			send_error(r->id, EINVAL, "page or offset outside the mapping", id);
			return;
		}
		virt = m->virt + page * m->page_bytes + offset;
		if (arg(r, "at") != NULL) {
			if (!arg_u64(r, "at", 0, 0, m->bytes / BASE_PAGE - 1, &page)) {
				send_error(r->id, EINVAL, "at is outside the mapping", id);
				return;
			}
			virt = m->virt + page * BASE_PAGE + offset % BASE_PAGE;
		}
	}
	path.n = 0;
	put(&path, "/proc/");
	put_i64(&path, pid);
	put(&path, "/pagemap");
	ok_begin(&l, r->id);
	kv_hex(&l, "virt", virt);
	kv_translation(&l, line_text(&path), virt);
	line_send(&l);
}
