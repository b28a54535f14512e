#include "conclave_boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conclave_segment.h"

/* Whether the same call may well succeed in a moment. */
static int is_passing(int failure) {
  return failure == EMFILE || failure == ENFILE || failure == ENOMEM || failure == EINTR ||
         failure == EAGAIN || failure == EIO;
}

int conclave_boot_read(uint8_t id[16]) {
  memset(id, 0, 16);
  char text[37] = {0};
  int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return is_passing(errno) ? errno : 0;
  ssize_t length = read(descriptor, text, 36);
  int failure = length < 0 && is_passing(errno) ? errno : 0;
  close(descriptor);
  if (length != 36) return failure;
  for (int from = 0, to = 0; from < 36 && to < 16; from += 2, to++) {
    if (text[from] == '-') from++;
    unsigned value = 0;
    if (sscanf(text + from, "%2x", &value) != 1) {
      memset(id, 0, 16);
      return 0;
    }
    id[to] = (uint8_t)value;
  }
  return 0;
}

int conclave_boot_check(const uint8_t made[16]) {
  static const uint8_t unknown[16] = {0};
  uint8_t current[16];
  int failure = conclave_boot_read(current);
  if (failure) return failure;
  if (memcmp(made, unknown, 16) == 0 || memcmp(current, unknown, 16) == 0) return 0;
  return memcmp(made, current, 16) == 0 ? 0 : CONCLAVE_E_BOOT;
}
