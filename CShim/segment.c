#include "conclave_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conclave_boot.h"
#include "conclave_clock.h"
#include "conclave_descriptors.h"
#include "conclave_liveness.h"
#include "conclave_order.h"
#include "conclave_process.h"

/* Where each part begins, in bytes. */
typedef struct parts {
  uint64_t board, lane_waits, presences, order, slots, rows, lane_headers, lanes, end;
} parts;

static uint64_t whole_pages(uint64_t bytes) {
  return (bytes + CONCLAVE_PAGE - 1) / CONCLAVE_PAGE * CONCLAVE_PAGE;
}

static parts parts_of(const conclave_geometry *geometry) {
  parts at;
  at.board = CONCLAVE_PAGE;
  at.lane_waits = at.board + sizeof(conclave_board);
  at.presences = at.lane_waits + (uint64_t)geometry->lane_count * sizeof(conclave_lane_wait);
  at.order =
      whole_pages(at.presences + (uint64_t)geometry->row_count * sizeof(conclave_presence));
  at.slots = at.order + CONCLAVE_PAGE;
  at.rows = at.slots + whole_pages((uint64_t)geometry->slot_count * sizeof(uint64_t));
  at.lane_headers = at.rows + (uint64_t)geometry->row_count * CONCLAVE_ROW_BYTES;
  at.lanes = at.lane_headers + (uint64_t)geometry->lane_count * CONCLAVE_LANE_HEADER_BYTES;
  at.end = at.lanes + (uint64_t)geometry->lane_count * geometry->lane_bytes;
  return at;
}

static int is_power_of_two(uint32_t value) { return value && (value & (value - 1)) == 0; }

static int within(uint32_t value, uint32_t least, uint32_t greatest) {
  return value >= least && value <= greatest;
}

int conclave_geometry_check(const conclave_geometry *geometry) {
  if (!within(geometry->slot_count, CONCLAVE_MIN_SLOTS, CONCLAVE_MAX_SLOTS) ||
      !is_power_of_two(geometry->slot_count) ||
      !within(geometry->lane_bytes, CONCLAVE_MIN_LANE_BYTES, CONCLAVE_MAX_LANE_BYTES) ||
      !is_power_of_two(geometry->lane_bytes) ||
      !within(geometry->lane_count, 1, CONCLAVE_MAX_LANES) ||
      !within(geometry->row_count, 1, CONCLAVE_MAX_ROWS) ||
      !within(geometry->message_bytes, 1, CONCLAVE_MAX_MESSAGE_BYTES)) {
    return CONCLAVE_E_GEOMETRY;
  }
  /* A slot's granule must be unambiguous while the slot is of its lap: see conclave_order.h. */
  uint64_t advance =
      (uint64_t)geometry->slot_count * 2 * (conclave_record_limit(geometry) / CONCLAVE_GRANULE);
  return advance <= CONCLAVE_GRANULE_MASK + 1 ? 0 : CONCLAVE_E_GEOMETRY;
}

uint64_t conclave_segment_bytes(const conclave_geometry *geometry) {
  return parts_of(geometry).end;
}

static int fill_header(int descriptor, const char *path, size_t path_bytes,
                       const conclave_geometry *geometry) {
  conclave_segment_header header = {
      .magic = CONCLAVE_MAGIC,
      .layout_version = CONCLAVE_LAYOUT_VERSION,
      .owner = geteuid(),
      .geometry = *geometry,
      .segment_bytes = conclave_segment_bytes(geometry),
      .created_ns = conclave_realtime_ns(),
      .path_bytes = (uint32_t)path_bytes,
  };
  header.geometry.unused = 0;
  int failure = conclave_boot_read(header.boot_id);
  if (failure) return failure;
  if (getrandom(header.generation, sizeof(header.generation), 0) !=
      (ssize_t)sizeof(header.generation)) {
    return errno ? errno : EIO;
  }
  memcpy(header.path, path, path_bytes);
  ssize_t written = pwrite(descriptor, &header, sizeof(header), 0);
  if (written < 0) return errno;
  return written == (ssize_t)sizeof(header) ? 0 : ENOSPC;
}

