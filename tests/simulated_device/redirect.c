/* Preloaded into every command of the simulated phone. Programs that read sensors by their own
 * paths find the phone's, a full storage refuses what is written, and a program for 64-bit Arm is
 * handed to the phone's emulator. Sensors alone are redirected: the processors that a library
 * counts before it starts threads are this computer's, since it runs on them.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char* root(void) {
  const char* set = getenv("SIMULATED");
  return set != NULL ? set : "";
}

static int begins(const char* text, const char* start) {
  return strncmp(text, start, strlen(start)) == 0;
}

static int is_sensor(const char* path) {
  static const char cpus[] = "/sys/devices/system/cpu";
  if (begins(path, "/sys/class/thermal") || begins(path, "/sys/class/power_supply")) return 1;
  if (strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) return 1;
  if (!begins(path, cpus)) return 0;
  const char* rest = path + strlen(cpus);
  return strcmp(rest, "") == 0 || strcmp(rest, "/") == 0 || strstr(rest, "/cpufreq") != NULL;
}

/* Where a path is here; `buffer` has PATH_MAX bytes. */
static const char* inward(const char* path, char* buffer) {
  if (path == NULL || !is_sensor(path)) return path;
  const int size = snprintf(buffer, PATH_MAX, "%s%s", root(), path);
  return size > 0 && size < PATH_MAX ? buffer : path;
}

/* Whether something is to be written below the phone's storage, which has no room. */
static int is_full(const char* path) {
  char flag[PATH_MAX], storage[PATH_MAX];
  snprintf(flag, sizeof(flag), "%s/full", root());
  snprintf(storage, sizeof(storage), "%s/data/", root());
  return path != NULL && begins(path, storage) && access(flag, F_OK) == 0;
}

FILE* fopen(const char* path, const char* mode) {
  char buffer[PATH_MAX];
  /* The file is there and empty, and what is written into it is refused. */
  if (strpbrk(mode, "wa+") != NULL && is_full(path)) {
    FILE* made = NEXT(fopen)(path, mode);
    if (made != NULL) fclose(made);
    path = "/dev/full";
  }
  return NEXT(fopen)(inward(path, buffer), mode);
}

FILE* fopen64(const char* path, const char* mode) { return fopen(path, mode); }

int open(const char* path, int flags, ...) {
  char buffer[PATH_MAX];
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if ((flags & O_ACCMODE) != O_RDONLY && is_full(path)) {
    const int made = NEXT(open)(path, flags, mode);
    if (made >= 0) close(made);
    path = "/dev/full", flags &= ~(O_CREAT | O_EXCL | O_TRUNC);
  }
  return NEXT(open)(inward(path, buffer), flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open(path, flags, mode);
}

DIR* opendir(const char* path) {
  char buffer[PATH_MAX];
  return NEXT(opendir)(inward(path, buffer));
}

int mkdir(const char* path, mode_t mode) {
  if (is_full(path) && access(path, F_OK) != 0) return errno = ENOSPC, -1;
  return NEXT(mkdir)(path, mode);
}

static int is_arm64(const char* path) {
  unsigned char head[20] = {0};
  const int file = NEXT(open)(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t size = read(file, head, sizeof(head));
  close(file);
  return size == sizeof(head) && memcmp(head, "\177ELF", 4) == 0 && head[18] == 0xB7;
}

int execve(const char* path, char* const argv[], char* const envp[]) {
  char emulator[PATH_MAX];
  snprintf(emulator, sizeof(emulator), "%s/bin/emulator", root());
  if (!is_arm64(path) || access(emulator, X_OK) != 0 || access(path, X_OK) != 0) {
    return NEXT(execve)(path, argv, envp);
  }
  size_t words = 0, variables = 0, kept = 0;
  while (argv[words] != NULL) ++words;
  while (envp[variables] != NULL) ++variables;
  char** wrapped = calloc(words + 2, sizeof(char*));
  char** environment = calloc(variables + 1, sizeof(char*));
  if (wrapped == NULL || environment == NULL) return errno = ENOMEM, -1;
  wrapped[0] = emulator, wrapped[1] = (char*)path;
  for (size_t word = 1; word < words; ++word) wrapped[word + 1] = argv[word];
  for (size_t each = 0; each < variables; ++each) { /* this library is none of its own kind */
    if (!begins(envp[each], "LD_PRELOAD=")) environment[kept++] = envp[each];
  }
  return NEXT(execve)(emulator, wrapped, environment);
}
