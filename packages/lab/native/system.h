/*
 * System calls without a C library: this code is loaded into a QEMU with whatever library that has, and is compiled against
 * the headers of another one. Only what <linux/…> and <asm/…> define is used, and of the library four symbols (library.h).
 */
#ifndef SYNDROME_SYSTEM_H
#define SYNDROME_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

#include <asm/unistd.h>

/* Of <linux/fs.h>, <linux/signal.h> and others, which cannot be included beside each other. */
enum {
  NO_ENTRY = -2,
  INTERRUPTED = -4,
  EXISTS = -17,
  NOT_THERE = 38, /* ENOSYS */
};

static inline long system6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static inline long system4(long number, long a, long b, long c, long d) { return system6(number, a, b, c, d, 0, 0); }

static inline long system3(long number, long a, long b, long c) { return system6(number, a, b, c, 0, 0, 0); }

_Noreturn static inline void leave(int code) {
  for (;;) system3(__NR_exit_group, code, 0, 0);
}

static inline size_t length_of(const char *text) {
  size_t n = 0;
  while (text[n] != 0) n++;
  return n;
}

/* Whether `text` begins with `start`. */
static inline int begins(const char *text, const char *start) {
  while (*start != 0)
    if (*text++ != *start++) return 0;
  return 1;
}

static inline int same(const char *a, const char *b) { return begins(a, b) && length_of(a) == length_of(b); }

/* A text of bounded length that is put together from pieces; what does not fit is cut, and `cut` says so. */
struct text {
  size_t length;
  int cut;
  char bytes[512];
};

static inline void add(struct text *text, const char *piece) {
  for (; *piece != 0; piece++) {
    if (text->length + 1 >= sizeof text->bytes) {
      text->cut = 1;
      return;
    }
    text->bytes[text->length++] = *piece;
  }
  text->bytes[text->length] = 0;
}

static inline void add_number(struct text *text, uint64_t number) {
  char digits[24];
  size_t at = sizeof digits - 1;
  digits[at] = 0;
  do {
    digits[--at] = (char)('0' + (int)(number % 10));
    number /= 10;
  } while (number > 0);
  add(text, digits + at);
}

static inline long number_in(const char *text) {
  long number = 0;
  while (*text >= '0' && *text <= '9') number = number * 10 + (*text++ - '0');
  return number;
}

#endif
