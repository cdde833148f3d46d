#define _GNU_SOURCE

#include "frames.h"

#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bit 62 swap, bits 0-54 frame number when present. */
int pagemap_entry(const char *path, uint64_t virt, uint64_t *entry)
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

uint64_t pagemap_frame(uint64_t entry)
{
	return entry & ((1ull << 55) - 1);
}

bool kpage_flags(uint64_t pfn, uint64_t *flags)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = pread(fd, flags, sizeof(*flags), (off_t)(pfn * sizeof(*flags))) == sizeof(*flags);
	close(fd);
	return good;
}

void kv_translation(struct line *l, const char *pagemap, uint64_t virt)
{
	uint64_t entry = 0, flags;
	int error = pagemap_entry(pagemap, virt, &entry);
	uint64_t pfn = pagemap_frame(entry);
	bool present = (entry >> 63) != 0;

	if (error != 0) {
		const char *name = errno_name(error);

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
