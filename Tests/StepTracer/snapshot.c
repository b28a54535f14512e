#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "step_tracer.h"
#include "sweep.h"

/* A world with a victim, and one that is what it would be if the victim died. */
typedef struct twins {
  sweep original;
  sweep copy;
} twins;

static int begin(twins **made, const step_case *what) {
  twins *both = malloc(sizeof(*both));
  if (!both) return ENOMEM;
  *made = both;
  int failure = sweep_begin(&both->original, what);
  if (!failure) failure = sweep_begin(&both->copy, what);
  /* The least that is two laps, since it is done for each instruction. */
  both->original.laps = both->copy.laps = 40;
  return failure;
}

static void end(twins *both, step_result *result) {
  const char *fault =
      both->copy.world.fault[0] ? both->copy.world.fault : both->original.world.fault;
  memcpy(result->fault, fault, sizeof(result->fault));
  sweep_end(&both->original);
  sweep_end(&both->copy);
  free(both);
}

static int is_good(const twins *both) {
  return !both->original.world.fault[0] && !both->copy.world.fault[0];
}

/* One victim from its first mark to its second, the copy judged behind each instruction. */
static int go_through(twins *both, step_result *result) {
  sweep *original = &both->original, *copy = &both->copy;
  int failure = sweep_victim(original, result->points);
  copy->what = original->what;
  copy->is_committed = 0;
  do {
    step_world_copy(&original->world, &copy->world);
    copy->at_end = original->at_end;
    result->place = original->steps;
    sweep_judge_death(copy, result->points++);
    if (original->at_end) break;
    failure = sweep_step(original, 1);
  } while (!failure && is_good(both));
  result->length = original->steps;
  if (!failure) failure = step_kill(original->child);
  return failure;
}

int step_snapshot_sweep(const step_case *what, uint64_t points, step_result *result) {
  memset(result, 0, sizeof(*result));
  twins *both = NULL;
  int failure = begin(&both, what);
  while (!failure && is_good(both) && result->points < points) {
    failure = go_through(both, result);
    if (!failure) sweep_judge_death(&both->original, result->points);
  }
  if (both) end(both, result);
  return failure;
}

int step_pair_sweep(const step_case *first, const step_case *second, uint64_t places,
                    step_result *result) {
  memset(result, 0, sizeof(*result));
  twins *both = NULL;
  int failure = begin(&both, first);
  uint64_t length = UINT64_MAX;
  uint64_t stride = 1;
  for (uint64_t place = 0; !failure && is_good(both) && place <= length; place += stride) {
    sweep *original = &both->original;
    original->what = first;
    original->is_second = 0;
    failure = sweep_victim(original, place);
    /* The first one goes the whole way, so that it is known how far that is. */
    if (!failure) failure = sweep_step(original, length == UINT64_MAX ? length : place);
    if (length == UINT64_MAX) {
      length = original->steps;
      stride = places && length > places ? length / places : 1;
    }
    if (!failure) failure = step_kill(original->child);
    if (first->action == STEP_PUBLISH) sweep_take_message(original);
    original->what = second;
    original->is_second = 1;
    original->is_committed = 0;
    if (!failure) failure = go_through(both, result);
    if (!failure) sweep_judge_death(original, place);
  }
  if (both) end(both, result);
  return failure;
}
