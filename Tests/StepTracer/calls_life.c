#include "calls_life.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "conclave_mirror.h"
#include "conclave_rows.h"
#include "step_tracer.h"

enum { TRIES = 4, MOMENT_NS = 2000000, NEVER_FULL = 10000, SECONDS = 20 };

typedef struct actors {
  calls_life *life;
  conclave_publisher publisher;   /* of its own ring */
  conclave_subscriber subscriber; /* likewise */
  conclave_publisher guest;       /* of the world's */
  uint32_t published;             /* in its own ring */
  uint32_t received;
} actors;

typedef int (*deed)(actors *self);

/* MARK: Its own ring */

static int make(actors *self) { return step_world_create(&self->life->own); }

static int join_as(actors *self, const step_world *world, conclave_publisher *publisher) {
  conclave_view view;
  int failure = step_world_open(world, CONCLAVE_PUBLISH, &view);
  if (failure) return failure;
  failure = conclave_publisher_join(publisher, &view, 1, 0);
  if (failure && self->life->defect != STEP_CALLS_LEAK) conclave_view_unmap(&view);
  return failure;
}

static int join(actors *self) { return join_as(self, &self->life->own, &self->publisher); }

static int enter(actors *self) {
  conclave_view view;
  int failure = step_world_open(&self->life->own, CONCLAVE_SUBSCRIBE, &view);
  if (failure) return failure;
  conclave_subscription options = {.back_pressure = 1, .timeout_ns = MOMENT_NS};
  failure = conclave_subscriber_join(&self->subscriber, &view, &options);
  if (failure) conclave_view_unmap(&view);
  return failure;
}

/* Until there is no room, for which it waits. */
static int fill(actors *self) {
  while (self->published < NEVER_FULL) {
    step_words words = step_words_of(STEP_VICTIM, self->published + 1, 200);
    int failure =
        conclave_publish(&self->publisher, NULL, 0, words.words, words.bytes, CONCLAVE_WAIT);
    if (failure) return failure == ETIMEDOUT ? 0 : failure;
    self->published++;
    conclave_publish_wake(&self->publisher);
  }
  return ENOBUFS;
}

static void take(actors *self, const conclave_record *record) {
  step_message seen = step_read(record);
  self->received++;
  if (seen.sender != STEP_VICTIM || seen.number != self->received) self->life->report->wrong++;
}

static int receive(actors *self) {
  conclave_record record;
  for (conclave_outcome outcome; (outcome = conclave_receive(&self->subscriber, &record));) {
    if (outcome != CONCLAVE_RECORD) return EBADMSG;
    take(self, &record);
    conclave_release(&self->subscriber);
  }
  conclave_subscriber_flush(&self->subscriber);
  return self->received == self->published ? 0 : ENODATA;
}

static uint64_t soon(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec + MOMENT_NS;
}

static int sleep_in_vain(actors *self) {
  conclave_subscriber_park(&self->subscriber, self->subscriber.position, soon());
  return 0;
}

static int depart(actors *self) {
  conclave_subscriber_leave(&self->subscriber);
  conclave_subscriber_free(&self->subscriber);
  return 0;
}

static int observe(actors *self) {
  conclave_view view;
  int failure = step_world_open(&self->life->own, CONCLAVE_OBSERVE, &view);
  if (failure) return failure;
  failure = conclave_subscriber_observe(&self->subscriber, &view);
  if (failure) {
    conclave_view_unmap(&view);
    return failure;
  }
  conclave_subscriber_park(&self->subscriber, self->subscriber.position, soon());
  return depart(self);
}

/* A mirror that takes its place, leaves it to a successor, and that one. */
static int keep(actors *self) {
  const step_world *own = &self->life->own;
  conclave_view view;
  int failure = step_keep(own, &self->subscriber);
  if (failure) return failure;
  failure = conclave_mirror_take(&self->subscriber.view);
  if (failure) {
    depart(self);
    return failure;
  }
  conclave_mirror_note_mirrored(&self->subscriber.view, self->subscriber.position, 0, 0);
  conclave_mirror_doze(&self->subscriber, 1, soon());
  conclave_mirror_give_back(&self->subscriber.view);
  conclave_subscriber_abandon(&self->subscriber, CONCLAVE_KEEP_LIMIT_NS);
  conclave_subscriber_free(&self->subscriber);
  uint32_t tries = 0;
  do {
    failure = step_world_open(own, CONCLAVE_SUBSCRIBE, &view);
    if (failure) continue;
    failure = step_succeed(&view, &self->subscriber);
    if (failure) conclave_view_unmap(&view);
  } while (failure && ++tries < TRIES);
  return failure ? failure : depart(self);
}

static int leave(actors *self) {
  conclave_publisher_leave(&self->publisher);
  return 0;
}

static int discard(actors *self) { return step_world_discard(&self->life->own); }

/* MARK: The others' ring */

static int visit(actors *self) {
  int failure = join_as(self, &self->life->world, &self->guest);
  if (failure) return failure;
  for (uint32_t number = 1; number <= CALLS_PUBLISHED; number++) {
    step_words words = step_words_of(STEP_VICTIM, number, 200);
    if (step_publish(&self->guest, &words) != 0) self->life->report->wrong++;
  }
  conclave_publisher_leave(&self->guest);
  return 0;
}

static int listen_in(actors *self) {
  int failure = step_enter(&self->life->world, 1, &self->subscriber);
  return failure ? failure : depart(self);
}

static const deed DEEDS[] = {
    make,    join,  enter,   fill,  receive, sleep_in_vain, depart,
    observe, keep,  leave,   discard, visit, listen_in,
};

static void run(actors *self) {
  calls_report *report = self->life->report;
  for (uint32_t i = 0; i < sizeof(DEEDS) / sizeof(DEEDS[0]); i++) {
    int failure = DEEDS[i](self);
    for (int tries = 1; failure && tries < TRIES; tries++) {
      report->refused++;
      failure = DEEDS[i](self);
    }
    report->deed = i;
    report->failure = failure;
    if (failure) return;
  }
}

void calls_live(void *context) {
  static actors self;
  self.life = context;
  alarm(SECONDS);
  step_mark();
  run(&self);
  step_mark();
}
