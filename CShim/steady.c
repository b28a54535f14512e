#include "conclave_steady.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conclave_clock.h"

/* What the file holds. */
typedef struct steady_base {
  uint64_t magic;
  int64_t base_us; /* the wall clock's time at which CLOCK_BOOTTIME was 0 */
} steady_base;

static const uint64_t MAGIC = UINT64_C(0x31594441455453); /* "STEADY1" */

static int64_t boot_us(void) {
  static _Atomic int64_t shift_ns = INT64_MIN;
  int64_t shift = atomic_load_explicit(&shift_ns, memory_order_relaxed);
  if (shift == INT64_MIN) {
    shift = conclave_clock_shift_ns("boottime");
    atomic_store_explicit(&shift_ns, shift, memory_order_relaxed);
  }
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (now.tv_sec * 1000000000 + now.tv_nsec - shift) / 1000;
}

static int64_t wall_us(void) { return (int64_t)(conclave_realtime_ns() / 1000); }

/* Nothing that somebody else may have put there is believed. 1 or 0. */
static int read_base(const char *path, int64_t *base) {
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return 0;
  struct stat status;
  steady_base written;
  int is_own = fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
               status.st_uid == geteuid() && (status.st_mode & 022) == 0;
  int is_good = is_own && read(file, &written, sizeof(written)) == (ssize_t)sizeof(written) &&
                written.magic == MAGIC;
  close(file);
  if (is_good) *base = written.base_us;
  return is_good;
}

/* Complete before it has a name. */
static void write_base(const char *directory, const char *path, int64_t base) {
  int file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return;
  steady_base written = {.magic = MAGIC, .base_us = base};
  char self[32];
  snprintf(self, sizeof(self), "/proc/self/fd/%d", file);
  if (write(file, &written, sizeof(written)) == (ssize_t)sizeof(written)) {
    /* Whoever was first wins; their file is read below. */
    (void)!linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
  }
  close(file);
}

int64_t conclave_steady_base_us(const char *directory) {
  int64_t base = wall_us() - boot_us();
  char path[256];
  int length = snprintf(path, sizeof(path), "%s/conclave-clock-%u", directory, geteuid());
  if (length < 0 || (size_t)length >= sizeof(path)) return base;
  if (read_base(path, &base)) return base;
  write_base(directory, path, base);
  read_base(path, &base);
  return base;
}

static int64_t base_of_process(void) {
  static _Atomic int64_t known = INT64_MIN;
  int64_t base = atomic_load_explicit(&known, memory_order_relaxed);
  if (base != INT64_MIN) return base;
  base = conclave_steady_base_us("/dev/shm");
  /* Threads that ask at the same time must agree. */
  int64_t none = INT64_MIN;
  return atomic_compare_exchange_strong_explicit(&known, &none, base, memory_order_relaxed,
                                                 memory_order_relaxed)
             ? base
             : none;
}

uint64_t conclave_steady_us(void) {
  int64_t now = base_of_process() + boot_us();
  return now > 0 ? (uint64_t)now : 0;
}

int64_t conclave_steady_ahead_us(void) { return (int64_t)conclave_steady_us() - wall_us(); }
