/*
 * Copies a process with all its threads. fork(2) copies the memory, and of the threads only the one that calls it. So the others
 * are parked in a signal handler first; in the copy each is made again by clone(2) on its old stack and with its old
 * thread-local storage, and returns from the handler. Locks stay as they are: who held one holds it in the copy too.
 *
 * Relied on, and checked by find_threads or when it is used:
 * - signal 33 reaches every thread. glibc keeps it for setuid(2) and blocks it nowhere (nptl, SIGSETXID), and a program that
 *   blocks all signals through pthread_sigmask leaves it out. A thread that blocks it all the same is never parked: refused.
 * - the TID of a thread stands in its control block at the same offset in all of them, and libc reads it there. The offset is
 *   searched in this thread, and the TID of each parked one is compared with what stands there.
 * - fork of libc is not used: its child gives back the stacks of the threads that it takes for ended.
 */
#include "threads.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/time_types.h>

#include "library.h"
#include "system.h"

enum {
  PARK_SIGNAL = 33,
  MOST_THREADS = 96,
  CONTROL_BLOCK = 2304, /* sizeof(struct pthread) of any glibc up to 2.42 */
  RSEQ_BYTES = 32,
  RSEQ_SIGNATURE = 0x53053053, /* glibc, x86 */
};

struct context {
  uint64_t registers[8];
};

long save_context(struct context *) __attribute__((returns_twice));
long start_thread(unsigned long flags, void *stack, int *parent, int *child, char *tls, struct context *);
void signal_return(void);

struct thread {
  struct context context;
  char *block;
  int tid;
  void *robust;
  size_t robust_bytes;
};

static struct thread threads[MOST_THREADS];
/* Handed out to those who park; of them, the ones whose context is saved. */
static int32_t taken, parked;
/* Who parked in an earlier round goes on. */
static int32_t round;
static long tid_offset = -1;
static struct thread own;
static uint64_t own_mask;

static char *control_block(void) {
  char *block;
  __asm__("mov %%fs:0, %0" : "=r"(block));
  return block;
}

static long futex(int32_t *word, int operation, int32_t value, const struct __kernel_timespec *timeout) {
  return system4(__NR_futex, (long)word, operation, value, (long)timeout);
}

static void note_robust(struct thread *thread) {
  if (system3(__NR_get_robust_list, 0, (long)&thread->robust, (long)&thread->robust_bytes) < 0) thread->robust = NULL;
}

/* What the kernel keeps for each thread and does not copy. */
static void register_again(const struct thread *thread, int with_rseq) {
  if (thread->robust != NULL) system3(__NR_set_robust_list, (long)thread->robust, (long)thread->robust_bytes, 0);
  if (with_rseq && &__rseq_offset != NULL && __rseq_size > 0)
    system4(__NR_rseq, (long)(thread->block + __rseq_offset), RSEQ_BYTES, 0, RSEQ_SIGNATURE);
}

static void park(int signal) {
  (void)signal;
  int32_t now = __atomic_load_n(&round, __ATOMIC_SEQ_CST);
  int32_t place = __atomic_fetch_add(&taken, 1, __ATOMIC_SEQ_CST);
  if (place >= MOST_THREADS) return;
  struct thread *me = &threads[place];
  me->block = control_block();
  me->tid = (int)system3(__NR_gettid, 0, 0, 0);
  note_robust(me);
  if (save_context(&me->context) != 0) {
    register_again(me, 1);
    return;
  }
  __atomic_fetch_add(&parked, 1, __ATOMIC_SEQ_CST);
  futex(&parked, FUTEX_WAKE_PRIVATE, 1, NULL);
  while (__atomic_load_n(&round, __ATOMIC_SEQ_CST) == now) futex(&round, FUTEX_WAIT_PRIVATE, now, NULL);
}

struct action {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};

static const unsigned long RESTORER = 0x04000000, RESTART = 0x10000000;
static struct action before;

struct entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

