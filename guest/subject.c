#define _GNU_SOURCE

#include "subject.h"

#include "area.h"
#include "frames.h"
#include "io.h"
#include "line.h"
#include "names.h"
#include "reader.h"
#include "request.h"
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* include/uapi/asm-generic/mman-common.h; older libc headers lack them */
#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* include/uapi/linux/userfaultfd.h since 6.6 */
#ifndef UFFDIO_POISON
#define UFFD_FEATURE_POISON (1 << 14)
struct uffdio_poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

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

bool set_kill_policy(const char *policy)
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

static void command_map(const struct request *r)
{
	const char *id = arg_text(r, "id", "");
	const char *kind = arg_text(r, "kind", "private");
	const char *size = arg_text(r, "size", strcmp(kind, "hugetlb") == 0 ? "2m" : "4k");
	const char *policy = arg_text(r, "kill", NULL);
	bool hugetlb = strcmp(kind, "hugetlb") == 0;
	bool transparent = !hugetlb && strcmp(size, "4k") != 0;
	struct mapping *m = NULL;
	uint64_t pages, fill, page_bytes, node, lock;
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
	if (!arg_u64(r, "node", UINT64_MAX, 0, 63, &node)) {
		send_error(r->id, EINVAL, "node is 0 to 63", NULL);
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
	if (page_bytes == 0 || !listed(AREA_KINDS, kind) ||
	    (hugetlb ? page_bytes < 1u << 21 : page_bytes > (listed("private shared", kind) ? 1u << 21 : BASE_PAGE))) {
		send_error(r->id, EINVAL,
			   "kind is private or shared with size 4k or 2m, hugetlb with 2m or 1g, or memfd, file, clean, ksm or vm with 4k",
			   NULL);
		return;
	}
	if (!arg_u64(r, "lock", 1, 0, 1, &lock)) {
		send_error(r->id, EINVAL, "lock is 0 or 1", NULL);
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
	if (node != UINT64_MAX && !bind_area(p, pages * page_bytes, (unsigned)node)) {
		int error = errno;

		munmap(p, pages * page_bytes);
		send_error(r->id, error, "mbind", NULL);
		return;
	}
	if (!hugetlb && listed("private shared", kind))
		(void)madvise(p, pages * page_bytes, transparent ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	/* Fresh huge pages are zero already, and a gigabyte is much for an emulated CPU. */
	if (hugetlb && fill == 0)
		for (uint64_t i = 0; i < pages; i++)
			*(volatile char *)(p + i * page_bytes) = 0;
	else
		memset(p, (int)fill, pages * page_bytes);
	if (transparent)
		collapse(p, pages * page_bytes);
	if (lock != 0 && mlock(p, pages * page_bytes) != 0) {
		int error = errno;

		munmap(p, pages * page_bytes);
		send_error(r->id, error, "mlock", NULL);
		return;
	}
	if (!settle_area(kind, p, pages * page_bytes)) {
		int error = errno;

		munmap(p, pages * page_bytes);
		send_error(r->id, error, "the area does not become one of its kind", kind);
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
	/* at= counts small pages, whatever the size of the mapping's. */
	if (arg(r, "at") != NULL) {
		if (!arg_u64(r, "at", 0, 0, m->bytes / BASE_PAGE - 1, &page)) {
			send_error(r->id, EINVAL, "at is outside the mapping", id);
			return NULL;
		}
		*address = (volatile unsigned char *)(uintptr_t)(m->virt + page * BASE_PAGE + offset % BASE_PAGE);
		return m;
	}
	*address = (volatile unsigned char *)(uintptr_t)(m->virt + page * m->page_bytes + offset);
	return m;
}

static void command_unmap(const struct request *r)
{
	volatile unsigned char *p;
	struct mapping *m = addressed(r, &p);

	if (m == NULL)
		return;
	if (munmap((void *)(uintptr_t)m->virt, m->bytes) != 0) {
		send_error(r->id, errno, "munmap", m->id);
		return;
	}
	m->bytes = 0;
	send_ok(r->id);
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

/*
 * Takes a page out of the process and leaves a poison marker in its place, by userfaultfd(2): what migration does with a page
 * that was poisoned where it comes from. No frame is poisoned. 0 or an errno.
 */
static int poison_entry(uint64_t virt)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_POISON};
	struct uffdio_register area = {.range = {virt, BASE_PAGE}, .mode = UFFDIO_REGISTER_MODE_MISSING};
	struct uffdio_poison marker = {.range = {virt, BASE_PAGE}};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), error = 0;

	if (fd < 0)
		return errno;
	/* ioctl(2) takes an int in one C library and a long in another, and these requests have the highest bit of an int. */
	if (syscall(SYS_ioctl, fd, UFFDIO_API, &api) != 0 || syscall(SYS_ioctl, fd, UFFDIO_REGISTER, &area) != 0 ||
	    madvise((void *)(uintptr_t)virt, BASE_PAGE, MADV_DONTNEED_LOCKED) != 0 ||
	    syscall(SYS_ioctl, fd, UFFDIO_POISON, &marker) != 0)
		error = errno;
	/* The marker stays; the file descriptor has to go, or faults of others would wait for it. */
	close(fd);
	return error;
}

/*
 * Has the kernel use eight bytes of a mapping, in a call that holds no lock meanwhile: where it is ended for that, nothing waits for it.
 * What the call gives, with errno; -2 where there is no event counter for it.
 */
static ssize_t kernel_use(const char *call, volatile unsigned char *p)
{
	void *there = (void *)((uintptr_t)p & ~(uintptr_t)7);
	uint64_t copy;
	ssize_t n;
	int fd, error;

	if (strcmp(call, "copy") == 0) {
		struct iovec to = {&copy, sizeof(copy)}, from = {there, sizeof(copy)};

		return process_vm_readv(getpid(), &to, 1, &from, 1, 0);
	}
	fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -2;
	n = strcmp(call, "write") == 0 ? write(fd, there, sizeof(copy)) : read(fd, there, sizeof(copy));
	error = errno;
	close(fd);
	errno = error;
	return n;
}

/* Lets the kernel read or write a word of a mapping: it is the kernel that meets the error. */
static void command_system_call(const struct request *r)
{
	const char *call = arg_text(r, "call", "write");
	volatile unsigned char *p;
	struct mapping *m = addressed(r, &p);
	struct line l;
	ssize_t n;
	int error;

	if (m == NULL)
		return;
	if (!listed("write read copy", call)) {
		send_error(r->id, EINVAL, "call is write, read or copy", call);
		return;
	}
	n = kernel_use(call, p);
	error = errno;
	if (n == -2) {
		send_error(r->id, error, "eventfd", NULL);
		return;
	}
	ok_begin(&l, r->id);
	kv_i64(&l, "result", n);
	if (n < 0) {
		const char *name = errno_name(error);

		kv(&l, "errno", name != NULL ? name : "EIO");
	}
	line_send(&l);
}

/* Lets the VM whose memory a mapping is read a byte of it, and tells how its CPU came back. */
static void command_run_vm(const struct request *r)
{
	volatile unsigned char *p;
	struct mapping *m = addressed(r, &p);
	struct vm_exit end;
	struct line l;

	if (m == NULL)
		return;
	if (!vm_read((uint64_t)(uintptr_t)p - m->virt, &end)) {
		send_error(r->id, errno, "KVM", m->id);
		return;
	}
	ok_begin(&l, r->id);
	kv_i64(&l, "result", end.result);
	kv_u64(&l, "exit", end.reason);
	if (end.result < 0) {
		const char *name = errno_name(end.error);

		kv(&l, "errno", name != NULL ? name : "EIO");
	}
	if (end.bytes != 0) {
		kv_hex(&l, "addr", end.gpa);
		kv_u64(&l, "bytes", end.bytes);
	} else if (end.result == 0) {
		key(&l, "value");
		put_hex(&l, end.value, 2);
	}
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
	} else if (strcmp(how, "userfaultfd") == 0) {
		int error = poison_entry((uint64_t)(uintptr_t)p & ~(uint64_t)(BASE_PAGE - 1));

		if (error != 0) {
			send_error(r->id, error, "userfaultfd", how);
			return;
		}
		ok_begin(&l, r->id);
		kv_hex(&l, "virt", (uint64_t)(uintptr_t)p);
		line_send(&l);
		return;
	} else {
		send_error(r->id, EINVAL, "how is madvise, soft-offline or userfaultfd", NULL);
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
	if (!set_kill_policy(arg_text(r, "kill", ""))) {
		send_error(r->id, errno, "kill must be early, late or default and the kernel must know PR_MCE_KILL", NULL);
		return;
	}
	send_ok(r->id);
}

static const struct {
	const char *name;
	void (*run)(const struct request *);
} subject_commands[] = {
	{"map", command_map},		  {"unmap", command_unmap},   {"touch", command_touch},
	{"verify", command_verify},	  {"spin", command_spin},     {"stop", command_stop},
	{"on-signal", command_on_signal}, {"poison", command_poison}, {"kill-policy", command_kill_policy},
	{"system-call", command_system_call}, {"run-vm", command_run_vm},
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

static void line_too_long(void)
{
	_exit(71);
}

_Noreturn void subject_main(const char *name, struct shared *shared, bool may_reserve, int command_fd, int event_fd)
{
	static char alternate_stack[1 << 16]; /* large enough for the widest vector state in a signal frame */
	static const struct listener commands = {subject_run, line_too_long};
	static struct reader in;
	stack_t stack;

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
	while (read_lines(&in, command_fd, &commands) > 0)
		;
	_exit(0);
}
