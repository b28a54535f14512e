/* One image after the other, within one process. */
#ifndef IMAGES_H
#define IMAGES_H

#include "step_images.h"
#include "step_world.h"

enum { IMAGES_CHANGES = 4 };

typedef struct images_change {
  uint8_t *place;
  uint64_t before;
} images_change;

/* Where changes are made, and how often there. */
typedef struct images_part {
  uint8_t *start;
  uint64_t bytes;
  uint32_t weight;
  uint32_t is_own; /* a record's bytes, or its lane's account of itself: what is said there is believed */
} images_part;

typedef struct images {
  step_world world;
  conclave_publisher publisher;
  conclave_subscriber dropping;
  conclave_subscriber patient;
  uint64_t end; /* of the messages: a position */
  images_part parts[10];
  uint32_t part_count;
  uint32_t total_weight;
  uint8_t *copy; /* of the segment as it is without changes */
  uint32_t change_count;
  uint32_t is_own; /* one of the changes was made in such a part */
  images_change changes[IMAGES_CHANGES];
  step_images_result *result;
  uint64_t random;
} images;

/* A ring that has gone round. 0 or an errno; it is removed with step_world_remove. */
int images_prepare(images *images);

/* Tries the image of this number. Nonzero when something is wrong, which `result->fault` says. */
int images_try(images *images, uint64_t seed, uint64_t number);

#endif
