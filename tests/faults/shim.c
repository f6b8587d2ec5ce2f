/* Preloaded into a process, this counts the operations that change files below a folder, and makes
   one of them go wrong:
     KILL_BEFORE  the process is killed before the n-th
     KILL_WITHIN  the n-th is done, or half of what it writes is written; then the process is killed
     FAIL_ONCE    the n-th fails with an errno
     FAIL_ON      the n-th and all later ones fail with it, as on a disk that stays full
   Removing never fails for want of room, so that it is only killed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, KILL_BEFORE, KILL_WITHIN, FAIL_ONCE, FAIL_ON };
enum { PASS, FAIL, HALF };

static char folder[PATH_MAX];
static long chosen, count;
static int mode, number;

void fault_set(const char *below, long at, int how, int error) {
  snprintf(folder, sizeof folder, "%s", below);
  chosen = at; mode = how; number = error; count = 0;
}

long fault_count(void) { return count; }

static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }

static int is_below(const char *path) { return *folder && !strncmp(path, folder, strlen(folder)); }

static int file_is_below(int descriptor) {
  char link[64], path[PATH_MAX];
  if (!*folder || descriptor < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

static int path_is_below(int at, const char *path) {
  char whole[2 * PATH_MAX], base[PATH_MAX], link[64];
  if (!*folder || !path) return 0;
  if (path[0] == '/') return is_below(path);
  if (at == AT_FDCWD) { if (!getcwd(base, sizeof base)) return 0; }
  else {
    snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, base, sizeof base - 1);
    if (length < 0) return 0;
    base[length] = 0;
  }
  snprintf(whole, sizeof whole, "%s/%s", base, path);
  return is_below(whole);
}

static int what_happens(int can_fail) {
  long n = __sync_add_and_fetch(&count, 1);
  if (mode == KILL_BEFORE && n == chosen) die();
  if (mode == KILL_WITHIN && n == chosen) return HALF;
  if (can_fail && ((mode == FAIL_ONCE && n == chosen) || (mode == FAIL_ON && n >= chosen))) {
    errno = number;
    return FAIL;
  }
  return PASS;
}

/* How one operation is replaced: `half` is what is done of it before a kill. */
#define REPLACED(type, name, parameters, arguments, concerned, can_fail, half)   \
  type name parameters {                                                         \
    static type(*real) parameters;                                               \
    if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);               \
    int fate = (concerned) ? what_happens(can_fail) : PASS;                      \
    if (fate == FAIL) return (type)-1;                                           \
    if (fate == HALF) { (void)!(half); die(); }                                  \
    return real arguments;                                                       \
  }

#define CHANGES(flags) ((flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND))
#define OPENED(name)                                                             \
  int name(const char *path, int flags, ...) {                                   \
    static int (*real)(const char *, int, ...);                                  \
    if (!real) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);  \
    va_list rest; va_start(rest, flags); mode_t bits = va_arg(rest, mode_t); va_end(rest); \
    int fate = CHANGES(flags) && path_is_below(AT_FDCWD, path) ? what_happens(1) : PASS;   \
    if (fate == FAIL) return -1;                                                 \
    if (fate == HALF) { (void)!real(path, flags, bits); die(); }                 \
    return real(path, flags, bits);                                              \
  }
#define OPENED_AT(name)                                                          \
  int name(int at, const char *path, int flags, ...) {                           \
    static int (*real)(int, const char *, int, ...);                             \
    if (!real) real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name);       \
    va_list rest; va_start(rest, flags); mode_t bits = va_arg(rest, mode_t); va_end(rest); \
    int fate = CHANGES(flags) && path_is_below(at, path) ? what_happens(1) : PASS;         \
    if (fate == FAIL) return -1;                                                 \
    if (fate == HALF) { (void)!real(at, path, flags, bits); die(); }             \
    return real(at, path, flags, bits);                                          \
  }
#define STREAM(name)                                                             \
  FILE *name(const char *path, const char *how) {                                \
    static FILE *(*real)(const char *, const char *);                            \
    if (!real) real = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, #name);    \
    int fate = how[0] != 'r' && path_is_below(AT_FDCWD, path) ? what_happens(1) : PASS;    \
    if (fate == FAIL) return 0;                                                  \
    if (fate == HALF) { (void)!real(path, how); die(); }                         \
    return real(path, how);                                                      \
  }

OPENED(open)
OPENED(open64)
OPENED_AT(openat)
OPENED_AT(openat64)
STREAM(fopen)
STREAM(fopen64)
REPLACED(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size),
         file_is_below(fd), 1, real(fd, data, size / 2))
REPLACED(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at),
         (fd, data, size, at), file_is_below(fd), 1, real(fd, data, size / 2, at))
REPLACED(ssize_t, writev, (int fd, const struct iovec *parts, int size), (fd, parts, size),
         file_is_below(fd), 1, real(fd, parts, size / 2))
REPLACED(int, fsync, (int fd), (fd), file_is_below(fd), 1, real(fd))
REPLACED(int, ftruncate64, (int fd, off64_t size), (fd, size), file_is_below(fd), 1, real(fd, size))
REPLACED(int, rename, (const char *from, const char *to), (from, to),
         path_is_below(AT_FDCWD, to), 1, real(from, to))
REPLACED(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to),
         path_is_below(b, to), 1, real(a, from, b, to))
REPLACED(int, mkdir, (const char *path, mode_t bits), (path, bits),
         path_is_below(AT_FDCWD, path), 1, real(path, bits))
REPLACED(int, mkdirat, (int at, const char *path, mode_t bits), (at, path, bits),
         path_is_below(at, path), 1, real(at, path, bits))
REPLACED(int, unlink, (const char *path), (path), path_is_below(AT_FDCWD, path), 0, real(path))
REPLACED(int, unlinkat, (int at, const char *path, int flags), (at, path, flags),
         path_is_below(at, path), 0, real(at, path, flags))
REPLACED(int, rmdir, (const char *path), (path), path_is_below(AT_FDCWD, path), 0, real(path))
