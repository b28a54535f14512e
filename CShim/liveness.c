#include "conclave_liveness.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Built anew for every call: F_OFD_GETLK writes -1 into l_pid, which the next call would refuse. */
static struct flock range(short type, int64_t start, int64_t length) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  return lock;
}

static int lock_set(int descriptor, int command, short type, int64_t start, int64_t length) {
  for (;;) {
    struct flock lock = range(type, start, length);
    if (fcntl(descriptor, command, &lock) == 0) return 0;
    if (errno == EACCES) return EAGAIN;
    if (errno != EINTR) return errno;
  }
}

int conclave_lock_try(int descriptor, int64_t start, int64_t length) {
  return lock_set(descriptor, F_OFD_SETLK, F_WRLCK, start, length);
}

int conclave_lock_wait(int descriptor, int64_t start, int64_t length) {
  return lock_set(descriptor, F_OFD_SETLKW, F_WRLCK, start, length);
}

int conclave_lock_share(int descriptor, int64_t start, int64_t length) {
  return lock_set(descriptor, F_OFD_SETLK, F_RDLCK, start, length);
}

int conclave_lock_release(int descriptor, int64_t start, int64_t length) {
  return lock_set(descriptor, F_OFD_SETLK, F_UNLCK, start, length);
}

int conclave_lock_held(int descriptor, int64_t start, int64_t length) {
  for (;;) {
    struct flock lock = range(F_WRLCK, start, length);
    if (fcntl(descriptor, F_OFD_GETLK, &lock) == 0) return lock.l_type != F_UNLCK;
    if (errno != EINTR) return -errno;
  }
}
