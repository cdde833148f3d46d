/*
 * A subject: a process the agent forks to be the victim of a memory error. It maps, reads and poisons pages on command,
 * reports every signal it gets, and survives the ones it was told to survive.
 */
#ifndef SYNDROME_SUBJECT_H
#define SYNDROME_SUBJECT_H

#include "wire.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define MAPS_MAX 16
#define BASE_PAGE 4096u

/* include/uapi/asm-generic/mman-common.h; older libc headers lack some of them */
#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
/* include/uapi/linux/kernel-page-flags.h */
#define KPF_THP 22

struct mapping {
	char id[NAME_MAX_LEN + 1];
	uint64_t virt;
	uint64_t bytes;
	uint64_t page_bytes;
	unsigned char fill;
};

/* Shared between the agent and one subject, so that the agent can stop a spinning subject and translate its pages
 * without its help. The subject writes all but "stop". */
struct shared {
	volatile int stop;
	volatile int spinning;
	volatile uint64_t iterations;
	struct mapping maps[MAPS_MAX];
};

enum action { ACTION_REPORT, ACTION_DEFAULT, ACTION_EXIT };

/* Every signal a subject reports; SIGKILL and SIGSTOP cannot be caught. */
static const int reported_signals[] = {SIGBUS,	SIGSEGV, SIGILL, SIGFPE,  SIGTRAP, SIGABRT, SIGTERM, SIGINT,
				       SIGHUP,	SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGSYS,  SIGXCPU};

static struct {
	const char *name;
	struct shared *shared;
	bool may_reserve; /* in a machine of our own: grow the huge page pool as needed */
	int event_fd;
	volatile enum action actions[65];
	volatile sig_atomic_t guarded;
	volatile sig_atomic_t faults; /* outside guarded reads, since the last command */
	sigjmp_buf escape;
	siginfo_t caught;
} subject;

static void subject_emit(const char *bytes, size_t len)
{
	/* At most PIPE_BUF bytes: one write is one line, also when a signal handler writes between two of them. */
	if (!write_fully(subject.event_fd, bytes, len))
		_exit(71);
}

/* ---- page frames ---------------------------------------------------------------------------------------------- */

/* Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bit 62 swap, bits 0-54 frame number when present. */
static inline int pagemap_entry(const char *path, uint64_t virt, uint64_t *entry)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno;
	n = pread(fd, entry, sizeof(*entry), (off_t)(virt / BASE_PAGE * sizeof(*entry)));
	int error = n < 0 ? errno : n == sizeof(*entry) ? 0 : EFAULT;
	close(fd);
	return error;
}

static inline bool kpage_flags(uint64_t pfn, uint64_t *flags)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = pread(fd, flags, sizeof(*flags), (off_t)(pfn * sizeof(*flags))) == sizeof(*flags);
	close(fd);
	return good;
}

/* Adds phys, flags and the raw pagemap entry of an address; physerr when the kernel does not tell it. */
static inline void kv_translation(struct line *l, const char *pagemap, uint64_t virt)
{
	uint64_t entry = 0, flags;
	int error = pagemap_entry(pagemap, virt, &entry);
	uint64_t pfn = entry & ((1ull << 55) - 1);
	bool present = (entry >> 63) != 0;

	if (error != 0) {
		const char *name = name_of(errno_names, COUNT(errno_names), error);

		kv(l, "physerr", name != NULL ? name : "EIO");
		return;
	}
	kv_u64(l, "present", present);
	if (present && pfn != 0) {
		kv_hex(l, "phys", pfn * BASE_PAGE + virt % BASE_PAGE);
		kv_hex(l, "pfn", pfn);
		if (kpage_flags(pfn, &flags))
			kv_hex(l, "kpageflags", flags);
	} else if (present) {
		kv(l, "physerr", "EPERM"); /* the kernel hides frame numbers without CAP_SYS_ADMIN */
	}
	kv_hex(l, "pagemap", entry);
}

/* ---- signals -------------------------------------------------------------------------------------------------- */

static bool is_fault(int signo, int code)
{
	bool fault = signo == SIGBUS || signo == SIGSEGV || signo == SIGILL || signo == SIGFPE || signo == SIGTRAP;

	return fault && code > 0;
}

