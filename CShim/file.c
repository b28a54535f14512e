#include "conclave_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

int conclave_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int conclave_file_look(int directory, const char *name, uint64_t *device, uint64_t *inode,
                       uint64_t *size) {
  struct statx status;
  int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
  if (statx(directory, name, flags, STATX_INO | STATX_SIZE, &status) != 0) return -1;
  *device = makedev(status.stx_dev_major, status.stx_dev_minor);
  *inode = status.stx_ino;
  *size = status.stx_size;
  return 0;
}

ptrdiff_t conclave_find_bytes(const void *text, size_t length, const void *wanted,
                              size_t wanted_length) {
  const char *found = memmem(text, length, wanted, wanted_length);
  return found ? found - (const char *)text : -1;
}

int conclave_rename_new(int directory, const char *from, const char *to) {
  return renameat2(directory, from, directory, to, RENAME_NOREPLACE);
}

int conclave_file_reserve(int file, uint64_t offset, uint64_t bytes) {
  return fallocate(file, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes) == 0 ? 0 : errno;
}

int conclave_file_unnamed(int directory) {
  int file = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  /* Of a kernel or a file system that does not know the flag. */
  if (file < 0 && errno == EISDIR) errno = EOPNOTSUPP;
  return file;
}

static const char *const ACCESS_LISTS[] = {"system.posix_acl_access", "system.posix_acl_default"};

/* Of a file system that has none, or of a file that has none. */
static int is_none(int code) { return code == ENODATA || code == EOPNOTSUPP; }

int conclave_access_lists_remove(int file) {
  for (int i = 0; i < 2; i++) {
    /* Only directories have the second. */
    if (fremovexattr(file, ACCESS_LISTS[i]) != 0 && !is_none(errno) && errno != EACCES) return errno;
  }
  return conclave_access_lists_exist(file) ? EPERM : 0;
}

int conclave_access_lists_exist(int file) {
  for (int i = 0; i < 2; i++) {
    if (fgetxattr(file, ACCESS_LISTS[i], NULL, 0) >= 0) return 1;
    if (!is_none(errno)) return -1;
  }
  return 0;
}

int64_t conclave_file_system_kind(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 ? (int64_t)(uint32_t)status.f_type : -1;
}
