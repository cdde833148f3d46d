/* All that is taken from the C library of the process: glibc. */
#ifndef SYNDROME_LIBRARY_H
#define SYNDROME_LIBRARY_H

#include <stddef.h>

#pragma GCC visibility push(default)
char *getenv(const char *name);
int *__errno_location(void);
/* Where a thread has its area for restartable sequences; a library before 2.35 has none. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));
#pragma GCC visibility pop

#endif
