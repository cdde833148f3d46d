/*
 * A server of forks in QEMU: loaded before it (ld.so --preload), asked over a socket, it copies the whole running process, guest
 * and all. Each copy has monitor, console and lines of its own, and goes on where the process stood.
 *
 * The lab stops the machine first (QMP stop): then no virtual CPU runs, and this process never changes between two copies.
 *
 * Requests, a line each, and their answers:
 *   arm          looks at threads, descriptors and mappings: `armed`, or `refused WHY DETAIL`
 *   fork TOKEN   the copy dials the hub (see own_ends): `forked TOKEN PID`, or `failed TOKEN WHY ERRNO`
 *   kill PID     of a copy that has not ended yet
 *   hash         of the guest's memory: `hash 0x…`
 * Besides it says `ended PID WAIT-STATUS CPU-MICROSECONDS` of each copy that has ended.
 *
 * No copy outlives its parent (PR_SET_PDEATHSIG), and this process ends when its socket is closed: with the lab, also when that is
 * killed.
 */
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/time_types.h>

#include "ends.h"
#include "library.h"
#include "system.h"
#include "threads.h"

/* A function that QEMU finds here before the one of its library. Everything else is compiled to be hidden. */
#define PUT_BEFORE __attribute__((visibility("default")))

enum {
  MOST_COPIES = 64,
  MOST_BLOCKS = 64,
  DONT_FORK = 10, /* MADV_DONTFORK */
  SIGKILL_ = 9,
};

/* The name of the hub's socket, and of this run's folder: what QEMU has open below it are lines of the lab. */
static char hub[108], folder[108];
static int control = -1;

struct copy {
  int pid;
  int handle;
};
static struct copy copies[MOST_COPIES];
static int running;

/* The blocks of memory that QEMU keeps from its children: those of its guest. */
static struct block {
  const uint64_t *from;
  size_t bytes;
} blocks[MOST_BLOCKS];
static int block_count;

static void answer(const struct text *text) {
  size_t done = 0;
  while (done < text->length) {
    long wrote = system3(__NR_write, control, (long)(text->bytes + done), (long)(text->length - done));
    if (wrote == INTERRUPTED) continue;
    /* Nobody is there any more. */
    if (wrote < 0) leave(0);
    done += (size_t)wrote;
  }
}

static void answer_words(const char *first, const char *second, const char *third) {
  struct text text = {0, 0, {0}};
  add(&text, first);
  add(&text, second);
  add(&text, third);
  add(&text, "\n");
  answer(&text);
}

