/* Areas of memory to be hurt: anonymous, shared, of a file, merged, of a VM, of small, transparent huge or hugetlb pages. */
#ifndef SYNDROME_AREA_H
#define SYNDROME_AREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Grows the pool so that a hugetlb mapping of that many pages can be populated; failure shows up in mmap. */
void reserve_huge_pages(uint64_t page_bytes, uint64_t pages);

/* Every kind of area that map_area knows. */
#define AREA_KINDS "private shared hugetlb memfd file clean ksm vm"

/* An area of that many bytes, aligned to the page size; NULL with errno. */
char *map_area(const char *kind, uint64_t bytes, uint64_t page_bytes);

/* Its pages, none of which is there yet, come from this NUMA node; false with errno. */
bool bind_area(char *p, uint64_t bytes, unsigned node);

/* Makes of a filled area what its kind says: clean, or of one page for all. False with errno. */
bool settle_area(const char *kind, char *p, uint64_t bytes);

/* Makes transparent huge pages of it where the kernel can. */
void collapse(char *p, size_t bytes);

/* Whether every huge page of the area really is one; also true where the kernel does not let us know. */
bool all_transparent_huge(const char *p, uint64_t bytes, uint64_t page_bytes);

#endif