static void kv_siginfo(struct line *l, const siginfo_t *si)
{
	kv_signal(l, si->si_signo);
	kv_i64(l, "code", si->si_code);
	kv(l, "codename", code_name(si->si_signo, si->si_code));
	if (is_fault(si->si_signo, si->si_code)) {
		kv_hex(l, "addr", (uint64_t)(uintptr_t)si->si_addr);
		if (si->si_signo == SIGBUS && (si->si_code == BUS_MCEERR_AR || si->si_code == BUS_MCEERR_AO))
			kv_u64(l, "lsb", (uint64_t)si->si_addr_lsb);
	} else if (si->si_code <= 0) {
		kv_i64(l, "sender", si->si_pid);
	}
}

static void on_signal(int signo, siginfo_t *si, void *context)
{
	int saved = errno;
	struct line l;

	(void)context;
	event_begin(&l, "signal");
	kv(&l, "proc", subject.name);
	kv_i64(&l, "pid", getpid());
	kv_siginfo(&l, si);
	line_send(&l);
	if (subject.actions[signo] == ACTION_EXIT)
		_exit(128 + signo);
	/*
	 * Action optional: nothing was consumed, the program goes on. Anything else the kernel sends ends a guarded
	 * read. Outside of one it may still be harmless (madvise poisons without a read and sends BUS_MCEERR_AR), so
	 * only a fault that comes again and again is left to the default action.
	 */
	if (is_fault(signo, si->si_code) && !(signo == SIGBUS && si->si_code == BUS_MCEERR_AO)) {
		if (subject.guarded) {
			subject.caught = *si;
			subject.guarded = 0;
			siglongjmp(subject.escape, 1);
		}
		if (++subject.faults > 2)
			signal(signo, SIG_DFL);
	}
	errno = saved;
}

static void set_action(int signo, enum action action)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sigfillset(&sa.sa_mask);
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sa.sa_sigaction = on_signal;
	if (action == ACTION_DEFAULT) {
		sa.sa_flags = 0;
		sa.sa_handler = SIG_DFL;
	}
	subject.actions[signo] = action;
	sigaction(signo, &sa, NULL);
}

/* ---- commands ------------------------------------------------------------------------------------------------- */

static bool set_kill_policy(const char *policy)
{
	unsigned long how;

	if (strcmp(policy, "late") == 0)
		how = PR_MCE_KILL_LATE;
	else if (strcmp(policy, "early") == 0)
		how = PR_MCE_KILL_EARLY;
	else if (strcmp(policy, "default") == 0)
		how = PR_MCE_KILL_DEFAULT;
	else {
		errno = EINVAL;
		return false;
	}
	return prctl(PR_MCE_KILL, PR_MCE_KILL_SET, how, 0, 0) == 0;
}

static struct mapping *find_mapping(const char *id)
{
	for (size_t i = 0; i < MAPS_MAX; i++)
		if (subject.shared->maps[i].bytes != 0 && strcmp(subject.shared->maps[i].id, id) == 0)
			return &subject.shared->maps[i];
	return NULL;
}

static bool read_number(const char *path, uint64_t *out)
{
	char buf[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read_some(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return false;
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == ' '))
		n--;
	buf[n] = '\0';
	return parse_u64(buf, out);
}

/* Grows the pool so that a hugetlb mapping of that many pages can be populated; failure shows up in mmap. */
static void reserve_huge_pages(uint64_t page_bytes, uint64_t pages)
{
	struct line path, value;
	uint64_t unused = 0, total = 0;
	size_t base;
	int fd;

	path.n = 0;
	put(&path, "/sys/kernel/mm/hugepages/hugepages-");
	put_u64(&path, page_bytes / 1024);
	put(&path, "kB/");
	base = path.n;
	put(&path, "free_hugepages");
	path.b[path.n] = '\0';
	if (!read_number(path.b, &unused) || unused >= pages)
		return;
	path.n = base;
	put(&path, "nr_hugepages");
	path.b[path.n] = '\0';
	if (!read_number(path.b, &total))
		return;
	value.n = 0;
	put_u64(&value, total + pages - unused);
	fd = open(path.b, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)write_fully(fd, value.b, value.n);
	close(fd);
}

/*
 * Small machines boot with transparent huge pages off; collapsing works there too. It may fail for a moment, as while a
 * page is on its way to the LRU lists or memory is being compacted, so it gets half a second.
 */
