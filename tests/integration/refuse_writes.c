/* A disk that takes nothing more: a library for LD_PRELOAD.
 *
 * REFUSE_WRITES_BELOW  folder below which writing fails while REFUSE_WRITES_WHILE is there
 * REFUSE_WRITES_WHILE  file that holds the errno to fail with: 28 (ENOSPC), 30 (EROFS), 13 (EACCES)
 *
 * With ENOSPC the first write fails halfway, as on a disk that has some bytes left. Reading, removing
 * and renaming go on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char below[PATH_MAX]; /* canonical; empty: none */
static const char* flag;
static atomic_bool torn;

__attribute__((constructor)) static void begin(void) {
  const char* folder = getenv("REFUSE_WRITES_BELOW");
  flag = getenv("REFUSE_WRITES_WHILE");
  if (folder == NULL || flag == NULL || realpath(folder, below) == NULL) {
    dprintf(2, "refuse_writes: REFUSE_WRITES_BELOW must be a folder, REFUSE_WRITES_WHILE a file\n");
    _exit(99);
  }
}

/* The errno to fail with, or 0. */
static int refusal(const char* path) {
  const size_t size = strlen(below);
  if (strncmp(path, below, size) != 0 || (path[size] != '/' && path[size] != 0)) {
    return 0;
  }
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, flag, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) {
    torn = false;
    return 0;
  }
  char text[8] = "";
  const long size_read = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  return size_read > 0 ? atoi(text) : 0;
}

static int refusal_of(int fd) {
  char link[64];
  char path[PATH_MAX];
  const int error = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  errno = error;
  if (size < 0) {
    return 0;
  }
  path[size] = 0;
  return refusal(path);
}

/* What of `size` bytes is written; 0: fail with errno. */
static size_t room(int fd, size_t size) {
  const int code = refusal_of(fd);
  if (code == 0) {
    return size;
  }
  if (code == ENOSPC && size > 1 && !atomic_exchange(&torn, true)) {
    return size / 2;
  }
  errno = code;
  return 0;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const size_t some = size == 0 ? 0 : room(fd, size);
  return size != 0 && some == 0 ? -1 : syscall(SYS_write, fd, bytes, some);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  const size_t some = size == 0 ? 0 : room(fd, size);
  return size != 0 && some == 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, some, at);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  return pwrite(fd, bytes, size, at);
}

static int do_open(int dirfd, const char* path, int flags, mode_t mode) {
  const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
  const int code = writes ? refusal(path) : 0;
  /* A full disk has a place for a name still. */
  if (code != 0 && code != ENOSPC) {
    errno = code;
    return -1;
  }
  return (int)syscall(SYS_openat, dirfd, path, flags, mode);
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

int mkdir(const char* path, mode_t mode) {
  const int code = refusal(path);
  if (code != 0 && code != ENOSPC && access(path, F_OK) != 0) {
    errno = code;
    return -1;
  }
  return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}
