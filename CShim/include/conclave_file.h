/* What Swift's Glibc module does not have. */
#ifndef CONCLAVE_FILE_H
#define CONCLAVE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* An event descriptor, close-on-exec and non-blocking, with a count of zero; -1 and errno on failure.
 * Why C: <sys/eventfd.h> is not part of the Glibc module. */
int conclave_eventfd(void);

/* Which file `name` in the open directory `directory` stands for, and its size in bytes; for the
 * name "" those of `directory` itself, which may then be any file. Symbolic links are not followed.
 * `device` is what stat calls st_dev. 0, or -1 and errno.
 *
 * Why C: the system call statx is not part of the Glibc module. Why not stat: it asks for the
 * times, and a file whose times were asked for gets a fresh one from its next write, which then
 * costs twice as much (kernel 6.13 and later). */
int conclave_file_look(int directory, const char *name, uint64_t *device, uint64_t *inode,
                       uint64_t *size);

/* Index of the first place in `length` bytes at `text` where the `wanted_length` bytes at `wanted`
 * stand, or -1. Why C: memmem is a GNU extension, which the Glibc module does not have. */
ptrdiff_t conclave_find_bytes(const void *text, size_t length, const void *wanted,
                              size_t wanted_length);

/* Renames the file `from` in the open directory `directory` to `to`, unless there is such a name:
 * then -1 and EEXIST. 0, or -1 and errno.
 *
 * Why C: RENAME_NOREPLACE is not part of the Glibc module. */
int conclave_rename_new(int directory, const char *from, const char *to);

/* Reserves room for `bytes` at `offset` in a file, whose length stays as it is. 0, or an errno.
 *
 * Why C: fallocate is not part of the Glibc module. */
int conclave_file_reserve(int file, uint64_t offset, uint64_t bytes);

/* Makes a file (mode 0600) without a name in the open directory `directory`, and opens it for reading and
 * writing. A descriptor, or -1 and errno; EOPNOTSUPP where the file system has no such files.
 *
 * Why C: O_TMPFILE is not part of the Glibc module. */
int conclave_file_unnamed(int directory);

/* Takes away who else may use the open file or directory, and what is made in it (acl(5)). 0, or an errno.
 *
 * Why C: <sys/xattr.h> is not part of the Glibc module. */
int conclave_access_lists_remove(int file);

/* Whether the open file or directory has such lists: 1, 0, or -1 and errno. */
int conclave_access_lists_exist(int file);

/* The number by which the kernel knows the kind of file system that `path` lies on, as in
 * linux/magic.h; -1 and errno when it cannot be looked at.
 *
 * Why C: statfs is not part of the Glibc module. */
int64_t conclave_file_system_kind(const char *path);

#endif