static void collapse(char *p, size_t bytes)
{
	const struct timespec pause = {0, 10 * 1000 * 1000};

	for (int i = 0; i < 50 && madvise(p, bytes, MADV_COLLAPSE) != 0 && errno != EINVAL; i++)
		nanosleep(&pause, NULL);
}

/* An anonymous area of that many bytes, aligned to the page size; NULL with errno. */
static char *map_area(const char *kind, uint64_t bytes, uint64_t page_bytes)
{
	int flags = strcmp(kind, "shared") == 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_PRIVATE | MAP_ANONYMOUS;
	size_t slack = 0;
	char *p;

	if (strcmp(kind, "hugetlb") == 0)
		flags |= MAP_HUGETLB | (page_bytes == 1ull << 30 ? 30 << MAP_HUGE_SHIFT : 21 << MAP_HUGE_SHIFT);
	else if (page_bytes > BASE_PAGE)
		slack = page_bytes; /* transparent huge pages need natural alignment */
	p = mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (slack != 0) {
		size_t head = (size_t)(-(uintptr_t)p & (page_bytes - 1));

		if (head != 0)
			munmap(p, head);
		munmap(p + head + bytes, slack - head);
		p += head;
	}
	return p;
}

/* Whether every huge page of the area really is one; also true where the kernel does not let us know. */
static bool all_transparent_huge(const char *p, uint64_t bytes, uint64_t page_bytes)
{
	for (uint64_t at = 0; at < bytes; at += page_bytes) {
		uint64_t virt = (uint64_t)(uintptr_t)p + at, entry = 0, flags = 0, pfn;

		if (pagemap_entry("/proc/self/pagemap", virt, &entry) != 0)
			return true;
		pfn = entry & ((1ull << 55) - 1);
		if (pfn == 0 || !kpage_flags(pfn, &flags))
			return true;
		if ((flags >> KPF_THP & 1) == 0 || pfn * BASE_PAGE % page_bytes != 0)
			return false;
	}
	return true;
}

