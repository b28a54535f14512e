/* Who is alive: open-file-description locks on single bytes far behind the segment's end.
 *
 * The kernel drops such a lock when the last descriptor of the open file goes, however its process
 * ends, and keeps it while the process is merely stopped: no heartbeat, no pid to be reused, no
 * time-out that could give a lane of a stopped publisher away. Taking the lock *is* claiming the lane.
 * See fcntl(2), "Open file description locks".
 *
 * Why C: fcntl is variadic.
 */
#ifndef CONCLAVE_LIVENESS_H
#define CONCLAVE_LIVENESS_H

#include <stdint.h>

/* Bytes of the lock file. Lane and row numbers are added to their base. */
static const int64_t CONCLAVE_LOCK_LANES = 0x100000000;
static const int64_t CONCLAVE_LOCK_ROWS = 0x200000000;
/* Of those who only read, all at once: it keeps the segment from being removed under them. */
static const int64_t CONCLAVE_LOCK_READERS = 0x2FFFFFFFC;
/* Of the one subscription that copies everything into files: there never are two. */
static const int64_t CONCLAVE_LOCK_MIRROR = 0x2FFFFFFFD;
/* Of the one sleeper who watches for all (park.c). */
static const int64_t CONCLAVE_LOCK_WATCH = 0x2FFFFFFFE;
/* The last byte: of those who remove the segment, who lock all bytes at once. */
static const int64_t CONCLAVE_LOCK_REMOVAL = 0x2FFFFFFFF;
static const int64_t CONCLAVE_LOCK_END = 0x300000000;

/* Tries to lock `length` bytes at `start` for writing. Returns 0, EAGAIN when somebody else holds any
 * of them, or another errno. Never blocks. The descriptor must be open for writing. */
int conclave_lock_try(int descriptor, int64_t start, int64_t length);

/* As conclave_lock_try, but sleeps until nobody else holds them: the kernel wakes the sleeper the moment
 * the holder dies. */
int conclave_lock_wait(int descriptor, int64_t start, int64_t length);

/* As conclave_lock_try, but others may share them: only who wants them alone is refused, and refuses. The
 * descriptor must be open for reading. */
int conclave_lock_share(int descriptor, int64_t start, int64_t length);

/* Gives them back. Explicit, because closing alone would leave the lock with a child that was forked
 * meanwhile. Returns 0 or an errno. */
int conclave_lock_release(int descriptor, int64_t start, int64_t length);

/* Whether somebody else holds any of the bytes: 1 or 0, or a negative errno: unknown, so take nothing
 * over. A read-only descriptor will do. */
int conclave_lock_held(int descriptor, int64_t start, int64_t length);

#endif
