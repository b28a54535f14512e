/* What a segment looks like. Everything else in CShim is written in these terms.
 *
 *   header        one page: identity and geometry; written before the segment has a name, then constant
 *   board         events and announcements that every participant maps writable
 *   order         one page with the tail hint, then the order ring: slot_count 64-bit slots
 *   rows          one page per subscription with back pressure
 *   lane headers  two pages per publisher
 *   lanes         lane_bytes per publisher, reserved in memory only when the lane is claimed
 *
 * A participant computes every offset from the geometry that it validated and copied when it
 * attached; nothing read from the segment later is used as an address before it is bounded.
 *
 * Units: "granules" of 64 bytes for places in a lane, counted from the lane's beginning of time and
 * never reset (64 bits: a lane that takes 10 GB/s wraps after 3,700 years); "positions" for places in the
 * order ring, likewise. Neither ever comes near its end: what says that it has is damaged, and is taken
 * for a smaller one that slots cannot tell from it (CONCLAVE_BELIEVED).
 *
 * Why C: the layout is shared between processes, so each size and offset is asserted, and the atomics
 * are C11's, which work in foreign memory.
 */
#ifndef CONCLAVE_LAYOUT_H
#define CONCLAVE_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "conclave_guard.h"
#include "conclave_wait.h"

/* Changes with every change of what is described here. */
static const uint32_t CONCLAVE_LAYOUT_VERSION = 5;
/* "conclave", little-endian. */
static const uint64_t CONCLAVE_MAGIC = 0x6576616C636E6F63;

enum {
  CONCLAVE_PAGE = 4096,
  CONCLAVE_LINE = 64,
  CONCLAVE_GRANULE = 64,
  CONCLAVE_LANE_HEADER_BYTES = 8192,
  CONCLAVE_ROW_BYTES = 4096,
  /* Bounds of the geometry. */
  CONCLAVE_MAX_LANES = 240,
  CONCLAVE_MAX_ROWS = 240,
  CONCLAVE_MIN_LANE_BYTES = 16384,
  CONCLAVE_MAX_LANE_BYTES = 16777216,
  CONCLAVE_MIN_SLOTS = 64,
  CONCLAVE_MAX_SLOTS = 1048576,
  CONCLAVE_MAX_RECORD_BYTES = 65536,
  CONCLAVE_MAX_MESSAGE_BYTES = 1073741824,
  CONCLAVE_MAX_PATH_BYTES = 3072,
  CONCLAVE_LABEL_BYTES = 224,
};

/* The greatest position, and the greatest granule, that is believed; so nobody's numbers come to their end,
 * however long a damaged ring leads them on. Two of the largest periods in which slots repeat are left. */
static const uint64_t CONCLAVE_BELIEVED = UINT64_MAX - (UINT64_C(1) << 49);

/* Chosen by whoever creates the segment. */
typedef struct conclave_geometry {
  uint32_t slot_count;    /* slots of the order ring: a power of two, 64 to 2^20 */
  uint32_t lane_count;    /* publishers at once: 1 to 240 */
  uint32_t lane_bytes;    /* data of one lane: a power of two, 16 KiB to 16 MiB */
  uint32_t row_count;     /* subscriptions at once: 1 to 240 */
  uint32_t message_bytes; /* the largest message: 1 byte to 1 GiB */
  uint32_t unused;
} conclave_geometry;

/* The largest record of a geometry in bytes: a quarter of a lane, at most 64 KiB, so that a publisher
 * that must skip to the lane's beginning always finds room once subscribers have caught up. */
static inline uint32_t conclave_record_limit(const conclave_geometry *geometry) {
  uint32_t quarter = geometry->lane_bytes / 4;
  return quarter < CONCLAVE_MAX_RECORD_BYTES ? quarter : CONCLAVE_MAX_RECORD_BYTES;
}

/* Page 0. Constant once the segment has a name. */
typedef struct conclave_segment_header {
  uint64_t magic;
  uint32_t layout_version;
  uint32_t owner; /* uid */
  conclave_geometry geometry;
  uint64_t segment_bytes;
  uint64_t created_ns; /* CLOCK_REALTIME */
  uint8_t boot_id[16];
  uint8_t generation[16]; /* random, different for each segment ever made */
  uint32_t path_bytes;
  uint32_t unused;
  uint8_t path[CONCLAVE_MAX_PATH_BYTES]; /* canonical bus directory, not terminated */
} conclave_segment_header;

_Static_assert(sizeof(conclave_geometry) == 24, "layout");
_Static_assert(offsetof(conclave_segment_header, geometry) == 16, "layout");
_Static_assert(offsetof(conclave_segment_header, segment_bytes) == 40, "layout");
_Static_assert(offsetof(conclave_segment_header, boot_id) == 56, "layout");
_Static_assert(offsetof(conclave_segment_header, generation) == 72, "layout");
_Static_assert(offsetof(conclave_segment_header, path) == 96, "layout");
_Static_assert(sizeof(conclave_segment_header) <= CONCLAVE_PAGE, "layout");