static void command_map(const struct request *r)
{
	const char *id = arg_text(r, "id", "");
	const char *kind = arg_text(r, "kind", "private");
	const char *size = arg_text(r, "size", strcmp(kind, "hugetlb") == 0 ? "2m" : "4k");
	const char *policy = arg_text(r, "kill", NULL);
	bool hugetlb = strcmp(kind, "hugetlb") == 0;
	bool transparent = !hugetlb && strcmp(size, "4k") != 0;
	struct mapping *m = NULL;
	uint64_t pages, fill, page_bytes;
	struct line l;
	char *p;

	if (!valid_name(id)) {
		send_error(r->id, EINVAL, "id must be 1 to 15 of A-Z a-z 0-9 _ . -", NULL);
		return;
	}
	if (find_mapping(id) != NULL) {
		send_error(r->id, EEXIST, "mapping exists", id);
		return;
	}
	if (!arg_u64(r, "pages", 1, 1, 1u << 20, &pages) || !arg_u64(r, "fill", 0x5a, 0, 255, &fill)) {
		send_error(r->id, EINVAL, "pages must be 1 to 1048576, fill 0 to 255", NULL);
		return;
	}
	if (strcmp(size, "4k") == 0)
		page_bytes = 1u << 12;
	else if (strcmp(size, "2m") == 0)
		page_bytes = 1u << 21;
	else if (strcmp(size, "1g") == 0)
		page_bytes = 1u << 30;
	else
		page_bytes = 0;
	if (page_bytes == 0 || !listed("private shared hugetlb", kind) ||
	    (hugetlb ? page_bytes < 1u << 21 : page_bytes > 1u << 21)) {
		send_error(r->id, EINVAL, "kind is private or shared with size 4k or 2m, or hugetlb with 2m or 1g", NULL);
		return;
	}
	for (size_t i = 0; i < MAPS_MAX && m == NULL; i++)
		if (subject.shared->maps[i].bytes == 0)
			m = &subject.shared->maps[i];
	if (m == NULL) {
		send_error(r->id, ENOSPC, "this subject has all the mappings it can hold", NULL);
		return;
	}
	if (policy != NULL && !set_kill_policy(policy)) {
		send_error(r->id, errno, "kill must be early, late or default and the kernel must know PR_MCE_KILL", policy);
		return;
	}
	if (hugetlb && subject.may_reserve)
		reserve_huge_pages(page_bytes, pages);
	p = map_area(kind, pages * page_bytes, page_bytes);
	if (p == NULL) {
		send_error(r->id, errno, "mmap", kind);
		return;
	}
	if (!hugetlb)
		(void)madvise(p, pages * page_bytes, transparent ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(p, (int)fill, pages * page_bytes);
	if (transparent)
		collapse(p, pages * page_bytes);
	if (mlock(p, pages * page_bytes) != 0) {
		int error = errno;

		munmap(p, pages * page_bytes);
		send_error(r->id, error, "mlock", NULL);
		return;
	}
	if (transparent && !all_transparent_huge(p, pages * page_bytes, page_bytes)) {
		munmap(p, pages * page_bytes);
		send_error(r->id, EOPNOTSUPP, "the kernel gave no transparent huge page: see /sys/kernel/mm/transparent_hugepage",
			   kind);
		return;
	}
	memcpy(m->id, id, strlen(id) + 1);
	m->virt = (uint64_t)(uintptr_t)p;
	m->page_bytes = page_bytes;
	m->fill = (unsigned char)fill;
	m->bytes = pages * page_bytes;
	ok_begin(&l, r->id);
	kv_hex(&l, "virt", m->virt);
	kv_translation(&l, "/proc/self/pagemap", m->virt);
	kv_u64(&l, "bytes", m->bytes);
	kv_u64(&l, "pagesize", m->page_bytes);
	kv_i64(&l, "pid", getpid());
	switch (prctl(PR_MCE_KILL_GET, 0, 0, 0, 0)) {
	case PR_MCE_KILL_LATE: kv(&l, "kill", "late"); break;
	case PR_MCE_KILL_EARLY: kv(&l, "kill", "early"); break;
	case PR_MCE_KILL_DEFAULT: kv(&l, "kill", "default"); break;
	default: kv(&l, "kill", "unknown"); break;
	}
	line_send(&l);
}

/* The mapping a command names, with the address of its page= and offset=; NULL after an error reply. */
static struct mapping *addressed(const struct request *r, volatile unsigned char **address)
{
	const char *id = arg_text(r, "id", "");
	struct mapping *m = find_mapping(id);
	uint64_t page, offset;

	if (m == NULL) {
		send_error(r->id, ENOENT, "no such mapping", id);
		return NULL;
	}
	if (!arg_u64(r, "page", 0, 0, m->bytes / m->page_bytes - 1, &page) ||
	    !arg_u64(r, "offset", 0, 0, m->page_bytes - 1, &offset)) {
		send_error(r->id, EINVAL, "page or offset outside the mapping", id);
		return NULL;
	}
	*address = (volatile unsigned char *)(uintptr_t)(m->virt + page * m->page_bytes + offset);
	return m;
}

static void command_unmap(const struct request *r)
{
	volatile unsigned char *p;
	struct mapping *m = addressed(r, &p);
	struct line l;

	if (m == NULL)
		return;
	if (munmap((void *)(uintptr_t)m->virt, m->bytes) != 0) {
		send_error(r->id, errno, "munmap", m->id);
		return;
	}
	m->bytes = 0;
	ok_begin(&l, r->id);
	line_send(&l);
}

/* Reads or writes one byte; false when a signal ended it. Not inlined: no local of a caller lives across the jump. */
static __attribute__((noinline)) bool access_byte(volatile unsigned char *p, bool write_it, unsigned char *value)
{
	if (sigsetjmp(subject.escape, 1) != 0)
		return false;
	subject.guarded = 1;
	if (write_it)
		*p = *value;
	else
		*value = *p;
	subject.guarded = 0;
	return true;
}

/* Looks for the first word that differs, leaves the last place looked at in *at; false when a signal ended it. */
static __attribute__((noinline)) bool compare_words(const struct mapping *m, uint64_t expected, volatile uint64_t *at,
						    uint64_t *found)
{
	const volatile uint64_t *words = (const volatile uint64_t *)(uintptr_t)m->virt;

	if (sigsetjmp(subject.escape, 1) != 0)
		return false;
	subject.guarded = 1;
	*found = expected;
	for (uint64_t i = 0; i < m->bytes / sizeof(expected) && *found == expected; i++) {
		*at = i * sizeof(expected);
		*found = words[i];
	}
	subject.guarded = 0;
	return true;
}

/* Reads one byte until told to stop; false when a signal ended it. */
static __attribute__((noinline)) bool read_until_stopped(volatile unsigned char *p, struct shared *s)
{
	if (sigsetjmp(subject.escape, 1) != 0)
		return false;
	subject.guarded = 1;
	while (!s->stop) {
		for (unsigned i = 0; i < 256; i++)
			(void)*p;
		s->iterations += 256;
	}
	subject.guarded = 0;
	return true;
}

static void command_touch(const struct request *r)
{
	volatile unsigned char *p;
	struct mapping *m = addressed(r, &p);
	unsigned char value;
	uint64_t write_it;
	struct line l;

	if (m == NULL)
		return;
	if (!arg_u64(r, "write", 0, 0, 1, &write_it)) {
		send_error(r->id, EINVAL, "write is 0 or 1", NULL);
		return;
	}
	value = m->fill;
	if (access_byte(p, write_it, &value)) {
		ok_begin(&l, r->id);
		kv_hex(&l, "virt", (uint64_t)(uintptr_t)p);
		key(&l, "value");
		put_hex(&l, value, 2);
	} else {
		ok_begin(&l, r->id);
		kv_siginfo(&l, &subject.caught);
	}
	line_send(&l);
}

static void command_verify(const struct request *r)
{
	volatile unsigned char *p;
	struct mapping *m = addressed(r, &p);
	volatile uint64_t at = 0;
	uint64_t expected, found;
	struct line l;

	if (m == NULL)
		return;
	expected = m->fill * 0x0101010101010101ull;
	if (!compare_words(m, expected, &at, &found)) {
		ok_begin(&l, r->id);
		kv_u64(&l, "intact", 0);
		kv_u64(&l, "bytes", m->bytes);
		kv_hex(&l, "offset", at);
		kv_siginfo(&l, &subject.caught);
	} else {
		const unsigned char *bytes = (const unsigned char *)&found;
		unsigned first = 0;

		ok_begin(&l, r->id);
		kv_u64(&l, "intact", found == expected);
		kv_u64(&l, "bytes", m->bytes);
		if (found != expected) {
			while (bytes[first] == m->fill)
				first++;
			kv_hex(&l, "offset", at + first);
			kv_hex(&l, "found", found);
			kv_hex(&l, "expected", expected);
		}
	}
	line_send(&l);
}

static void command_spin(const struct request *r)
{
	volatile unsigned char *p;
	struct mapping *m = addressed(r, &p);
	struct shared *s = subject.shared;
	const char *reason = "stop";
	uint64_t cpu;
	struct line l;

	if (m == NULL)
		return;
	if (!arg_u64(r, "cpu", UINT64_MAX, 0, CPU_SETSIZE - 1, &cpu)) {
		send_error(r->id, EINVAL, "cpu must be a CPU number", NULL);
		return;
	}
	if (cpu != UINT64_MAX) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set) != 0) {
			send_error(r->id, errno, "sched_setaffinity", NULL);
			return;
		}
	}
	s->stop = 0;
	s->iterations = 0;
	s->spinning = 1;
	ok_begin(&l, r->id);
	kv_hex(&l, "virt", (uint64_t)(uintptr_t)p);
	kv_i64(&l, "cpu", sched_getcpu());
	line_send(&l);
	if (!read_until_stopped(p, s))
		reason = "signal";
	s->spinning = 0;
	event_begin(&l, "spin");
	kv(&l, "proc", subject.name);
	kv(&l, "id", m->id);
	kv(&l, "ended", reason);
	kv_u64(&l, "iterations", s->iterations);
	line_send(&l);
}

