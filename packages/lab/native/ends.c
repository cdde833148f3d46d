/*
 * What is open in QEMU, and what of it a copy may not share. A descriptor that is copied stands for the same open file: two
 * machines would read each other's monitor, and share the position in a file.
 *
 * Relied on: QEMU's descriptors are those below. What is none of them is not guessed about: the copy is refused.
 * - eventfds wake a thread of their process, and hold nothing else. A new one is made with the value 1: a wake for nothing.
 * - a signalfd takes the signals of who reads it (signalfd(2)), so it may be shared.
 * - the first descriptor is read by nobody.
 * - a file that can only be read is read at given positions (pread), as QEMU's block layer and loaders do.
 */
#include "ends.h"

#include <asm-generic/fcntl.h>
#include <linux/poll.h>
#include <linux/socket.h>
#include <linux/stat.h>
#include <linux/un.h>

#include "system.h"

enum {
  AF_UNIX_ = 1,
  STREAM = 1,
  SOL_SOCKET_ = 1,
  SO_ACCEPTCONN_ = 30,
  MOST_ENDS = 64,
  MOST_DESCRIPTORS = 1024,
  PATH_BYTES = 256,
};

enum kind { EVENT, HARMLESS, LINE, SOCKET, LISTENER, FOREIGN };

struct end {
  int descriptor;
  enum kind kind;
  char name[32];
};

static struct end ends[MOST_ENDS];
static int count;

static void address_of(struct sockaddr_un *address, const char *path) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX_, .sun_path = {0}};
  for (size_t i = 0; i + 1 < sizeof address->sun_path && path[i] != 0; i++) address->sun_path[i] = path[i];
}

long dial(const char *hub, const char *token, const char *name) {
  struct sockaddr_un address;
  struct text line = {0, 0, {0}};
  long end = system3(__NR_socket, AF_UNIX_, STREAM | O_CLOEXEC, 0);
  if (end < 0) return end;
  address_of(&address, hub);
  long result = system3(__NR_connect, end, (long)&address, sizeof address);
  if (result < 0) {
    system3(__NR_close, end, 0, 0);
    return result;
  }
  add(&line, token);
  add(&line, " ");
  add_number(&line, (uint64_t)system3(__NR_getpid, 0, 0, 0));
  add(&line, " ");
  add(&line, name);
  add(&line, "\n");
  result = system3(__NR_write, end, (long)line.bytes, (long)line.length);
  return result < 0 ? result : end;
}

/* Puts `from` under the number of `to`, with the status flags of that. */
static long move(long from, int to) {
  long flags = system3(__NR_fcntl, to, F_GETFL, 0);
  long result = system3(__NR_dup3, from, to, to <= 2 ? 0 : O_CLOEXEC);
  if (result >= 0 && flags >= 0) system3(__NR_fcntl, to, F_SETFL, flags);
  system3(__NR_close, from, 0, 0);
  return result < 0 ? result : 0;
}

static int link_of(int descriptor, char *to) {
  struct text path = {0, 0, {0}};
  add(&path, "/proc/self/fd/");
  add_number(&path, (uint64_t)descriptor);
  long length = system3(__NR_readlink, (long)path.bytes, (long)to, PATH_BYTES - 1);
  to[length < 0 ? 0 : length] = 0;
  return length >= 0;
}

/* The name of what lies in a folder; NULL for what does not. */
static const char *inside(const char *path, const char *folder) {
  size_t length = length_of(folder);
  return begins(path, folder) && path[length] == '/' ? path + length + 1 : NULL;
}

static void keep_name(struct end *end, const char *name) {
  size_t i = 0;
  for (; i + 1 < sizeof end->name && name[i] != 0; i++) end->name[i] = name[i];
  end->name[i] = 0;
}

static void classify(struct end *end, const char *folder) {
  char path[PATH_BYTES];
  struct sockaddr_un address;
  const char *name = NULL;
  end->kind = FOREIGN;
  if (!link_of(end->descriptor, path)) return;
  if (begins(path, "anon_inode:[eventfd]")) {
    end->kind = EVENT;
    return;
  }
  if (begins(path, "anon_inode:[signalfd]") || same(path, "/dev/null") || end->descriptor == 0) {
    end->kind = HARMLESS;
    return;
  }
  if (end->descriptor <= 2) {
    end->kind = LINE;
    name = "printed.out";
  } else if (begins(path, "socket:")) {
    int listens = 0, bytes = sizeof listens;
    system6(__NR_getsockopt, end->descriptor, SOL_SOCKET_, SO_ACCEPTCONN_, (long)&listens, (long)&bytes, 0);
    bytes = sizeof address;
    address = (struct sockaddr_un){.sun_family = 0, .sun_path = {0}};
    long call = listens ? __NR_getsockname : __NR_getpeername;
    if (system3(call, end->descriptor, (long)&address, (long)&bytes) < 0 || address.sun_family != AF_UNIX_) return;
    name = inside(address.sun_path, folder);
    if (name != NULL) end->kind = listens ? LISTENER : SOCKET;
  } else if ((name = inside(path, folder)) != NULL) {
    end->kind = LINE;
  } else if ((system3(__NR_fcntl, end->descriptor, F_GETFL, 0) & O_ACCMODE) == O_RDONLY && path[0] == '/') {
    end->kind = HARMLESS;
  }
  if (name != NULL) keep_name(end, name);
}

