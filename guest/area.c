#define _GNU_SOURCE

#include "area.h"

#include "disk.h"
#include "frames.h"
#include "io.h"
#include "request.h"
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* include/uapi/asm-generic/mman-common.h; older libc headers lack it */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
/* include/uapi/linux/kernel-page-flags.h */
#define KPF_THP 22

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

void reserve_huge_pages(uint64_t page_bytes, uint64_t pages)
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
	if (!read_number(line_text(&path), &unused) || unused >= pages)
		return;
	path.n = base;
	put(&path, "nr_hugepages");
	if (!read_number(line_text(&path), &total))
		return;
	value.n = 0;
	put_u64(&value, total + pages - unused);
	fd = open(line_text(&path), O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)write_fully(fd, value.b, value.n);
	close(fd);
}

/*
 * Small machines boot with transparent huge pages off; collapsing works there too. It may fail for a moment, as while a
 * page is on its way to the LRU lists or memory is being compacted, so it gets half a second.
 */
void collapse(char *p, size_t bytes)
{
	const struct timespec pause = {0, 10 * 1000 * 1000};

	for (int i = 0; i < 50 && madvise(p, bytes, MADV_COLLAPSE) != 0 && errno != EINVAL; i++)
		nanosleep(&pause, NULL);
}

char *map_area(const char *kind, uint64_t bytes, uint64_t page_bytes)
{
	int flags = strcmp(kind, "shared") == 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_PRIVATE | MAP_ANONYMOUS;
	size_t slack = 0;
	int fd = -1;
	char *p;

	if (strcmp(kind, "vm") == 0)
		return vm_memory(bytes);
	if (strcmp(kind, "memfd") == 0) {
		flags = MAP_SHARED;
		fd = memfd_create("page", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0)
			return NULL;
	} else if (strcmp(kind, "file") == 0 || strcmp(kind, "clean") == 0) {
		flags = MAP_SHARED;
		if (bytes > DISK_FILE_PAGES * BASE_PAGE) {
			errno = EFBIG;
			return NULL;
		}
		fd = open(DISK_FILE, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return NULL;
	}
	if (strcmp(kind, "hugetlb") == 0)
		flags |= MAP_HUGETLB | (page_bytes == 1ull << 30 ? 30 << MAP_HUGE_SHIFT : 21 << MAP_HUGE_SHIFT);
	else if (page_bytes > BASE_PAGE)
		slack = page_bytes; /* transparent huge pages need natural alignment */
	p = mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (fd >= 0)
		close(fd);
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

bool bind_area(char *p, uint64_t bytes, unsigned node)
{
	unsigned long nodes = 1ul << node;

	/* include/uapi/linux/mempolicy.h: MPOL_BIND */
	return syscall(SYS_mbind, p, bytes, 2, &nodes, sizeof(nodes) * 8, 0) == 0;
}

/* Whether all small pages of an area are one frame; also true where the kernel does not let us know. */
static bool one_frame(const char *p, uint64_t bytes)
{
	uint64_t first = 0, entry = 0;

	for (uint64_t at = 0; at < bytes; at += BASE_PAGE) {
		if (pagemap_entry("/proc/self/pagemap", (uint64_t)(uintptr_t)p + at, &entry) != 0)
			return true;
		if (at == 0)
			first = pagemap_frame(entry);
		else if (pagemap_frame(entry) != first)
			return false;
	}
	return true;
}

bool settle_area(const char *kind, char *p, uint64_t bytes)
{
	const struct timespec pause = {0, 50 * 1000 * 1000};

	if (strcmp(kind, "clean") == 0)
		return msync(p, bytes, MS_SYNC) == 0;
	if (strcmp(kind, "ksm") != 0)
		return true;
	if (madvise(p, bytes, MADV_MERGEABLE) != 0)
		return false;
	for (int i = 0; i < 300; i++) {
		if (one_frame(p, bytes))
			return true;
		nanosleep(&pause, NULL);
	}
	errno = ETIMEDOUT; /* /sys/kernel/mm/ksm/run is 0, perhaps */
	return false;
}

bool all_transparent_huge(const char *p, uint64_t bytes, uint64_t page_bytes)
{
	for (uint64_t at = 0; at < bytes; at += page_bytes) {
		uint64_t virt = (uint64_t)(uintptr_t)p + at, entry = 0, flags = 0, pfn;

		if (pagemap_entry("/proc/self/pagemap", virt, &entry) != 0)
			return true;
		pfn = pagemap_frame(entry);
		if (pfn == 0 || !kpage_flags(pfn, &flags))
			return true;
		if ((flags >> KPF_THP & 1) == 0 || pfn * BASE_PAGE % page_bytes != 0)
			return false;
	}
	return true;
}