/* Reserves memory, so that a full file system is an error here and not a SIGBUS at some later store. */
static int reserve(int descriptor, uint64_t offset, uint64_t bytes) {
  int failure;
  do {
    failure = posix_fallocate(descriptor, (off_t)offset, (off_t)bytes);
  } while (failure == EINTR);
  return failure;
}

/* As reserve, of a part of a file that has its size: one that was cut off meanwhile must stay so, since
 * those who have it mapped could not tell otherwise. */
static int reserve_within(int descriptor, uint64_t offset, uint64_t bytes) {
  int failure;
  do {
    failure = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes) ? errno : 0;
  } while (failure == EINTR);
  return failure == EOPNOTSUPP ? reserve(descriptor, offset, bytes) : failure;
}

/* Whatever the umask took away or left. The group first: who changes it may lose bits of the mode. */
static int give_rights(int descriptor, const conclave_rights *rights) {
  if (rights->group != CONCLAVE_ANYBODY && fchown(descriptor, (uid_t)-1, rights->group) != 0) {
    return errno;
  }
  return fchmod(descriptor, rights->mode) == 0 ? 0 : errno;
}

static conclave_rights rights_or_own(const conclave_rights *rights) {
  if (rights) return *rights;
  return (conclave_rights){.mode = 0600, .owner = geteuid(), .group = CONCLAVE_ANYBODY};
}

static int prepare(int descriptor, const char *path, size_t path_bytes,
                   const conclave_rights *rights, const conclave_geometry *geometry) {
  parts at = parts_of(geometry);
  int failure = reserve(descriptor, 0, at.lanes);
  if (failure) return failure;
  if (ftruncate(descriptor, (off_t)at.end) != 0) return errno;
  failure = fill_header(descriptor, path, path_bytes, geometry);
  return failure ? failure : give_rights(descriptor, rights);
}