/* Sends the signal to every other thread that is not among those already counted. How many others there are, or < 0. */
static int signal_others(int *known, int *count) {
  char buffer[4096] __attribute__((aligned(8)));
  long self = system3(__NR_getpid, 0, 0, 0);
  long folder = system3(__NR_open, (long)"/proc/self/task", 0, 0);
  int others = 0;
  if (folder < 0) return -1;
  for (long bytes; (bytes = system3(__NR_getdents64, folder, (long)buffer, sizeof buffer)) > 0;) {
    for (long at = 0; at < bytes;) {
      const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
      int tid = (int)number_in(entry->name), old = 0;
      at += entry->length;
      if (tid <= 0 || tid == self) continue;
      others++;
      for (int i = 0; i < *count; i++) old |= known[i] == tid;
      if (old) continue;
      if (*count == MOST_THREADS) others = -1;
      if (others < 0) break;
      if (system3(__NR_tgkill, self, tid, PARK_SIGNAL) == 0) known[(*count)++] = tid;
    }
    if (others < 0) break;
  }
  system3(__NR_close, folder, 0, 0);
  return others;
}

const char *park_threads(void) {
  /* Each time: libc takes the signal back when it starts a thread. */
  struct action action = {park, RESTORER | RESTART, signal_return, ~0ul};
  const struct __kernel_timespec moment = {0, 2000000};
  int known[MOST_THREADS], count = 0;
  uint64_t all = ~0ul;
  system4(__NR_rt_sigprocmask, 2, (long)&all, (long)&own_mask, sizeof all);
  __atomic_store_n(&taken, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&parked, 0, __ATOMIC_SEQ_CST);
  if (system4(__NR_rt_sigaction, PARK_SIGNAL, (long)&action, (long)&before, sizeof all) < 0) return "signal 33 is refused";
  own.block = control_block();
  note_robust(&own);
  for (int tries = 0; tries < 2500; tries++) {
    /* A thread may begin or end meanwhile: those that are there are counted anew. */
    int others = signal_others(known, &count);
    int32_t now = __atomic_load_n(&parked, __ATOMIC_SEQ_CST);
    if (others < 0) return "there are too many threads, or /proc is not there";
    if (now == others) {
      for (int i = 0; tid_offset >= 0 && i < now; i++)
        if (*(int *)(void *)(threads[i].block + tid_offset) != threads[i].tid)
          return "the control block of a thread does not hold its TID where that of the first one does";
      return NULL;
    }
    futex(&parked, FUTEX_WAIT_PRIVATE, now, &moment);
  }
  return "a thread blocks signal 33";
}

void release_threads(void) {
  __atomic_fetch_add(&round, 1, __ATOMIC_SEQ_CST);
  futex(&round, FUTEX_WAKE_PRIVATE, 1 << 20, NULL);
  system4(__NR_rt_sigaction, PARK_SIGNAL, (long)&before, 0, sizeof own_mask);
  system4(__NR_rt_sigprocmask, 2, (long)&own_mask, 0, sizeof own_mask);
}

const char *find_threads(void) {
  char *block = control_block();
  int tid = (int)system3(__NR_gettid, 0, 0, 0);
  if (tid != system3(__NR_getpid, 0, 0, 0)) return "this is not the first thread";
  for (long offset = 0; offset < CONTROL_BLOCK && tid_offset < 0; offset += 4)
    if (*(int *)(void *)(block + offset) == tid) tid_offset = offset;
  if (tid_offset < 0) return "the control block of the first thread does not hold its TID";
  const char *why = park_threads();
  release_threads();
  return why;
}

long copy_process(void) {
  int *tid = (int *)(void *)(own.block + tid_offset);
  /* The kernel writes the TID of the copy where libc reads it. 17 is SIGCHLD. */
  return system6(__NR_clone, 17 | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, 0, 0, (long)tid, 0, 0);
}

long copy_threads(void) {
  const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
                              CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  int32_t count = __atomic_load_n(&parked, __ATOMIC_SEQ_CST);
  register_again(&own, 0);
  __atomic_fetch_add(&round, 1, __ATOMIC_SEQ_CST);
  for (int32_t i = 0; i < count; i++) {
    struct thread *thread = &threads[i];
    int *tid = (int *)(void *)(thread->block + tid_offset);
    void *stack = (void *)thread->context.registers[6];
    long made = start_thread(flags, stack, tid, tid, thread->block, &thread->context);
    if (made < 0) return made;
  }
  system4(__NR_rt_sigaction, PARK_SIGNAL, (long)&before, 0, sizeof own_mask);
  system4(__NR_rt_sigprocmask, 2, (long)&own_mask, 0, sizeof own_mask);
  return 0;
}