static void tell(char *detail, unsigned long room, const char *what) {
  unsigned long i = 0;
  for (; i + 1 < room && what[i] != 0 && what[i] != '\n'; i++) detail[i] = what[i] > ' ' && what[i] < 127 ? what[i] : '_';
  detail[i] = 0;
}

/* The first mapping that is written and shared: a copy would write into the memory of this process. */
static int shared_mapping(char *detail, unsigned long room) {
  static char text[1 << 16];
  char line[PATH_BYTES];
  size_t used = 0;
  int found = 0;
  long file = system3(__NR_open, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
  if (file < 0) {
    tell(detail, room, "/proc/self/maps");
    return 1;
  }
  for (long bytes; (bytes = system3(__NR_read, file, (long)text, sizeof text)) > 0;) {
    for (long i = 0; i < bytes; i++) {
      if (text[i] != '\n') {
        if (used + 1 < sizeof line) line[used++] = text[i];
        continue;
      }
      line[used] = 0;
      used = 0;
      /* FROM-TO rw-s OFFSET DEVICE INODE PATH */
      const char *at = line;
      while (*at != 0 && *at != ' ') at++;
      if (!found && *at == ' ' && at[2] == 'w' && at[4] == 's') {
        tell(detail, room, at + 1);
        found = 1;
      }
    }
  }
  system3(__NR_close, file, 0, 0);
  return found;
}

static int known(int descriptor) {
  for (int i = 0; i < count; i++)
    if (ends[i].descriptor == descriptor) return 1;
  return 0;
}

/* What has no name is looked at anew each time: it may have been closed, and its number stand for another file. */
static void forget_nameless(void) {
  int kept = 0;
  for (int i = 0; i < count; i++)
    if (ends[i].name[0] != 0) ends[kept++] = ends[i];
  count = kept;
}

/* Asks of all descriptors at once which may be open: one system call for each is a good part of what a copy takes. */
static const struct pollfd *all_descriptors(void) {
  static struct pollfd all[MOST_DESCRIPTORS];
  for (int i = 0; i < MOST_DESCRIPTORS; i++) all[i] = (struct pollfd){i, 0, 0};
  system3(__NR_poll, (long)all, MOST_DESCRIPTORS, 0);
  return all;
}

static int is_open(int descriptor) { return system3(__NR_fcntl, descriptor, F_GETFD, 0) >= 0; }

const char *find_ends(const char *folder, int control, char *detail, unsigned long room) {
  char path[PATH_BYTES];
  const struct pollfd *all = all_descriptors();
  forget_nameless();
  for (int descriptor = 0; descriptor < MOST_DESCRIPTORS; descriptor++) {
    if (descriptor == control || (all[descriptor].revents & POLLNVAL) != 0) continue;
    if (known(descriptor) || !is_open(descriptor)) continue;
    /* Of the copies of this process: they close them. */
    if (link_of(descriptor, path) && begins(path, "anon_inode:[pidfd]")) continue;
    struct end end = {descriptor, FOREIGN, {0}};
    classify(&end, folder);
    if (end.kind == FOREIGN || count == MOST_ENDS) {
      tell(detail, room, path);
      return "descriptor";
    }
    ends[count++] = end;
  }
  return shared_mapping(detail, room) ? "mapping" : NULL;
}

/* The file of a line of this process alone, as fork/hub.ts names it. */
static void add_line(struct text *path, const char *hub, const char *token, const char *name) {
  add(path, hub);
  add(path, ".");
  add(path, token);
  add(path, ".");
  add(path, name);
}

/* A FIFO for a line of this process alone: with an end for either way, so that nothing waits for who opens the other. */
static long fifo(const char *hub, const char *token, const char *name) {
  struct text path = {0, 0, {0}};
  add_line(&path, hub, token, name);
  if (path.cut) return -36; /* ENAMETOOLONG */
  long result = system3(__NR_mknod, (long)path.bytes, S_IFIFO | 0600, 0);
  if (result < 0 && result != EXISTS) return result;
  return system3(__NR_open, (long)path.bytes, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
}

static long listener(const char *hub, const char *token, const char *name) {
  struct sockaddr_un address;
  struct text path = {0, 0, {0}};
  add_line(&path, hub, token, name);
  if (path.length >= sizeof address.sun_path) return -36;
  address_of(&address, path.bytes);
  long end = system3(__NR_socket, AF_UNIX_, STREAM | O_CLOEXEC, 0);
  if (end < 0) return end;
  long result = system3(__NR_bind, end, (long)&address, sizeof address);
  if (result >= 0) result = system3(__NR_listen, end, 1, 0);
  return result < 0 ? result : end;
}

long own_ends(const char *hub, const char *token, int control) {
  for (int i = 0; i < count; i++) {
    const struct end *end = &ends[i];
    long fresh;
    if (end->kind == HARMLESS || !is_open(end->descriptor)) continue;
    if (end->kind == EVENT) fresh = system3(__NR_eventfd2, 1, O_CLOEXEC, 0);
    else if (end->kind == LINE) fresh = fifo(hub, token, end->name);
    else if (end->kind == LISTENER) fresh = listener(hub, token, end->name);
    else fresh = dial(hub, token, end->name);
    if (fresh < 0) return fresh;
    long moved = move(fresh, end->descriptor);
    if (moved < 0) return moved;
  }
  /* The last: who waits for it finds the others. */
  long fresh = dial(hub, token, "control");
  return fresh < 0 ? fresh : move(fresh, control);
}
