#include "step_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "step_origin.h"

static const char *NAME = "segment";
static const char *PATH = "/step";

static const conclave_geometry GEOMETRY = {
    .slot_count = 64,
    .lane_count = 2,
    .lane_bytes = CONCLAVE_MIN_LANE_BYTES,
    .row_count = 3,
    .message_bytes = 65536,
};

void step_fault(step_world *world, const char *format, ...) {
  if (world->fault[0]) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(world->fault, sizeof(world->fault), format, arguments);
  va_end(arguments);
}

/* MARK: The segment */

int step_world_open(const step_world *world, conclave_role role, conclave_view *view) {
  int descriptor = -1;
  conclave_segment_header header;
  int failure = conclave_segment_open(world->directory, NAME, PATH, strlen(PATH), NULL, role,
                                      &descriptor, &header);
  if (!failure) failure = conclave_view_map(view, descriptor, &header, role);
  if (failure && descriptor >= 0) close(descriptor);
  return failure;
}

int step_world_place(step_world *world) {
  memset(world, 0, sizeof(*world));
  for (uint32_t sender = 0; sender < 4; sender++) world->next[sender] = 1;
  snprintf(world->directory, sizeof(world->directory), "/dev/shm/conclave-step-XXXXXX");
  return mkdtemp(world->directory) ? 0 : errno;
}

int step_world_create(const step_world *world) {
  return step_world_create_as(world, &GEOMETRY);
}

int step_world_create_as(const step_world *world, const conclave_geometry *geometry) {
  return conclave_segment_create(world->directory, NAME, PATH, strlen(PATH), NULL, geometry);
}

int step_world_map(step_world *world) {
  int failure = step_world_open(world, CONCLAVE_PUBLISH, &world->whole);
  if (failure) return failure;
  void *start = world->whole.base;
  if (mprotect(start, world->whole.bytes, PROT_READ | PROT_WRITE) != 0) return errno;
  step_origin_set(&world->whole);
  return 0;
}

int step_subscribe(conclave_view *view, int back_pressure, conclave_subscriber *subscriber) {
  conclave_subscription options = {.back_pressure = back_pressure, .timeout_ns = UINT64_MAX};
  return conclave_subscriber_join(subscriber, view, &options);
}

int step_try_again(int failure, uint32_t *tries) {
  if ((failure != EAGAIN && failure != ENOENT) || ++*tries > 1000) return 0;
  usleep(1000);
  return 1;
}

int step_enter(const step_world *world, int back_pressure, conclave_subscriber *subscriber) {
  conclave_view view;
  int failure = step_world_open(world, CONCLAVE_SUBSCRIBE, &view);
  if (failure) return failure;
  uint32_t tries = 0;
  do {
    failure = step_subscribe(&view, back_pressure, subscriber);
  } while (step_try_again(failure, &tries));
  if (failure) conclave_view_unmap(&view);
  return failure;
}

int step_world_make(step_world *world) {
  int failure = step_world_place(world);
  if (!failure) failure = step_world_create(world);
  return failure ? failure : step_world_settle(world);
}

int step_world_settle(step_world *world) {
  int failure = step_world_map(world);
  conclave_view view;
  if (!failure) failure = step_world_open(world, CONCLAVE_PUBLISH, &view);
  if (!failure) failure = conclave_publisher_join(&world->survivor, &view, 1, 0);
  if (!failure) failure = step_enter(world, 0, &world->dropping.subscriber);
  if (!failure) failure = step_enter(world, 1, &world->patient.subscriber);
  return failure;
}

void step_world_remove(step_world *world) {
  conclave_publisher_leave(&world->survivor);
  conclave_subscriber_leave(&world->dropping.subscriber);
  conclave_subscriber_free(&world->dropping.subscriber);
  conclave_subscriber_leave(&world->patient.subscriber);
  conclave_subscriber_free(&world->patient.subscriber);
  conclave_view_unmap(&world->whole);
  step_world_unlink(world);
  rmdir(world->directory);
}

int step_world_discard(const step_world *world) {
  int descriptor = -1;
  conclave_segment_header header;
  int failure = conclave_segment_open(world->directory, NAME, PATH, strlen(PATH), NULL,
                                      CONCLAVE_SUBSCRIBE, &descriptor, &header);
  if (!failure) failure = conclave_segment_remove(world->directory, NAME, descriptor);
  if (descriptor >= 0) close(descriptor);
  return failure;
}

void step_world_unlink(const step_world *world) {
  char path[128];
  snprintf(path, sizeof(path), "%s/%s", world->directory, NAME);
  unlink(path);
}

/* MARK: Copies */

static conclave_view view_of(const conclave_view *from, const conclave_view *to) {
  conclave_view view = *to;
  view.stamp_seed = from->stamp_seed;
  return view;
}

static void copy_publisher(const conclave_publisher *from, conclave_publisher *to) {
  conclave_publisher copy = *from;
  copy.view = view_of(&from->view, &to->view);
  copy.lane_header = to->lane_header;
  copy.lane_data = to->lane_data;
  *to = copy;
}

static void copy_reader(const step_reader *from, step_reader *to) {
  conclave_subscriber copy = from->subscriber;
  copy.view = view_of(&from->subscriber.view, &to->subscriber.view);
  copy.row = to->subscriber.row;
  copy.scratch = to->subscriber.scratch;
  to->subscriber = copy;
  to->log.count = to->log.lost = to->log.damaged = 0;
}

