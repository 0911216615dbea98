/* A disk that keeps only what was synced: a library for LD_PRELOAD, with power_cut.py.
 *
 * LOSE_UNSYNCED_DIR    what happens below this folder is written down
 * LOSE_UNSYNCED_STATE  in LOG of this folder, of the same file system; it also keeps what would
 *                      otherwise be gone: files unlinked or replaced (hard links), bytes cut off
 * FSYNC_DELAY_MS       sleeps so long in every fsync and fdatasync, wherever the file lies
 *
 * Files are taken to be appended to: of a file survives what it held when an fsync of it began.
 * Creating, renaming and removing survive once the directory was fsynced. Bytes overwritten in place
 * count as written at once, which a real disk may do as well.
 *
 * A line of LOG is "PID NUMBER KIND FIELD …", tab-separated, numbered in the order of the events:
 *   B inode size path        a file that was there was opened for writing
 *   C inode path             created               M path              directory created
 *   S inode size             synced up to size     D number folder     directory synced: all up to number
 *   U inode path saved       unlinked, kept as     E path              directory removed
 *   R inode from to saved    renamed; `saved` is what `to` was, or -
 *   T inode size saved       cut to size; `saved` holds the bytes from there on
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The real operations, as system calls: nothing here can call itself. */
static int real_open(const char* path, int flags, mode_t mode) {
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static int real_close(int fd) { return (int)syscall(SYS_close, fd); }

static ssize_t real_write(int fd, const void* bytes, size_t size) {
  return syscall(SYS_write, fd, bytes, size);
}

enum { SAVED_MAX = PATH_MAX + 40 };

static char watched[PATH_MAX]; /* canonical; empty: none */
static char state[PATH_MAX];
static int log_fd = -1;
static struct timespec fsync_delay;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t events; /* by lock */

static void die(const char* what, const char* path) {
  dprintf(2, "lose_unsynced: cannot %s %s: %s\n", what, path, strerror(errno));
  _exit(99);
}

__attribute__((constructor)) static void begin(void) {
  const char* delay = getenv("FSYNC_DELAY_MS");
  if (delay != NULL) {
    const long ms = strtol(delay, NULL, 10);
    fsync_delay.tv_sec = ms / 1000;
    fsync_delay.tv_nsec = ms % 1000 * 1000000;
  }
  const char* folder = getenv("LOSE_UNSYNCED_DIR");
  const char* kept = getenv("LOSE_UNSYNCED_STATE");
  if (folder == NULL || kept == NULL) {
    return;
  }
  if (realpath(folder, watched) == NULL) {
    die("find", folder);
  }
  if (realpath(kept, state) == NULL) {
    die("find", kept);
  }
  char path[PATH_MAX + 8];
  snprintf(path, sizeof path, "%s/LOG", state);
  log_fd = real_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (log_fd < 0) {
    die("open", path);
  }
}

/* Writes one line; the lock is held. */
__attribute__((format(printf, 1, 2))) static void note(const char* format, ...) {
  char line[3 * PATH_MAX];
  int size = snprintf(line, sizeof line, "%d\t%llu\t", (int)getpid(), (unsigned long long)++events);
  va_list arguments;
  va_start(arguments, format);
  size += vsnprintf(line + size, sizeof line - (size_t)size - 1, format, arguments);
  va_end(arguments);
  line[size++] = '\n';
  if (real_write(log_fd, line, (size_t)size) != size) {
    die("write to the log in", state);
  }
}

static bool below(const char* path) {
  const size_t size = strlen(watched);
  return size > 0 && strncmp(path, watched, size) == 0 && (path[size] == '/' || path[size] == 0);
}

/* The canonical path of a name relative to `dirfd` (its last part is not followed); whether it lies
 * below the watched folder. `out` holds PATH_MAX. */
static bool find(int dirfd, const char* name, char* out) {
  if (watched[0] == 0) {
    return false;
  }
  char whole[2 * PATH_MAX + 2];
  if (name[0] == '/') {
    snprintf(whole, sizeof whole, "%s", name);
  } else {
    char base[64];
    char folder[PATH_MAX] = ".";
    if (dirfd != AT_FDCWD) {
      snprintf(base, sizeof base, "/proc/self/fd/%d", dirfd);
      const ssize_t size = readlink(base, folder, sizeof folder - 1);
      if (size < 0) {
        return false;
      }
      folder[size] = 0;
    }
    snprintf(whole, sizeof whole, "%s/%s", folder, name);
  }
  size_t size = strlen(whole);
  while (size > 1 && whole[size - 1] == '/') {
    whole[--size] = 0;
  }
  char* slash = strrchr(whole, '/');
  if (slash == NULL || slash == whole) {
    return false;
  }
  *slash = 0;
  char folder[PATH_MAX];
  if (realpath(whole, folder) == NULL || strlen(folder) + strlen(slash + 1) + 2 > PATH_MAX) {
    return false;
  }
  stpcpy(stpcpy(stpcpy(out, folder), "/"), slash + 1);
  return below(out);
}

/* The path of an open file; whether it is watched. */
static bool find_open(int fd, char* out) {
  if (watched[0] == 0) {
    return false;
  }
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, out, PATH_MAX - 1);
  if (size < 0) {
    return false;
  }
  out[size] = 0;
  return below(out);
}