/* Says of each copy that has ended how it did, and what it has used. */
static void reap(void) {
  for (int i = 0; i < running;) {
    struct rusage used = {0};
    int status = 0;
    long ended = system4(__NR_wait4, copies[i].pid, (long)&status, 1 /* WNOHANG */, (long)&used);
    if (ended == 0) {
      i++;
      continue;
    }
    struct text text = {0, 0, {0}};
    add(&text, "ended ");
    add_number(&text, (uint64_t)copies[i].pid);
    add(&text, " ");
    add_number(&text, (uint64_t)(uint32_t)status);
    add(&text, " ");
    add_number(&text, (uint64_t)((used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
                                 used.ru_stime.tv_usec));
    add(&text, "\n");
    system3(__NR_close, copies[i].handle, 0, 0);
    copies[i] = copies[--running];
    answer(&text);
  }
}

static void failed(const char *token, const char *why, long number) {
  struct text text = {0, 0, {0}};
  add(&text, "failed ");
  add(&text, token);
  add(&text, " ");
  add(&text, why);
  add(&text, " ");
  add_number(&text, (uint64_t)(number < 0 ? -number : number));
  add(&text, "\n");
  answer(&text);
}

/* In the copy. What fails here ends it: it has no line yet on which it could say so, and its parent tells of its end. */
static void become(const char *token, long parent) {
  system3(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL_, 0);
  if (system3(__NR_getppid, 0, 0, 0) != parent) leave(96);
  for (int i = 0; i < running; i++) system3(__NR_close, copies[i].handle, 0, 0);
  running = 0;
  if (own_ends(hub, token, control) < 0) leave(97);
  if (copy_threads() < 0) leave(98);
}

static void fork_machine(const char *token) {
  char detail[200];
  long self = system3(__NR_getpid, 0, 0, 0);
  if (running == MOST_COPIES) return failed(token, "copies", MOST_COPIES);
  /* What was opened since: a copy shares nothing that was not looked at. */
  if (find_ends(folder, control, detail, sizeof detail) != NULL) return failed(token, "descriptor", 0);
  if (park_threads() != NULL) {
    release_threads();
    return failed(token, "threads", 0);
  }
  long pid = copy_process();
  if (pid == 0) return become(token, self);
  release_threads();
  if (pid < 0) return failed(token, "clone", pid);
  long handle = system3(__NR_pidfd_open, pid, 0, 0);
  if (handle < 0) {
    system3(__NR_kill, pid, SIGKILL_, 0);
    system4(__NR_wait4, pid, 0, 0, 0);
    return failed(token, "pidfd_open", handle);
  }
  copies[running++] = (struct copy){(int)pid, (int)handle};
  struct text text = {0, 0, {0}};
  add(&text, "forked ");
  add(&text, token);
  add(&text, " ");
  add_number(&text, (uint64_t)pid);
  add(&text, "\n");
  answer(&text);
}

static void kill_copy(long pid) {
  for (int i = 0; i < running; i++)
    if (copies[i].pid == pid) system3(__NR_kill, pid, SIGKILL_, 0);
}

static void arm(void) {
  char detail[200];
  detail[0] = 0;
  const char *why = find_threads();
  if (why != NULL) return answer_words("refused threads ", why, "");
  why = find_ends(folder, control, detail, sizeof detail);
  if (why == NULL) return answer_words("armed", "", "");
  struct text text = {0, 0, {0}};
  add(&text, "refused ");
  add(&text, why);
  add(&text, " ");
  add(&text, detail);
  add(&text, "\n");
  answer(&text);
}

/* Tells any two contents apart that differ in one word; no more is asked of it. */
static void hash(void) {
  uint64_t sum = 0x9e3779b97f4a7c15;
  for (int b = 0; b < block_count; b++)
    for (size_t i = 0; i < blocks[b].bytes / sizeof sum; i++) {
      sum = (sum ^ blocks[b].from[i]) * 0xff51afd7ed558ccd;
      sum ^= sum >> 32;
    }
  char digits[] = "hash 0x0000000000000000\n";
  for (int i = 0; i < 16; i++) digits[7 + i] = "0123456789abcdef"[(sum >> (60 - 4 * i)) & 15];
  struct text text = {0, 0, {0}};
  add(&text, digits);
  answer(&text);
}

static void serve(void) {
  char line[200];
  size_t length = 0;
  for (;;) {
    long got = system3(__NR_read, control, (long)(line + length), 1);
    if (got == INTERRUPTED) continue;
    /* The lab has ended, or has no more use for this machine. */
    if (got <= 0) leave(0);
    if (line[length] == '\n') break;
    if (++length == sizeof line) leave(95);
  }
  line[length] = 0;
  if (begins(line, "fork ")) fork_machine(line + 5);
  else if (begins(line, "kill ")) kill_copy(number_in(line + 5));
  else if (same(line, "arm")) arm();
  else if (same(line, "hash")) hash();
  else answer_words("unknown ", line, "");
}

static int result_of(long result) {
  if (result >= 0) return (int)result;
  *__errno_location() = (int)-result;
  return -1;
}

static int wait_for(struct pollfd *ends, unsigned long count, const struct __kernel_timespec *timeout, const void *mask) {
  /* The system call writes what is left of the time; ppoll(3) does not. */
  struct __kernel_timespec left = {0, 0};
  if (timeout != NULL) left = *timeout;
  return result_of(system6(__NR_ppoll, (long)ends, (long)count, timeout == NULL ? 0 : (long)&left, (long)mask, 8, 0));
}

/*
 * Takes the place of libc's. Relied on: the main loop of QEMU waits in ppoll with its first thread (util/qemu-timer.c), and that
 * waits nowhere else for longer than a moment.
 */
PUT_BEFORE int ppoll(struct pollfd *ends, unsigned long count, const struct __kernel_timespec *timeout, const void *mask) {
  if (control < 0 || count > 256 || system3(__NR_gettid, 0, 0, 0) != system3(__NR_getpid, 0, 0, 0))
    return wait_for(ends, count, timeout, mask);
  struct pollfd all[256 + 1 + MOST_COPIES];
  unsigned long own = 1 + (unsigned long)running;
  all[0] = (struct pollfd){control, POLLIN, 0};
  for (int i = 0; i < running; i++) all[1 + i] = (struct pollfd){copies[i].handle, POLLIN, 0};
  for (unsigned long i = 0; i < count; i++) all[own + i] = ends[i];
  int ready = wait_for(all, own + count, timeout, mask);
  if (ready > 0) {
    int ours = 0, ended = 0;
    for (unsigned long i = 0; i < own; i++) ours += all[i].revents != 0;
    for (unsigned long i = 1; i < own; i++) ended |= all[i].revents != 0;
    if (ended) reap();
    if (all[0].revents != 0) serve();
    /* In a copy the numbers stand for other ends now. */
    if (ours > 0) return wait_for(ends, count, &(struct __kernel_timespec){0, 0}, mask);
  }
  for (unsigned long i = 0; i < count; i++) ends[i].revents = all[own + i].revents;
  return ready;
}

/* io_uring and epoll have state in the kernel that a copy would share; QEMU does without, with ppoll. */
PUT_BEFORE int io_uring_queue_init(unsigned entries, void *ring, unsigned flags) {
  (void)entries;
  (void)ring;
  (void)flags;
  return -NOT_THERE;
}

PUT_BEFORE int epoll_create1(int flags) {
  (void)flags;
  return result_of(-NOT_THERE);
}

/* QEMU keeps the memory of its guest from its children (MADV_DONTFORK): here they are to have it. */
PUT_BEFORE int madvise(void *from, size_t bytes, int advice) {
  if (advice != DONT_FORK || control < 0) return result_of(system3(__NR_madvise, (long)from, (long)bytes, advice));
  if (block_count < MOST_BLOCKS) blocks[block_count++] = (struct block){from, bytes};
  return 0;
}

static void copy_text(char *to, const char *from, size_t room) {
  for (size_t i = 0; i + 1 < room && from[i] != 0; i++) to[i] = from[i];
}

__attribute__((constructor)) static void begin(void) {
  const char *hub_path = getenv("SYNDROME_FORK_HUB"), *run = getenv("SYNDROME_FORK_FOLDER");
  const char *token = getenv("SYNDROME_FORK_TOKEN");
  if (hub_path == NULL || run == NULL || token == NULL) return;
  copy_text(hub, hub_path, sizeof hub);
  copy_text(folder, run, sizeof folder);
  /* What this process has got from those that started it, QEMU does not know of. */
  system3(__NR_close_range, 3, ~0u, 0);
  long end = dial(hub, token, "control");
  if (end >= 0) control = (int)end;
}