void step_world_copy(const step_world *world, step_world *copy) {
  memcpy(copy->whole.base, world->whole.base, world->whole.bytes);
  copy->whole = view_of(&world->whole, &copy->whole);
  copy_publisher(&world->survivor, &copy->survivor);
  copy_reader(&world->dropping, &copy->dropping);
  copy_reader(&world->patient, &copy->patient);
  memcpy(copy->next, world->next, sizeof(copy->next));
  copy->kept_number = world->kept_number;
  copy->kept_position = world->kept_position;
}

/* MARK: Messages */

/* Each word depends on the message and on its place. */
static uint64_t word_of(uint32_t sender, uint32_t number, uint32_t index) {
  uint64_t tag = (uint64_t)sender << 32 | number;
  return index == 0 ? tag : (tag + index) * UINT64_C(0x9E3779B97F4A7C15);
}

step_words step_words_of(uint32_t sender, uint32_t number, uint32_t bytes) {
  step_words words = {.bytes = bytes / 8 * 8};
  for (uint32_t index = 0; index < bytes / 8; index++) {
    words.words[index] = word_of(sender, number, index);
  }
  return words;
}

int step_publish(conclave_publisher *publisher, const step_words *words) {
  int failure =
      conclave_publish(publisher, NULL, 0, words->words, words->bytes, CONCLAVE_NO_WAIT);
  if (!failure) conclave_publish_wake(publisher);
  return failure;
}

step_message step_read(const conclave_record *record) {
  step_message message = {0};
  uint64_t tag;
  if (record->body_bytes < 8) return message;
  memcpy(&tag, record->body, 8);
  uint32_t sender = (uint32_t)(tag >> 32), number = (uint32_t)tag;
  for (uint32_t index = 1; index < record->body_bytes / 8; index++) {
    uint64_t word;
    memcpy(&word, record->body + 8 * index, 8);
    if (word != word_of(sender, number, index)) return message;
  }
  message.sender = sender;
  message.number = number;
  return message;
}

void step_drain(step_reader *reader) {
  conclave_record record;
  for (;;) {
    switch (conclave_receive(&reader->subscriber, &record)) {
      case CONCLAVE_NOTHING:
        conclave_subscriber_flush(&reader->subscriber);
        return;
      case CONCLAVE_RECORD:
        if (reader->log.count < STEP_LOG) {
          reader->log.messages[reader->log.count++] = step_read(&record);
        }
        conclave_release(&reader->subscriber);
        break;
      case CONCLAVE_LAPPED:
      case CONCLAVE_GONE:
        reader->log.lost++;
        break;
      case CONCLAVE_DAMAGED:
        reader->log.damaged++;
        break;
    }
  }
}

/* MARK: Judging */

static void expect_of(step_world *world, step_reader *reader, const char *who,
                      const step_message *expected, uint32_t count) {
  step_drain(reader);
  step_log *log = &reader->log;
  if (log->lost || log->damaged) {
    step_fault(world, "%s: %u lost, %u damaged", who, log->lost, log->damaged);
  }
  if (log->count != count) {
    step_fault(world, "%s: %u messages, not %u", who, log->count, count);
  }
  for (uint32_t i = 0; i < log->count && i < count; i++) {
    step_message seen = log->messages[i];
    if (seen.sender != expected[i].sender || seen.number != expected[i].number) {
      step_fault(world, "%s: message %u is %u of %u, not %u of %u", who, i, seen.number,
                 seen.sender, expected[i].number, expected[i].sender);
    }
  }
  log->count = log->lost = log->damaged = 0;
}

void step_expect(step_world *world, const step_message *expected, uint32_t count) {
  expect_of(world, &world->dropping, "the dropping one", expected, count);
  expect_of(world, &world->patient, "the waiting one", expected, count);
}

static int publish_next(step_world *world, conclave_publisher *publisher, uint32_t sender,
                        uint32_t bytes, step_message *message) {
  *message = (step_message){.sender = sender, .number = world->next[sender]};
  step_words words = step_words_of(sender, message->number, bytes);
  int failure = step_publish(publisher, &words);
  if (!failure) world->next[sender]++;
  return failure;
}

int step_survivor_publishes(step_world *world, uint32_t bytes, step_message *message) {
  return publish_next(world, &world->survivor, STEP_SURVIVOR, bytes, message);
}

void step_go_on(step_world *world, conclave_publisher *newcomer, uint32_t rounds) {
  step_message expected[2];
  for (uint32_t round = 0; round < rounds; round++) {
    uint32_t count = 0;
    /* 8 bytes to nearly a quarter of a lane. */
    uint32_t bytes = 8 + round * 1048 % 4000 / 8 * 8;
    int failure = step_survivor_publishes(world, bytes, &expected[count++]);
    if (newcomer && !failure) {
      failure = publish_next(world, newcomer, STEP_NEWCOMER, bytes, &expected[count++]);
    }
    if (failure) step_fault(world, "nobody is in the way, and yet: %s", strerror(failure));
    step_expect(world, expected, count);
  }
}

int step_newcomer(step_world *world, int is_taken, conclave_publisher *newcomer) {
  conclave_view view;
  int failure = step_world_open(world, CONCLAVE_PUBLISH, &view);
  if (failure) {
    step_fault(world, "a newcomer cannot open the segment: %d", failure);
    return failure;
  }
  uint32_t tries = 0;
  do {
    failure = conclave_publisher_join(newcomer, &view, 1, 0);
  } while (!is_taken && step_try_again(failure, &tries));
  if (failure) conclave_view_unmap(&view);
  if (failure != (is_taken ? EAGAIN : 0)) {
    step_fault(world, "a newcomer that claims a lane gets %d", failure);
  }
  return failure;
}
