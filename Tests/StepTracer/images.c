#include "images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conclave_damage.h"
#include "conclave_inspect.h"

enum {
  MESSAGES = 300,    /* more than two laps of the ring, and of the lane */
  NEWEST = 20,       /* are left for who loses nothing */
  OUTCOMES = 2000,   /* more than any number of calls that come to an end */
  RARELY = 8,        /* one image of so many is published in, and looked at, */
  VERY_RARELY = 512, /* and opened, mapped and joined */
};

static uint64_t next_random(images *images) {
  /* splitmix64 (Steele, Lea and Flood, 2014). */
  uint64_t word = images->random += UINT64_C(0x9E3779B97F4A7C15);
  word = (word ^ word >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  word = (word ^ word >> 27) * UINT64_C(0x94D049BB133111EB);
  return word ^ word >> 31;
}

static int fault(images *images, const char *what) {
  step_images_result *result = images->result;
  if (!result->fault[0]) snprintf(result->fault, sizeof(result->fault), "%s", what);
  return 1;
}

/* MARK: The ring */

static uint32_t bytes_of(uint64_t number) { return 8 + (uint32_t)(number * 37 % 248); }
static uint64_t word_of(uint64_t number, uint32_t index) { return number << 8 | index; }

static int publish(images *images, uint64_t number) {
  uint64_t words[32];
  for (uint32_t i = 0; i < 32; i++) words[i] = word_of(number, i);
  return conclave_publish(&images->publisher, NULL, 0, words, bytes_of(number), CONCLAVE_NO_WAIT);
}

static int join(images *images) {
  conclave_view view;
  int failure = step_world_open(&images->world, CONCLAVE_PUBLISH, &view);
  if (!failure) failure = conclave_publisher_join(&images->publisher, &view, 1, 0);
  if (failure) return failure;
  for (uint64_t number = 0; number < MESSAGES - NEWEST; number++) publish(images, number);
  failure = step_world_open(&images->world, CONCLAVE_SUBSCRIBE, &view);
  if (!failure) failure = step_subscribe(&view, 0, &images->dropping);
  if (failure) return failure;
  failure = step_world_open(&images->world, CONCLAVE_SUBSCRIBE, &view);
  if (!failure) failure = step_subscribe(&view, 1, &images->patient);
  for (uint64_t number = MESSAGES - NEWEST; number < MESSAGES; number++) publish(images, number);
  images->end = images->publisher.next_position;
  return failure;
}

static void add_part(images *images, const void *start, uint64_t bytes, uint32_t weight,
                     uint32_t is_own) {
  uint8_t *base = images->world.whole.base;
  images->parts[images->part_count++] = (images_part){
      .start = base + ((const uint8_t *)start - base), .bytes = bytes, .weight = weight,
      .is_own = is_own};
  images->total_weight += weight;
}

static void list_parts(images *images) {
  const conclave_view *view = &images->world.whole;
  uint64_t lane = (uint64_t)(conclave_lane_at(view, images->publisher.lane) - view->base);
  add_part(images, view->slots, view->geometry.slot_count * sizeof(uint64_t), 12, 0);
  add_part(images, view->tail, 8, 3, 0);
  add_part(images, view->board, (uint64_t)((uint8_t *)view->tail - (uint8_t *)view->board), 2, 0);
  for (uint32_t row = 0; row < 2; row++) add_part(images, conclave_row_at(view, row), 256, 2, 0);
  add_part(images, conclave_lane_header_at(view, images->publisher.lane), 128, 6, 1);
  add_part(images, conclave_lane_header_at(view, images->publisher.lane), 4096, 1, 1);
  add_part(images, view->base + lane, view->geometry.lane_bytes, 8, 1);
  add_part(images, view->base, view->bytes, 1, 1);
}

int images_prepare(images *images) {
  static const conclave_geometry geometry = {.slot_count = CONCLAVE_MIN_SLOTS,
                                             .lane_count = 2,
                                             .lane_bytes = CONCLAVE_MIN_LANE_BYTES,
                                             .row_count = 3,
                                             .message_bytes = 65536};
  int failure = step_world_place(&images->world);
  if (!failure) failure = step_world_create_as(&images->world, &geometry);
  conclave_view *whole = &images->world.whole;
  if (!failure) failure = step_world_map(&images->world);
  if (!failure) failure = join(images);
  if (failure) return failure;
  images->copy = malloc(whole->bytes);
  if (!images->copy) return ENOMEM;
  memcpy(images->copy, whole->base, whole->bytes);
  list_parts(images);
  return 0;
}

/* MARK: Changes */

static uint64_t hostile(images *images, uint64_t value) {
  const conclave_view *view = &images->world.whole;
  uint64_t chance = next_random(images);
  switch (chance % 16) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return value + 1;
    case 3: return value - 1;
    case 4: return value ^ UINT64_C(1) << (chance >> 8) % 64;
    case 5: return value ^ (chance >> 8) % 0xFFFF;
    case 6: return UINT64_C(1) << (chance >> 8) % 64;
    case 7: return (UINT64_C(1) << (chance >> 8) % 64) - 1;
    case 8: return (value & ~UINT64_C(0xFFFFFFFF)) | (view->record_limit + 64);
    case 9: return view->bytes;
    case 10: return value + view->geometry.slot_count;
    case 11: return value + view->lane_granules;
    /* What stands somewhere else, as if it had been moved. */
    case 12:
    case 13: {
      uint64_t other;
      memcpy(&other, images->copy + (chance >> 8) % (view->bytes / 8) * 8, 8);
      return other;
    }
    default: return next_random(images);
  }
}

