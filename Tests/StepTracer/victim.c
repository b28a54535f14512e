#include "victim.h"

#include <string.h>
#include <unistd.h>

#include "conclave_rows.h"
#include "step_tracer.h"

/* The tracer notices by the exit code that the world could not be prepared. */
static void require(int is_good) {
  if (!is_good) _exit(3);
}

static void begin(const victim *self) { self->report->is_ready = 1; }

static void join(const victim *self, conclave_publisher *publisher) {
  conclave_view view;
  require(step_world_open(self->world, CONCLAVE_PUBLISH, &view) == 0);
  require(conclave_publisher_join(publisher, &view, 1, 0) == 0);
}

static void publish(const victim *self) {
  conclave_publisher publisher;
  join(self, &publisher);
  uint32_t number = 1;
  for (; number <= self->what->before; number++) {
    step_words words = step_words_of(STEP_VICTIM, number, 64);
    require(step_publish(&publisher, &words) == 0);
  }
  step_words words = step_words_of(STEP_VICTIM, number, self->what->bytes);
  step_words next = step_words_of(STEP_VICTIM, number + 1, self->what->bytes);
  begin(self);
  step_mark();
  int failure = step_publish(&publisher, &words);
  step_mark();
  require(failure == 0 && step_publish(&publisher, &next) == 0);
}

static void claim(const victim *self) {
  conclave_publisher publisher;
  conclave_view view;
  require(step_world_open(self->world, CONCLAVE_PUBLISH, &view) == 0);
  step_words words = step_words_of(STEP_VICTIM, 1, self->what->bytes);
  begin(self);
  step_mark();
  int failure = conclave_publisher_join(&publisher, &view, 1, 0);
  step_mark();
  self->report->failure = failure;
  if (!failure) require(step_publish(&publisher, &words) == 0);
}

static void leave(const victim *self) {
  conclave_publisher publisher;
  join(self, &publisher);
  begin(self);
  step_mark();
  conclave_publisher_leave(&publisher);
  step_mark();
}

static void receive(const victim *self, int back_pressure) {
  conclave_subscriber subscriber;
  require(step_enter(self->world, back_pressure, &subscriber) == 0);
  conclave_record record;
  step_words words;
  begin(self);
  step_mark();
  conclave_outcome outcome = conclave_receive(&subscriber, &record);
  if (outcome == CONCLAVE_RECORD) {
    memcpy(words.words, record.body, record.body_bytes);
    conclave_release(&subscriber);
  }
  conclave_subscriber_flush(&subscriber);
  step_mark();
  self->report->outcome = (int32_t)outcome;
  if (outcome != CONCLAVE_RECORD) return;
  record.body = (const uint8_t *)words.words;
  self->report->message = step_read(&record);
}

/* Lanes of which there is nothing more to read, and yet not all is given back. */
static uint32_t withheld(const conclave_subscriber *subscriber) {
  uint32_t count = 0;
  for (uint32_t lane = 0; lane < subscriber->view.geometry.lane_count; lane++) {
    uint64_t published = conclave_granule_believed(
        atomic_load(&conclave_lane_header_at(&subscriber->view, lane)->published));
    count += atomic_load(&subscriber->row->consumed[lane]) != published;
  }
  return count;
}

static void subscribe(const victim *self, int back_pressure) {
  conclave_subscriber subscriber;
  conclave_view view;
  /* Once before, so that the linker has found everything. */
  require(step_enter(self->world, back_pressure, &subscriber) == 0);
  conclave_subscriber_leave(&subscriber);
  conclave_subscriber_free(&subscriber);
  require(step_world_open(self->world, CONCLAVE_SUBSCRIBE, &view) == 0);
  begin(self);
  step_mark();
  int failure = step_subscribe(&view, back_pressure, &subscriber);
  step_mark();
  self->report->failure = failure;
  if (failure) return;
  conclave_record record;
  for (conclave_outcome outcome; (outcome = conclave_receive(&subscriber, &record));) {
    if (outcome == CONCLAVE_DAMAGED) self->report->damaged++;
    if (outcome != CONCLAVE_RECORD) continue;
    if (step_read(&record).sender == 0) self->report->damaged++;
    conclave_release(&subscriber);
  }
  conclave_subscriber_flush(&subscriber);
  if (back_pressure) self->report->withheld = withheld(&subscriber);
}

static void depart(const victim *self) {
  conclave_subscriber subscriber;
  require(step_enter(self->world, 1, &subscriber) == 0);
  begin(self);
  step_mark();
  conclave_subscriber_leave(&subscriber);
  step_mark();
}

static void keep(const victim *self) {
  conclave_subscriber subscriber;
  require(step_keep(self->world, &subscriber) == 0);
  begin(self);
  step_mark();
  self->report->damaged = step_keep_all(self->world, &subscriber, 0, 1);
  step_mark();
}

static void succeed(const victim *self) {
  conclave_subscriber subscriber;
  conclave_view view;
  require(step_world_open(self->world, CONCLAVE_SUBSCRIBE, &view) == 0);
  begin(self);
  step_mark();
  int failure = step_succeed(&view, &subscriber);
  if (!failure) self->report->damaged = step_keep_all(self->world, &subscriber, 0, 1);
  step_mark();
  self->report->failure = failure;
}

static void resign(const victim *self) {
  conclave_subscriber subscriber;
  require(step_keep(self->world, &subscriber) == 0);
  begin(self);
  step_mark();
  conclave_subscriber_abandon(&subscriber, CONCLAVE_KEEP_LIMIT_NS);
  step_mark();
}

void victim_act(void *context) {
  const victim *self = context;
  switch (self->what->action) {
    case STEP_PUBLISH: return publish(self);
    case STEP_JOIN: return claim(self);
    case STEP_LEAVE: return leave(self);
    case STEP_RECEIVE: return receive(self, 0);
    case STEP_CONSUME: return receive(self, 1);
    case STEP_SUBSCRIBE: return subscribe(self, 0);
    case STEP_ENTER: return subscribe(self, 1);
    case STEP_DEPART: return depart(self);
    case STEP_KEEP: return keep(self);
    case STEP_SUCCEED: return succeed(self);
    case STEP_RESIGN: return resign(self);
    case STEP_ACTIONS: return;
  }
}