static void command_stop(const struct request *r)
{
	struct line l;

	subject.shared->stop = 0;
	ok_begin(&l, r->id);
	kv_u64(&l, "iterations", subject.shared->iterations);
	line_send(&l);
}

static void command_on_signal(const struct request *r)
{
	const char *which = arg_text(r, "signal", "all");
	const char *how = arg_text(r, "action", "");
	int only = strcmp(which, "all") == 0 ? -1 : parse_signal(which);
	enum action action = ACTION_REPORT;
	unsigned set = 0;
	struct line l;

	if (strcmp(how, "default") == 0) {
		action = ACTION_DEFAULT;
	} else if (strcmp(how, "exit") == 0) {
		action = ACTION_EXIT;
	} else if (strcmp(how, "report") != 0) {
		send_error(r->id, EINVAL, "action is report, default or exit", NULL);
		return;
	}
	for (size_t i = 0; i < COUNT(reported_signals); i++) {
		if (only == -1 || only == reported_signals[i]) {
			set_action(reported_signals[i], action);
			set++;
		}
	}
	if (set == 0) {
		send_error(r->id, EINVAL, "not a signal a subject can catch", which);
		return;
	}
	ok_begin(&l, r->id);
	kv_u64(&l, "signals", set);
	line_send(&l);
}