/* A new name in the state folder. */
static void new_saved(char* saved) {
  static _Atomic unsigned number;
  snprintf(saved, SAVED_MAX, "%s/kept.%d.%u", state, (int)getpid(), number++);
}

/* Keeps the file at `path` under another name. */
static void keep_link(const char* path, char* saved) {
  new_saved(saved);
  if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, saved, 0) != 0) {
    die("link (is the state on the same file system?)", path);
  }
}

/* Keeps the bytes of the file from `size` on, before they are cut off; the lock is held. */
static void keep_tail(const char* path, off_t size) {
  const int from = real_open(path, O_RDONLY | O_CLOEXEC, 0);
  struct stat status;
  if (from < 0 || fstat(from, &status) != 0 || status.st_size <= size) {
    if (from >= 0) {
      real_close(from);
    }
    return;
  }
  char saved[SAVED_MAX];
  new_saved(saved);
  const int to = real_open(saved, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (to < 0) {
    die("create", saved);
  }
  char block[1 << 16];
  ssize_t got = 0;
  for (off_t at = size; (got = pread(from, block, sizeof block, at)) > 0; at += got) {
    if (real_write(to, block, (size_t)got) != got) {
      die("write", saved);
    }
  }
  real_close(from);
  real_close(to);
  note("T\t%llu\t%lld\t%s", (unsigned long long)status.st_ino, (long long)size, saved);
}

static int do_open(int dirfd, const char* name, int flags, mode_t mode) {
  char path[PATH_MAX];
  const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
  if (!writes || (flags & O_TMPFILE) == O_TMPFILE || !find(dirfd, name, path)) {
    return (int)syscall(SYS_openat, dirfd, name, flags, mode);
  }
  pthread_mutex_lock(&lock);
  struct stat status;
  const bool was_there = lstat(path, &status) == 0;
  if (was_there && (flags & O_TRUNC) != 0 && (flags & O_EXCL) == 0) {
    keep_tail(path, 0);
  }
  const int fd = (int)syscall(SYS_openat, dirfd, name, flags, mode);
  const int error = errno;
  if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
    if (was_there) {
      note("B\t%llu\t%lld\t%s", (unsigned long long)status.st_ino, (long long)status.st_size, path);
    } else {
      note("C\t%llu\t%s", (unsigned long long)status.st_ino, path);
    }
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

#define MODE_OF(flags, mode)                           \
  mode_t mode = 0;                                     \
  if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {        \
    va_list arguments;                                 \
    va_start(arguments, flags);                        \
    mode = (mode_t)va_arg(arguments, int);             \
    va_end(arguments);                                 \
  }

int open(const char* path, int flags, ...) {
  MODE_OF(flags, mode)
  return do_open(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  MODE_OF(flags, mode)
  return do_open(AT_FDCWD, path, flags, mode);
}

int openat(int dirfd, const char* path, int flags, ...) {
  MODE_OF(flags, mode)
  return do_open(dirfd, path, flags, mode);
}

int openat64(int dirfd, const char* path, int flags, ...) {
  MODE_OF(flags, mode)
  return do_open(dirfd, path, flags, mode);
}

int __open_2(const char* path, int flags) { return do_open(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return do_open(AT_FDCWD, path, flags, 0); }
int __openat_2(int dirfd, const char* path, int flags) { return do_open(dirfd, path, flags, 0); }
int __openat64_2(int dirfd, const char* path, int flags) { return do_open(dirfd, path, flags, 0); }

int creat(const char* path, mode_t mode) {
  return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char* path, mode_t mode) { return creat(path, mode); }

/* What was appended or entered after the sync began is not counted as durable. */
static int do_sync(int fd, long call) {
  char path[PATH_MAX];
  struct stat status;
  const bool noted = find_open(fd, path) && fstat(fd, &status) == 0;
  uint64_t entered = 0;
  if (noted && S_ISDIR(status.st_mode)) {
    pthread_mutex_lock(&lock);
    entered = events;
    pthread_mutex_unlock(&lock);
  }
  if (fsync_delay.tv_sec != 0 || fsync_delay.tv_nsec != 0) {
    nanosleep(&fsync_delay, NULL);
  }
  const int result = (int)syscall(call, fd);
  const int error = errno;
  if (noted && result == 0) {
    pthread_mutex_lock(&lock);
    if (S_ISDIR(status.st_mode)) {
      note("D\t%llu\t%s", (unsigned long long)entered, path);
    } else {
      note("S\t%llu\t%lld", (unsigned long long)status.st_ino, (long long)status.st_size);
    }
    pthread_mutex_unlock(&lock);
  }
  errno = error;
  return result;
}

int fsync(int fd) { return do_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return do_sync(fd, SYS_fdatasync); }

static int do_unlink(int dirfd, const char* name, int flags) {
  char path[PATH_MAX];
  char saved[SAVED_MAX];
  struct stat status;
  if (!find(dirfd, name, path)) {
    return (int)syscall(SYS_unlinkat, dirfd, name, flags);
  }
  pthread_mutex_lock(&lock);
  if (lstat(path, &status) == 0) {
    if ((flags & AT_REMOVEDIR) != 0) {
      note("E\t%s", path);
    } else if (S_ISREG(status.st_mode)) {
      keep_link(path, saved);
      note("U\t%llu\t%s\t%s", (unsigned long long)status.st_ino, path, saved);
    }
  }
  const int result = (int)syscall(SYS_unlinkat, dirfd, name, flags);
  const int error = errno;
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int unlink(const char* path) { return do_unlink(AT_FDCWD, path, 0); }
int unlinkat(int dirfd, const char* path, int flags) { return do_unlink(dirfd, path, flags); }
int rmdir(const char* path) { return do_unlink(AT_FDCWD, path, AT_REMOVEDIR); }

int remove(const char* path) {
  const int result = do_unlink(AT_FDCWD, path, 0);
  return result != 0 && errno == EISDIR ? do_unlink(AT_FDCWD, path, AT_REMOVEDIR) : result;
}

static int do_rename(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) {
  char from_path[PATH_MAX] = "";
  char to_path[PATH_MAX] = "";
  char saved[SAVED_MAX] = "-";
  struct stat status;
  const bool leaves = find(from_fd, from, from_path);
  if (!find(to_fd, to, to_path) && !leaves) {
    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
  }
  pthread_mutex_lock(&lock);
  if (lstat(to_path, &status) == 0 && S_ISREG(status.st_mode) && flags == 0) {
    keep_link(to_path, saved);
  }
  if (lstat(from_path, &status) == 0) {
    note("R\t%llu\t%s\t%s\t%s", (unsigned long long)status.st_ino, from_path, to_path, saved);
  }
  const int result = (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
  const int error = errno;
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int rename(const char* from, const char* to) { return do_rename(AT_FDCWD, from, AT_FDCWD, to, 0); }

int renameat(int from_fd, const char* from, int to_fd, const char* to) {
  return do_rename(from_fd, from, to_fd, to, 0);
}

int renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) {
  return do_rename(from_fd, from, to_fd, to, flags);
}

static int do_mkdir(int dirfd, const char* name, mode_t mode) {
  char path[PATH_MAX];
  const bool noted = find(dirfd, name, path);
  pthread_mutex_lock(&lock);
  const int result = (int)syscall(SYS_mkdirat, dirfd, name, mode);
  const int error = errno;
  if (noted && result == 0) {
    note("M\t%s", path);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int mkdir(const char* path, mode_t mode) { return do_mkdir(AT_FDCWD, path, mode); }
int mkdirat(int dirfd, const char* path, mode_t mode) { return do_mkdir(dirfd, path, mode); }

int ftruncate(int fd, off_t size) {
  char path[PATH_MAX];
  const bool noted = find_open(fd, path);
  pthread_mutex_lock(&lock);
  if (noted) {
    keep_tail(path, size);
  }
  const int result = (int)syscall(SYS_ftruncate, fd, size);
  const int error = errno;
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

int truncate(const char* name, off_t size) {
  char path[PATH_MAX];
  const bool noted = find(AT_FDCWD, name, path);
  pthread_mutex_lock(&lock);
  if (noted) {
    keep_tail(path, size);
  }
  const int result = (int)syscall(SYS_truncate, name, size);
  const int error = errno;
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

int truncate64(const char* path, off64_t size) { return truncate(path, size); }
