/* Segments of any contents by the million: a ring that has gone round gets some of its words changed,
 * and who receives, publishes, joins and looks must come to an end, not die, and hand out nothing that
 * nobody published.
 *
 * Without a file, a process or a mapping for each image, so that one costs a microsecond or two: what
 * libFuzzer does with Tests/Fuzz/segment.c finds its way by what code is reached, this goes far. */
#ifndef STEP_IMAGES_H
#define STEP_IMAGES_H

#include <stdint.h>

typedef struct step_images {
  uint64_t count;   /* how many images */
  uint64_t seed;    /* an image is known by the seed and its number */
  uint64_t first;   /* the number of the first one */
  uint32_t workers; /* processes */
  uint32_t unused;
} step_images;

typedef struct step_images_result {
  uint64_t images;
  uint64_t records;  /* received in them */
  uint64_t refused;  /* outcomes that say that something is lost or damaged */
  uint64_t believed; /* records whose own bytes, or whose lane's account of itself, were changed */
  uint64_t faulty;   /* the number of the image of the first fault */
  char fault[200];   /* empty: there is none */
} step_images_result;

/* Blocks until all are tried, or until the first fault. 0, or the errno of what could not even begin. */
int step_images_run(const step_images *what, step_images_result *result);

#endif