/* On the board, one per lane: what the lane's publisher sleeps on while its lane is full, which row it
 * waits for, and until which granule that row must have consumed before it wants to be woken. */
typedef struct conclave_lane_wait {
  conclave_event event;
  _Atomic uint64_t wanted;
  _Atomic uint32_t row;
  uint8_t unused[52];
} conclave_lane_wait;

_Static_assert(sizeof(conclave_lane_wait) == 128, "layout");

/* On the board, one per row: what a subscription tells people about itself. Nothing depends on it. */
typedef struct conclave_presence {
  _Atomic uint64_t cursor;
  _Atomic uint64_t lost; /* messages */
  _Atomic uint32_t pid;
  _Atomic uint32_t back_pressure; /* 0 or 1 */
  _Atomic uint64_t label_bytes;
  _Atomic uint64_t label[CONCLAVE_LABEL_BYTES / 8]; /* what it calls itself, not terminated */
} conclave_presence;

_Static_assert(sizeof(conclave_presence) == 256, "layout");

/* Positions that something is not true of, though `mirrored` or `synced` have passed them: the last such
 * stretch. Who has seen `count` before it published can tell whether its own position lies in one; when
 * there were several since, or one is just being written, it cannot, and must take it that it does. */
typedef struct conclave_stretch {
  _Atomic uint64_t count; /* twice how many there were; odd while one is written */
  _Atomic uint64_t begin;
  _Atomic uint64_t end; /* exclusive */
} conclave_stretch;

/* On the board: how far the mirror is that copies the ring into files; see conclave_mirror.h. */
typedef struct conclave_mirror_state {
  _Atomic uint64_t base;     /* what the files call the ring's position 0, plus 1; 0: never mirrored */
  _Atomic uint64_t mirrored; /* positions below it are in the files, or in a `skipped` stretch */
  _Atomic uint64_t synced;   /* positions below it are on the disk, or in one of the stretches */
  _Atomic uint64_t trouble;  /* why the mirror cannot write just now, in its own code; 0: it can. In the
                                upper half what it cannot write; 0: several files, or all */
  _Atomic uint64_t messages; /* copied so far */
  _Atomic uint64_t bytes;    /* likewise, of the files */
  _Atomic uint64_t wanted;   /* positions below it somebody wants to be on the disk */
  _Atomic uint64_t asks;     /* how often a publisher began to wait for the mirror */
  conclave_stretch skipped;  /* not in the files */
  conclave_stretch unsynced; /* in the files, but the disk may not have them: a sync failed */
  _Atomic uint64_t quorum;   /* of `asks`: a mirror that dozes is woken once there are so many */
  _Atomic uint32_t unsynced_subject; /* what the stretch `unsynced` is of; 0: it cannot be said */
  _Atomic uint32_t rounds;   /* of syncs: odd while one is under way */
} conclave_mirror_state;

_Static_assert(sizeof(conclave_mirror_state) == 128, "layout");

/* The board's first lines. */
typedef struct conclave_board {
  conclave_event data;  /* subscribers sleep here until there is a record */
  conclave_event space; /* publishers sleep here until the order ring has room */
  conclave_event kept;  /* publishers sleep here until their message is in the files, */
  conclave_event safe;  /* or here until it is on the disk */
  conclave_event work;  /* the mirror dozes here */
  conclave_mirror_state mirror;
} conclave_board;

_Static_assert(sizeof(conclave_board) == 448, "layout");

/* One page per subscription with back pressure. `state` is generation << 1 | active: a row is taken
 * from a dead subscriber by compare-and-swap on it, and the generation keeps that from hitting the
 * next one. */
typedef struct conclave_row {
  _Atomic uint64_t state;
  _Atomic uint64_t cursor;     /* positions below it are consumed; 0 frees nothing */
  _Atomic uint64_t timeout_ns; /* how long publishers wait; UINT64_MAX: as long as it lives */
  _Atomic uint64_t keep_ns;    /* how long they wait for a successor once it is dead; 0: not at all */
  _Atomic uint64_t orphaned;   /* when a publisher first saw it dead: see conclave_rows.h */
  uint8_t unused[88];
  _Atomic uint64_t consumed[CONCLAVE_MAX_LANES]; /* granules, per lane */
} conclave_row;

_Static_assert(offsetof(conclave_row, consumed) == 128, "layout");
_Static_assert(sizeof(conclave_row) <= CONCLAVE_ROW_BYTES, "layout");