static void command_poison(const struct request *r)
{
	const char *how = arg_text(r, "how", "madvise");
	volatile unsigned char *p;
	struct mapping *m = addressed(r, &p);
	struct line l;
	int advice;

	if (m == NULL)
		return;
	if (strcmp(how, "madvise") == 0) {
		advice = MADV_HWPOISON;
	} else if (strcmp(how, "soft-offline") == 0) {
		advice = MADV_SOFT_OFFLINE;
	} else {
		send_error(r->id, EINVAL, "how is madvise or soft-offline", NULL);
		return;
	}
	if (madvise((void *)((uintptr_t)p & ~(uintptr_t)(BASE_PAGE - 1)), BASE_PAGE, advice) != 0) {
		send_error(r->id, errno, "madvise", how);
		return;
	}
	ok_begin(&l, r->id);
	kv_hex(&l, "virt", (uint64_t)(uintptr_t)p);
	line_send(&l);
}

static void command_kill_policy(const struct request *r)
{
	struct line l;

	if (!set_kill_policy(arg_text(r, "kill", ""))) {
		send_error(r->id, errno, "kill must be early, late or default and the kernel must know PR_MCE_KILL", NULL);
		return;
	}
	ok_begin(&l, r->id);
	line_send(&l);
}

static const struct {
	const char *name;
	void (*run)(const struct request *);
} subject_commands[] = {
	{"map", command_map},		  {"unmap", command_unmap},   {"touch", command_touch},
	{"verify", command_verify},	  {"spin", command_spin},     {"stop", command_stop},
	{"on-signal", command_on_signal}, {"poison", command_poison}, {"kill-policy", command_kill_policy},
};

static void subject_run(char *text, size_t len)
{
	struct request r;

	/* The agent parsed this line before it passed it on. */
	if (parse_request(text, len, &r) != NULL)
		return;
	subject.faults = 0;
	for (size_t i = 0; i < COUNT(subject_commands); i++) {
		if (strcmp(subject_commands[i].name, r.command) == 0) {
			subject_commands[i].run(&r);
			return;
		}
	}
	send_error(r.id, ENOSYS, "a subject does not know this command", r.command);
}

/* Never returns: executes commands until the agent closes the pipe. */
static void subject_main(const char *name, struct shared *shared, bool may_reserve, int command_fd, int event_fd)
{
	static char alternate_stack[1 << 16]; /* large enough for the widest vector state in a signal frame */
	static char buf[WIRE_MAX];
	stack_t stack;
	size_t used = 0;

	subject.name = name;
	subject.shared = shared;
	subject.may_reserve = may_reserve;
	subject.event_fd = event_fd;
	emit = subject_emit;
	prctl(PR_SET_NAME, name, 0, 0, 0);
	memset(&stack, 0, sizeof(stack));
	stack.ss_sp = alternate_stack;
	stack.ss_size = sizeof(alternate_stack);
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < COUNT(reported_signals); i++)
		set_action(reported_signals[i], ACTION_REPORT);
	for (;;) {
		ssize_t n = read_some(command_fd, buf + used, sizeof(buf) - used);
		char *start = buf, *end;

		if (n <= 0)
			_exit(0);
		used += (size_t)n;
		while ((end = memchr(start, '\n', used - (size_t)(start - buf))) != NULL) {
			*end = '\0';
			subject_run(start, (size_t)(end - start));
			start = end + 1;
		}
		used -= (size_t)(start - buf);
		memmove(buf, start, used);
		if (used == sizeof(buf))
			_exit(71);
	}
}

#endif
