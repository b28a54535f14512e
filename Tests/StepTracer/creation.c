/* Death and stopping at every instruction of the creation of a segment: its name is there with all of
 * it, or not at all, and whoever comes next makes it or finds it. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "step_sweep.h"
#include "step_tracer.h"
#include "step_world.h"

typedef struct creation {
  step_world world;
  int32_t *made;  /* shared with the victim: what its creation returned */
  pid_t child;
  int32_t at_end;
} creation;

static void create(void *context) {
  const creation *self = context;
  /* Once before, so that the linker has found everything: it is there already. */
  if (step_world_create(&self->world) != EEXIST) _exit(3);
  step_world_unlink(&self->world);
  step_mark();
  int failure = step_world_create(&self->world);
  step_mark();
  *self->made = failure;
}

/* How many files there are in the directory. */
static int files(const step_world *world) {
  DIR *directory = opendir(world->directory);
  if (!directory) return -1;
  int count = 0;
  for (const struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
  closedir(directory);
  return count;
}

/* A victim at its `place`th instruction. */
static int begin(creation *creation, uint64_t place, uint64_t *done) {
  int failure = step_world_place(&creation->world);
  if (!failure) failure = step_world_create(&creation->world);
  if (!failure) failure = step_begin(create, creation, &creation->child);
  if (!failure) failure = step_on(creation->child, place, done, &creation->at_end);
  return failure;
}

/* Somebody makes the segment, or finds it whole, and all works. `expected`: 0 or EEXIST, or -1 for either. */
static void judge(creation *creation, int expected) {
  step_world *world = &creation->world;
  int failure = step_world_create(world);
  if (failure && failure != EEXIST) step_fault(world, "the next one cannot make it: %d", failure);
  if (expected >= 0 && failure != expected) step_fault(world, "the next one gets %d", failure);
  if (files(world) != 1) step_fault(world, "there are %d files", files(world));
  failure = step_world_settle(world);
  if (failure) step_fault(world, "nobody can take part: %d", failure);
  else step_go_on(world, NULL, 3);
}

static int try_death(creation *creation, uint64_t place, uint64_t *done) {
  int failure = begin(creation, place, done);
  if (!failure) failure = step_kill(creation->child);
  if (failure) return failure;
  judge(creation, creation->at_end ? EEXIST : -1);
  return 0;
}

static int try_stop(creation *creation, uint64_t place, uint64_t *done) {
  int failure = begin(creation, place, done);
  if (failure) return failure;
  step_world *world = &creation->world;
  int rivals = step_world_create(world);
  if (rivals && rivals != EEXIST) step_fault(world, "a rival cannot make it: %d", rivals);
  failure = step_finish(creation->child, creation->at_end);
  if (failure) return failure;
  if (*creation->made != (rivals ? 0 : EEXIST)) {
    step_fault(world, "it ends with %d, and its rival with %d", *creation->made, rivals);
  }
  judge(creation, EEXIST);
  return 0;
}

static int run(creation *creation, uint64_t places, int kills, step_result *result) {
  uint64_t stride = 1;
  int failure = 0;
  for (uint64_t place = UINT64_MAX; !failure && !result->fault[0];) {
    uint64_t done = 0;
    result->place = place;
    failure = kills ? try_death(creation, place, &done) : try_stop(creation, place, &done);
    result->points++;
    memcpy(result->fault, creation->world.fault, sizeof(result->fault));
    step_world_remove(&creation->world);
    if (place == UINT64_MAX) {
      /* The first one went the whole way, so that it is known how far that is. */
      result->length = done;
      stride = places && done > places ? done / places : 1;
      place = 0;
    } else if (creation->at_end) {
      break;
    } else {
      place += stride;
    }
  }
  return failure;
}

int step_creation_sweep(uint64_t places, int kills, step_result *result) {
  memset(result, 0, sizeof(*result));
  creation *creation = calloc(1, sizeof(*creation));
  if (!creation) return ENOMEM;
  void *shared = mmap(NULL, CONCLAVE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int failure = shared == MAP_FAILED ? errno : 0;
  creation->made = shared;
  if (!failure) failure = run(creation, places, kills, result);
  if (shared != MAP_FAILED) munmap(shared, CONCLAVE_PAGE);
  free(creation);
  return failure;
}