static void change(images *images) {
  uint64_t chance = next_random(images);
  uint32_t weight = (uint32_t)(chance % images->total_weight);
  const images_part *part = images->parts;
  while (weight >= part->weight) weight -= part++->weight;
  uint8_t *place = part->start + (chance >> 16) % (part->bytes / 8) * 8;
  images_change *made = &images->changes[images->change_count++];
  made->place = place;
  memcpy(&made->before, place, 8);
  uint64_t value = hostile(images, made->before);
  memcpy(place, &value, chance >> 60 ? 8 : 4);
  images->is_own |= part->is_own;
}

/* Also what who reads may write. */
static void undo(images *images) {
  conclave_view *whole = &images->world.whole;
  for (; images->change_count > 0; images->change_count--) {
    images_change *made = &images->changes[images->change_count - 1];
    memcpy(made->place, &made->before, 8);
  }
  uint64_t board = (uint64_t)((uint8_t *)whole->board - whole->base);
  uint64_t order = (uint64_t)((uint8_t *)whole->tail - whole->base);
  uint64_t rows = (uint64_t)(whole->rows - whole->base);
  memcpy(whole->base + board, images->copy + board, order - board);
  memcpy(whole->base + rows, images->copy + rows, 2 * CONCLAVE_ROW_BYTES);
}

/* MARK: What is tried */

static int is_published(const conclave_record *record) {
  uint64_t first, word;
  if (record->body_bytes < 8) return 0;
  memcpy(&first, record->body, 8);
  uint64_t number = first >> 8;
  if (number >= MESSAGES || record->body_bytes != bytes_of(number)) return 0;
  for (uint32_t at = 0; at + 8 <= record->body_bytes; at += 8) {
    memcpy(&word, record->body + at, 8);
    if (word != word_of(number, at / 8)) return 0;
  }
  return 1;
}

static volatile uint64_t sum;

static int judge(images *images, const conclave_subscriber *subscriber,
                 const conclave_record *record) {
  images->result->records++;
  if (record->body_bytes > subscriber->view.record_limit) {
    return fault(images, "a record that is too long");
  }
  if (is_published(record)) return 0;
  /* All of it must be there to be read, whatever it is. */
  for (uint32_t at = 0; at < record->body_bytes; at++) sum += record->body[at];
  images->result->believed++;
  return images->is_own ? 0 : fault(images, "a record that nobody published");
}

static int read_all(images *images, const conclave_subscriber *template, uint64_t position) {
  conclave_subscriber subscriber = *template;
  conclave_record record = {0};
  subscriber.position = position;
  for (int i = 0; i < OUTCOMES; i++) {
    uint64_t before = subscriber.position;
    conclave_outcome outcome = conclave_receive(&subscriber, &record);
    if (outcome == CONCLAVE_NOTHING) outcome = conclave_receive_nothing(&subscriber, &record);
    if (outcome == CONCLAVE_NOTHING) return 0;
    if (outcome == CONCLAVE_RECORD) {
      if (judge(images, &subscriber, &record)) return 1;
      conclave_release(&subscriber);
    } else {
      images->result->refused++;
    }
    if (subscriber.position <= before) return fault(images, "a cursor that does not go on");
  }
  return fault(images, "there is something to receive without end");
}

static void put_back(images *images) {
  memcpy(images->world.whole.base, images->copy, images->world.whole.bytes);
}

static void publish_in_it(images *images) {
  conclave_publisher template = images->publisher;
  for (uint64_t number = 0; number < 3; number++) publish(images, number);
  conclave_publish_wake(&images->publisher);
  images->publisher = template;
}

static void look(images *images) {
  const conclave_view *view = &images->world.whole;
  uint64_t copy[CONCLAVE_LANE_HEADER_BYTES / 8], incarnation;
  sum += conclave_damage_find(view).slots;
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    sum += conclave_streams_copy(view, lane, copy, &incarnation);
  }
  for (uint32_t row = 0; row < view->geometry.row_count; row++) {
    sum += conclave_presence_read(view, row).cursor;
  }
}

/* Also with a header that is damaged. */
static void open_and_join(images *images) {
  uint64_t *header = (uint64_t *)(void *)images->world.whole.base;
  uint64_t chance = next_random(images);
  if (chance & 1) header[(chance >> 8) % 64] = hostile(images, header[(chance >> 8) % 64]);
  conclave_view view;
  conclave_subscriber subscriber;
  conclave_publisher publisher;
  if (step_world_open(&images->world, CONCLAVE_SUBSCRIBE, &view) == 0) {
    if (step_subscribe(&view, (int)(chance >> 1 & 1), &subscriber) == 0) {
      conclave_subscriber_leave(&subscriber);
      conclave_subscriber_free(&subscriber);
    } else {
      conclave_view_unmap(&view);
    }
  }
  if (step_world_open(&images->world, CONCLAVE_PUBLISH, &view) == 0) {
    if (conclave_publisher_join(&publisher, &view, 2, 0) == 0) {
      conclave_publisher_leave(&publisher);
    } else {
      conclave_view_unmap(&view);
    }
  }
}

int images_try(images *images, uint64_t seed, uint64_t number) {
  images->random = seed * UINT64_C(0xD1B54A32D192ED03) + number;
  images->is_own = 0;
  uint64_t chance = next_random(images);
  for (uint64_t i = 0; i <= chance % IMAGES_CHANGES; i++) change(images);
  uint64_t back = (chance >> 8) % (2 * CONCLAVE_MIN_SLOTS);
  int is_bad = chance >> 32 & 1 ? read_all(images, &images->patient, images->patient.position)
                                : read_all(images, &images->dropping, images->end - back);
  if (number % RARELY == 0 && !is_bad) {
    publish_in_it(images);
    look(images);
    if (number % VERY_RARELY == 0) open_and_join(images);
    images->change_count = 0;
    put_back(images);
  } else {
    undo(images);
  }
  return is_bad;
}
