/* The life of a segment: made complete before it has a name, checked before it is believed, removed
 * only when nobody holds a lock in it.
 *
 * All functions return 0 or a positive errno, or one of the CONCLAVE_E_ codes below; none aborts.
 */
#ifndef CONCLAVE_SEGMENT_H
#define CONCLAVE_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "conclave_layout.h"

/* Above every errno. */
enum {
  CONCLAVE_E_NOT_A_FILE = 1000,  /* a symbolic link, FIFO, directory, ... has the name */
  CONCLAVE_E_FOREIGN_OWNER,      /* not of whom it must be, or open to others, or hard-linked */
  CONCLAVE_E_MAGIC,              /* not a segment */
  CONCLAVE_E_VERSION,            /* another layout */
  CONCLAVE_E_BOOT,               /* left over from before the machine was restarted */
  CONCLAVE_E_GEOMETRY,           /* impossible or contradictory sizes */
  CONCLAVE_E_PATH,               /* belongs to another bus directory */
  CONCLAVE_E_MIRRORED,           /* somebody who lives copies it into files already */
};

/* What a participant maps writable besides the board. */
typedef enum conclave_role {
  CONCLAVE_OBSERVE = 0,   /* nothing at all, not even the board: the file is open for reading */
  CONCLAVE_SUBSCRIBE = 1, /* its own row, if it wants back pressure (conclave_row_open) */
  CONCLAVE_PUBLISH = 2,   /* rows, order ring, and its own lane (conclave_lane_open) */
} conclave_role;

enum { CONCLAVE_ANYBODY = 0xFFFFFFFF };

/* Whose a segment's file is. Where functions take them, NULL says: of the user of this process, and
 * nobody else's (0600). */
typedef struct conclave_rights {
  uint32_t mode;  /* 0600, 0640 or 0660 */
  uint32_t owner; /* the user that it must belong to, or CONCLAVE_ANYBODY */
  uint32_t group; /* the group that it is given, and must have, or CONCLAVE_ANYBODY */
} conclave_rights;

/* Whether the numbers are within bounds and fit each other: 0 or CONCLAVE_E_GEOMETRY. */
int conclave_geometry_check(const conclave_geometry *geometry);

/* How many bytes a segment of this (valid) geometry has. */
uint64_t conclave_segment_bytes(const conclave_geometry *geometry);

/* Makes a segment in `directory` and gives it `name` when it is complete. EEXIST: somebody else was
 * first, open theirs. ENOSPC: no room, nothing is left behind. `path` is the canonical bus directory.
 * Memory for all but the lanes is reserved. */
int conclave_segment_create(const char *directory, const char *name, const char *path,
                            size_t path_bytes, const conclave_rights *rights,
                            const conclave_geometry *geometry);

/* Opens the segment `name` in `directory` and copies its header after checking it. Where what it contains
 * is at fault `*descriptor` is open all the same, so that the caller can see whether somebody lives in it;
 * on other failures it is -1. ENOENT: there is none. Never blocks, never follows a symbolic link. */
int conclave_segment_open(const char *directory, const char *name, const char *path,
                          size_t path_bytes, const conclave_rights *rights, conclave_role role,
                          int *descriptor, conclave_segment_header *header);

/* Whether `descriptor` is still the file that has the name: 1 or 0. */
int conclave_segment_is_named(const char *directory, const char *name, int descriptor);

/* Removes the name if it still means `descriptor` and nobody else holds a lock: 0, EBUSY, ENOENT or
 * another errno; EAGAIN when somebody else is about to remove it. Atomic against others who remove or
 * claim: it holds all locks meanwhile. */
int conclave_segment_remove(const char *directory, const char *name, int descriptor);

/* Whether somebody is about to remove the segment: then all its locks seem to be taken, for a moment. */
int conclave_segment_is_being_removed(int descriptor);

/* Maps the segment. `header` comes from conclave_segment_open. On success the view owns `descriptor`. */
int conclave_view_map(conclave_view *view, int descriptor, const conclave_segment_header *header,
                      conclave_role role);

/* Whether this process mapped it: 1 or 0. A child that was forked later has neither the mapping nor a
 * right to the locks, which are its parent's. */
int conclave_view_is_own(const conclave_view *view);

/* Unmaps and closes; in a child that was forked meanwhile both have happened. The view must not be used
 * afterwards. */
void conclave_view_unmap(conclave_view *view);

/* Reserves memory for a lane, maps its header and data writable and touches every page, so that
 * nothing can fail later. ENOSPC: no room. */
int conclave_lane_open(const conclave_view *view, uint32_t lane);

/* Maps a row writable. */
int conclave_row_open(const conclave_view *view, uint32_t row);

#endif
