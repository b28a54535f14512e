/* A ring with survivors, around a victim that may die or stop at any instruction, and the judgement of
 * what it leaves: everybody else goes on at once, and gets exactly what was published, in order, each
 * once.
 *
 * As small as a ring can be, so that a few hundred messages are two laps: 64 slots, 16 KiB a lane.
 * Lane 0 and rows 0 and 1 are the survivors'; lane 1 and row 2 are left for the victim, so that who
 * comes after it must be able to take them over. */
#ifndef STEP_WORLD_H
#define STEP_WORLD_H

#include "conclave_publish.h"
#include "conclave_receive.h"
#include "conclave_segment.h"

/* One message as it was received. */
typedef struct step_message {
  uint32_t sender; /* 0: its bytes are not what anybody published */
  uint32_t number;
} step_message;

enum { STEP_SURVIVOR = 1, STEP_VICTIM = 2, STEP_NEWCOMER = 3, STEP_LOG = 4096 };

/* What a subscription has received since the world was made or judged last. */
typedef struct step_log {
  uint32_t count;
  uint32_t lost;    /* positions or records: none must be */
  uint32_t damaged; /* likewise */
  uint32_t unused;
  step_message messages[STEP_LOG];
} step_log;

typedef struct step_reader {
  conclave_subscriber subscriber;
  step_log log;
} step_reader;

typedef struct step_world {
  char directory[64];
  conclave_view whole; /* all of it writable, which no participant may */
  conclave_publisher survivor;
  step_reader dropping;
  step_reader patient;
  uint32_t next[4]; /* the next number of each sender */
  uint64_t kept_number;    /* the survivor's message that lies */
  uint64_t kept_position;  /* at this position of the ring */
  char fault[200];  /* the first thing that is not as it must be; empty: everything is */
} step_world;

/* Makes a segment in a directory of its own, and the survivors. 0 or what the ring says. */
int step_world_make(step_world *world);

/* Its parts: the directory; the segment, or EEXIST; all of it writable, at its origin; that and the
 * survivors. */
int step_world_place(step_world *world);
int step_world_create(const step_world *world);
int step_world_map(step_world *world);
int step_world_settle(step_world *world);

/* The segment alone, of another geometry: for those who bring their own participants. */
int step_world_create_as(const step_world *world, const conclave_geometry *geometry);

/* Removes the segment as who finds it left over does: only when nobody takes part. */
int step_world_discard(const step_world *world);

/* Removes the segment's name. */
void step_world_unlink(const step_world *world);

/* Removes it all. */
void step_world_remove(step_world *world);

/* Makes `copy`, another world that was made in the same way, what `world` is at this moment to those who
 * live on: memory and survivors. Faults stay as they are. */
void step_world_copy(const step_world *world, step_world *copy);

/* Opens and maps the world's segment once more, as another process would. */
int step_world_open(const step_world *world, conclave_role role, conclave_view *view);

/* A message of `bytes` bytes: 8 at least, and not more than a quarter of a lane. */
typedef struct step_words {
  uint32_t bytes;
  uint32_t unused;
  uint64_t words[CONCLAVE_MIN_LANE_BYTES / 4 / 8];
} step_words;

step_words step_words_of(uint32_t sender, uint32_t number, uint32_t bytes);

/* Publishes it and wakes, without waiting for room. */
int step_publish(conclave_publisher *publisher, const step_words *words);

/* Whose it is; sender 0 when its bytes are nobody's. */
step_message step_read(const conclave_record *record);

/* Joins as a subscription that nobody waits out. On success the subscriber owns `view`. */
int step_subscribe(conclave_view *view, int back_pressure, conclave_subscriber *subscriber);

/* Whether who has got `failure` for the place of a dead one is to try again: for about a second. Whoever
 * looks at a process in /proc keeps its memory, and with it its locks, a little beyond its death. */
int step_try_again(int failure, uint32_t *tries);

/* Opens the world's segment, and joins as a subscription. */
int step_enter(const step_world *world, int back_pressure, conclave_subscriber *subscriber);

/* Opens the world's segment, and joins as a subscription that keeps, as the mirror is one: it says what
 * is to be given back, and its place outlives it. */
int step_keep(const step_world *world, conclave_subscriber *subscriber);

/* Takes over from one that is dead. On success the subscriber owns `view`. */
int step_succeed(conclave_view *view, conclave_subscriber *subscriber);

/* Receives all that there is but `left` positions, says that it is kept, and, if `commits`, gives it
 * back. Returns how much of it is not what the survivor has published since world->kept_position. */
uint32_t step_keep_all(const step_world *world, conclave_subscriber *subscriber, uint64_t left,
                       int commits);

/* Receives all that there is. */
void step_drain(step_reader *reader);

/* Publishes the survivor's next message. */
int step_survivor_publishes(step_world *world, uint32_t bytes, step_message *message);

/* Both survivors have received exactly `expected`, which is then forgotten; else a fault. */
void step_expect(step_world *world, const step_message *expected, uint32_t count);

/* The survivor, and unless it is NULL the newcomer, publish `rounds` messages each, sizes from small to
 * a quarter of a lane, and both survivors get them. */
void step_go_on(step_world *world, conclave_publisher *newcomer, uint32_t rounds);

/* Somebody new takes the lane that is left; EAGAIN is a fault unless `is_taken`, and then all else is. */
int step_newcomer(step_world *world, int is_taken, conclave_publisher *newcomer);

/* Notes the first fault. */
void step_fault(step_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
