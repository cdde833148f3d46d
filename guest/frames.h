/* Page frames behind virtual addresses, as the kernel tells them. */
#ifndef SYNDROME_FRAMES_H
#define SYNDROME_FRAMES_H

#include "line.h"

#include <stdbool.h>
#include <stdint.h>

#define BASE_PAGE 4096u

/* The entry of an address in a pagemap file. 0 or an errno. */
int pagemap_entry(const char *path, uint64_t virt, uint64_t *entry);
/* The frame number of a pagemap entry; 0 where the kernel hides it. */
uint64_t pagemap_frame(uint64_t entry);
/* The frame's line of /proc/kpageflags; false where it cannot be read. */
bool kpage_flags(uint64_t pfn, uint64_t *flags);
/* Adds phys, flags and the raw pagemap entry of an address; physerr when the kernel does not tell it. */
void kv_translation(struct line *l, const char *pagemap, uint64_t virt);

#endif