/* Two pages per lane. Written by the holder of the lane's lock alone. */
typedef struct conclave_lane_header {
  _Atomic uint64_t reserve;   /* granules: everything below reserve - capacity may be overwritten */
  _Atomic uint64_t published; /* granules: the end of the last record that is in the order ring */
  _Atomic uint64_t reused;    /* how often an owner began to reuse what was reserved in vain */
  uint8_t unused0[40];
  _Atomic uint64_t incarnation; /* of the owner; 0 while it changes hands */
  _Atomic uint64_t messages;    /* published by this incarnation */
  _Atomic uint32_t pid;         /* for people */
  _Atomic uint32_t stream_bytes; /* how much of `streams` is in use */
  uint8_t unused1[40];
  uint8_t streams[CONCLAVE_LANE_HEADER_BYTES - 128]; /* see conclave_streams.h */
} conclave_lane_header;

_Static_assert(offsetof(conclave_lane_header, incarnation) == 64, "layout");
_Static_assert(offsetof(conclave_lane_header, streams) == 128, "layout");
_Static_assert(sizeof(conclave_lane_header) == CONCLAVE_LANE_HEADER_BYTES, "layout");

/* The first 16 bytes of a record. Records begin on granules and never wrap around a lane's end. */
typedef struct conclave_record_header {
  uint32_t bytes; /* of the whole record, this header included */
  uint32_t stamp; /* depends on place and segment, see conclave_stamp: stale bytes do not match */
  uint64_t incarnation_kind; /* incarnation << 8 | kind */
} conclave_record_header;

_Static_assert(sizeof(conclave_record_header) == 16, "layout");

/* Kinds of record. Messages too large for one record travel as a chain: first, more ..., last. The
 * body of `first` begins with the length of the whole message, 8 bytes. */
enum {
  CONCLAVE_WHOLE = 1,
  CONCLAVE_FIRST = 2,
  CONCLAVE_MORE = 3,
  CONCLAVE_LAST = 4,
};

/* A mapped segment: where its parts are, computed from the validated geometry. Process-private. */
typedef struct conclave_view {
  uint8_t *base;
  uint64_t bytes;
  conclave_board *board;
  conclave_lane_wait *lane_waits;
  conclave_presence *presences;
  _Atomic uint64_t *tail;
  _Atomic uint64_t *slots;
  uint8_t *rows;
  uint8_t *lane_headers;
  uint8_t *lanes;
  conclave_geometry geometry;
  uint32_t slot_shift;    /* log2 of slot_count */
  uint32_t lane_granules; /* lane_bytes / 64 */
  uint32_t record_limit;  /* bytes */
  uint32_t stamp_seed;
  int32_t descriptor;
  uint32_t is_read_only;  /* the kernel lets this process write to no part of it */
  uint64_t process_generation; /* of the process that mapped it: a forked child must not touch it */
  conclave_guard *guard;
} conclave_view;

/* Whether the file was cut off under the mapping, which is private memory since: 1 or 0. */
static inline int conclave_view_is_lost(const conclave_view *view) {
  return conclave_guard_is_lost(view->guard);
}

/* The same, after all that was read here before: another thread may have run into the missing memory first,
 * and a processor that reorders may else look for that before it reads the zeros. */
static inline int conclave_view_is_lost_by_now(const conclave_view *view) {
  atomic_thread_fence(memory_order_acquire);
  return conclave_view_is_lost(view);
}

/* As conclave_event_prepare. Who may only read announces nothing, so that nobody wakes it: it must look
 * again by the clock. */
static inline uint32_t conclave_view_prepare(const conclave_view *view, conclave_event *event) {
  if (!view->is_read_only) return conclave_event_prepare(event);
  return atomic_load_explicit(&event->word, memory_order_seq_cst);
}

/* As conclave_event_signal. Who may only read has made no work for others. */
static inline void conclave_view_signal(const conclave_view *view, conclave_event *event) {
  if (!view->is_read_only) conclave_event_signal(event);
}

static inline conclave_row *conclave_row_at(const conclave_view *view, uint32_t row) {
  return (conclave_row *)(void *)(view->rows + (size_t)row * CONCLAVE_ROW_BYTES);
}

static inline conclave_lane_header *conclave_lane_header_at(const conclave_view *view,
                                                            uint32_t lane) {
  return (conclave_lane_header *)(void *)(view->lane_headers +
                                          (size_t)lane * CONCLAVE_LANE_HEADER_BYTES);
}

static inline uint8_t *conclave_lane_at(const conclave_view *view, uint32_t lane) {
  return view->lanes + (size_t)lane * view->geometry.lane_bytes;
}

/* Never zero, different for each place of each segment: zeroed, stale and moved bytes do not match. */
static inline uint32_t conclave_stamp(const conclave_view *view, uint64_t granule) {
  return ((uint32_t)(granule * 0x9E3779B97F4A7C15u >> 32) ^ view->stamp_seed) | 1u;
}

#endif