/* The unnamed file gets its name, or somebody else's has it already: EEXIST. */
static int give_name(int descriptor, const char *directory, const char *name) {
  char self[32];
  char target[4096];
  snprintf(self, sizeof(self), "/proc/self/fd/%d", descriptor);
  int length = snprintf(target, sizeof(target), "%s/%s", directory, name);
  if (length < 0 || (size_t)length >= sizeof(target)) return ENAMETOOLONG;
  return linkat(AT_FDCWD, self, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

int conclave_segment_create(const char *directory, const char *name, const char *path,
                            size_t path_bytes, const conclave_rights *rights,
                            const conclave_geometry *geometry) {
  if (path_bytes > CONCLAVE_MAX_PATH_BYTES) return ENAMETOOLONG;
  int failure = conclave_geometry_check(geometry);
  if (failure) return failure;
  int descriptor = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0) return errno;
  conclave_rights given = rights_or_own(rights);
  failure = prepare(descriptor, path, path_bytes, &given, geometry);
  if (!failure) failure = give_name(descriptor, directory, name);
  close(descriptor);
  return failure;
}

static int is_of(uint32_t id, uint32_t expected) {
  return expected == CONCLAVE_ANYBODY || id == expected;
}

/* Whether the opened file is one that we may believe and write to at all. */
static int check_file(int descriptor, const conclave_rights *rights, struct stat *status) {
  if (fstat(descriptor, status) != 0) return errno;
  if (!S_ISREG(status->st_mode)) return CONCLAVE_E_NOT_A_FILE;
  if (status->st_nlink == 0) return ENOENT;
  if (!is_of(status->st_uid, rights->owner) || !is_of(status->st_gid, rights->group)) {
    return CONCLAVE_E_FOREIGN_OWNER;
  }
  if (((status->st_mode ^ rights->mode) & 077) != 0 || status->st_nlink != 1) {
    return CONCLAVE_E_FOREIGN_OWNER;
  }
  return 0;
}

static int check_header(const conclave_segment_header *header, const struct stat *status,
                        const char *path, size_t path_bytes) {
  uint64_t file_bytes = (uint64_t)status->st_size;
  if (header->magic != CONCLAVE_MAGIC) return CONCLAVE_E_MAGIC;
  if (header->layout_version != CONCLAVE_LAYOUT_VERSION) return CONCLAVE_E_VERSION;
  if (header->owner != status->st_uid) return CONCLAVE_E_FOREIGN_OWNER;
  int failure = conclave_boot_check(header->boot_id);
  if (!failure) failure = conclave_geometry_check(&header->geometry);
  if (failure) return failure;
  if (header->segment_bytes != file_bytes ||
      file_bytes != conclave_segment_bytes(&header->geometry)) {
    return CONCLAVE_E_GEOMETRY;
  }
  if (header->path_bytes != path_bytes || memcmp(header->path, path, path_bytes) != 0) {
    return CONCLAVE_E_PATH;
  }
  return 0;
}

/* Moves a new descriptor away from 0 to 2, where whoever started this process may have left a hole:
 * somebody's next line of output would land in the segment. */
static int off_standard(int descriptor) {
  if (descriptor < 0 || descriptor > 2) return descriptor;
  int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  int failure = errno;
  close(descriptor);
  errno = failure;
  return moved;
}

static int open_named(const char *directory, const char *name, conclave_role role,
                      int *descriptor) {
  char target[4096];
  int length = snprintf(target, sizeof(target), "%s/%s", directory, name);
  if (length < 0 || (size_t)length >= sizeof(target)) return ENAMETOOLONG;
  int access = role == CONCLAVE_OBSERVE ? O_RDONLY : O_RDWR;
  *descriptor =
      off_standard(open(target, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (*descriptor >= 0) return 0;
  switch (errno) {
    case ELOOP:
    case EISDIR:
    case ENXIO:
      return CONCLAVE_E_NOT_A_FILE;
    default:
      return errno;
  }
}

static int read_checked(int descriptor, const char *path, size_t path_bytes,
                        const struct stat *status, conclave_segment_header *header) {
  memset(header, 0, sizeof(*header));
  ssize_t length = pread(descriptor, header, sizeof(*header), 0);
  if (length < 0) return errno;
  if (length != (ssize_t)sizeof(*header)) return CONCLAVE_E_MAGIC;
  if (path_bytes > CONCLAVE_MAX_PATH_BYTES) return CONCLAVE_E_PATH;
  return check_header(header, status, path, path_bytes);
}

int conclave_segment_open(const char *directory, const char *name, const char *path,
                          size_t path_bytes, const conclave_rights *rights, conclave_role role,
                          int *descriptor, conclave_segment_header *header) {
  int failure = open_named(directory, name, role, descriptor);
  if (failure) return failure;
  struct stat status;
  conclave_rights expected = rights_or_own(rights);
  failure = check_file(*descriptor, &expected, &status);
  if (!failure) {
    failure = read_checked(*descriptor, path, path_bytes, &status, header);
    if (failure == 0 || failure >= CONCLAVE_E_NOT_A_FILE) return failure;
  }
  close(*descriptor);
  *descriptor = -1;
  return failure;
}

int conclave_segment_is_named(const char *directory, const char *name, int descriptor) {
  char target[4096];
  struct stat named, opened;
  int length = snprintf(target, sizeof(target), "%s/%s", directory, name);
  return length > 0 && (size_t)length < sizeof(target) && lstat(target, &named) == 0 &&
         fstat(descriptor, &opened) == 0 && named.st_ino == opened.st_ino &&
         named.st_dev == opened.st_dev;
}

int conclave_segment_is_being_removed(int descriptor) {
  return conclave_lock_held(descriptor, CONCLAVE_LOCK_REMOVAL, 1) == 1;
}

int conclave_segment_remove(const char *directory, const char *name, int descriptor) {
  int failure = conclave_lock_try(descriptor, CONCLAVE_LOCK_LANES,
                                  CONCLAVE_LOCK_END - CONCLAVE_LOCK_LANES);
  if (failure == EAGAIN) {
    if (conclave_segment_is_being_removed(descriptor)) return EAGAIN;
    /* Or was until just now. */
    return conclave_segment_is_named(directory, name, descriptor) ? EBUSY : ENOENT;
  }
  if (failure) return failure;
  char target[4096];
  snprintf(target, sizeof(target), "%s/%s", directory, name);
  if (!conclave_segment_is_named(directory, name, descriptor)) {
    failure = ENOENT;
  } else if (unlink(target) != 0) {
    failure = errno;
  }
  conclave_lock_release(descriptor, CONCLAVE_LOCK_LANES, CONCLAVE_LOCK_END - CONCLAVE_LOCK_LANES);
  return failure;
}

static int make_writable(const void *start, uint64_t bytes) {
  return mprotect((void *)(uintptr_t)start, bytes, PROT_READ | PROT_WRITE) == 0 ? 0 : errno;
}

static int open_parts(const conclave_view *view, const parts *at, conclave_role role) {
  if (role == CONCLAVE_OBSERVE) return 0;
  int failure = make_writable(view->base + at->board, at->order - at->board);
  if (failure || role == CONCLAVE_SUBSCRIBE) return failure;
  return make_writable(view->base + at->order, at->lane_headers - at->order);
}

static void find_parts(conclave_view *view, const parts *at) {
  view->board = (conclave_board *)(void *)(view->base + at->board);
  view->lane_waits = (conclave_lane_wait *)(void *)(view->base + at->lane_waits);
  view->presences = (conclave_presence *)(void *)(view->base + at->presences);
  view->tail = (_Atomic uint64_t *)(void *)(view->base + at->order);
  view->slots = (_Atomic uint64_t *)(void *)(view->base + at->slots);
  view->rows = view->base + at->rows;
  view->lane_headers = view->base + at->lane_headers;
  view->lanes = view->base + at->lanes;
}

int conclave_view_map(conclave_view *view, int descriptor, const conclave_segment_header *header,
                      conclave_role role) {
  parts at = parts_of(&header->geometry);
  void *base = mmap(NULL, at.end, PROT_READ, MAP_SHARED, descriptor, 0);
  if (base == MAP_FAILED) return errno;
  /* A forked child must not write as if it were its parent; it gets a fault instead. */
  madvise(base, at.end, MADV_DONTFORK);
  uint32_t seed;
  memcpy(&seed, header->generation, sizeof(seed));
  *view = (conclave_view){
      .base = base,
      .bytes = at.end,
      .geometry = header->geometry,
      .slot_shift = (uint32_t)__builtin_ctz(header->geometry.slot_count),
      .lane_granules = header->geometry.lane_bytes / CONCLAVE_GRANULE,
      .record_limit = conclave_record_limit(&header->geometry),
      .stamp_seed = seed,
      .descriptor = descriptor,
      .is_read_only = role == CONCLAVE_OBSERVE,
      .process_generation = conclave_process_generation(),
  };
  /* Before anything is locked. */
  conclave_descriptor_guard(descriptor);
  find_parts(view, &at);
  view->guard =
      conclave_guard_begin(base, at.end, at.order, at.lane_headers, header->geometry.lane_count);
  int failure = view->guard ? open_parts(view, &at, role) : ENOMEM;
  if (failure) {
    if (view->guard) conclave_guard_end(view->guard);
    munmap(base, at.end);
    conclave_descriptor_forget(descriptor);
  }
  return failure;
}

int conclave_view_is_own(const conclave_view *view) {
  return view->process_generation == conclave_process_generation();
}

void conclave_view_unmap(conclave_view *view) {
  /* In a forked child something else may lie there by now. */
  int is_own = conclave_view_is_own(view);
  if (is_own) {
    conclave_guard_end(view->guard);
    munmap(view->base, view->bytes);
  }
  conclave_descriptor_end(view->descriptor, is_own);
}

int conclave_lane_open(const conclave_view *view, uint32_t lane) {
  uint8_t *data = conclave_lane_at(view, lane);
  int failure =
      reserve_within(view->descriptor, (uint64_t)(data - view->base), view->geometry.lane_bytes);
  if (failure) return failure;
  failure = make_writable(conclave_lane_header_at(view, lane), CONCLAVE_LANE_HEADER_BYTES);
  if (!failure) failure = make_writable(data, view->geometry.lane_bytes);
  /* One call instead of a fault per page at first touch; a kernel that cannot just faults. */
#ifdef MADV_POPULATE_WRITE
  if (!failure) madvise(data, view->geometry.lane_bytes, MADV_POPULATE_WRITE);
#endif
  return failure;
}

int conclave_row_open(const conclave_view *view, uint32_t row) {
  return make_writable(conclave_row_at(view, row), CONCLAVE_ROW_BYTES);
}
