#include "step_sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "step_tracer.h"
#include "sweep.h"

const char *step_action_name(step_action action) {
  static const char *const NAMES[STEP_ACTIONS] = {
      "publish", "join", "leave", "receive", "consume", "subscribe",
      "enter",   "depart", "keep", "succeed", "resign",
  };
  return action < STEP_ACTIONS ? NAMES[action] : "";
}

int sweep_begin(sweep *sweep, const step_case *what) {
  memset(sweep, 0, sizeof(*sweep));
  sweep->what = what;
  sweep->laps = 80;
  void *shared = mmap(NULL, CONCLAVE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return errno;
  sweep->report = shared;
  return step_world_make(&sweep->world);
}

void sweep_end(sweep *sweep) {
  step_world_remove(&sweep->world);
  munmap(sweep->report, CONCLAVE_PAGE);
}

/* As if the last owner of the lane that is left had died with a reservation. */
static void leave_void(step_world *world) {
  conclave_lane_header *lane = conclave_lane_header_at(&world->whole, 1);
  atomic_fetch_add_explicit(&lane->reserve, 5, memory_order_relaxed);
}

int sweep_victim(sweep *sweep, uint64_t place) {
  memset(sweep->report, 0, sizeof(*sweep->report));
  if (sweep->what->action == STEP_JOIN && place % 2 == 1) leave_void(&sweep->world);
  if (sweep->what->asleep) conclave_event_prepare(&sweep->world.whole.board->data);
  victim victim = {.world = &sweep->world, .what = sweep->what, .report = sweep->report};
  sweep->at_end = 0;
  sweep->steps = 0;
  int failure = sweep_is_about_keeping(sweep->what->action)
                    ? sweep_prepare_keeping(sweep, place)
                    : 0;
  if (!failure) failure = step_begin(victim_act, &victim, &sweep->child);
  if (failure) return failure;
  step_message expected[64];
  uint32_t count = 0;
  if (sweep->what->action == STEP_PUBLISH) {
    for (; count < sweep->what->before; count++) {
      expected[count] = (step_message){.sender = STEP_VICTIM, .number = count + 1};
    }
  } else {
    for (; count < sweep->what->before; count++) {
      failure = step_survivor_publishes(&sweep->world, sweep->what->bytes, &expected[count]);
      if (failure) return failure;
    }
  }
  step_expect(&sweep->world, expected, count);
  return 0;
}

int sweep_step(sweep *sweep, uint64_t count) {
  uint64_t done = 0;
  int failure = step_on(sweep->child, count, &done, &sweep->at_end);
  sweep->steps += done;
  return failure;
}

/* MARK: Sweeping */

static int try_at(sweep *sweep, uint64_t place, int kills) {
  int failure = sweep_victim(sweep, place);
  if (!failure) failure = sweep_step(sweep, place);
  if (failure) {
    step_fault(&sweep->world, "the victim ended by itself (%d)", failure);
    return failure;
  }
  if (!kills) return sweep_judge_stop(sweep);
  failure = step_kill(sweep->child);
  if (!failure) sweep_judge_death(sweep, place);
  return failure;
}

/* One victim that is left alone: how many instructions there are. */
static int measure(sweep *sweep, uint64_t *length) {
  int failure = sweep_victim(sweep, 0);
  if (!failure) failure = sweep_step(sweep, UINT64_MAX);
  if (!failure) failure = step_kill(sweep->child);
  *length = sweep->steps;
  if (!failure) sweep_judge_death(sweep, *length);
  return failure;
}

static int run(const step_case *what, uint64_t places, int kills, step_result *result) {
  memset(result, 0, sizeof(*result));
  sweep *sweep = malloc(sizeof(*sweep));
  if (!sweep) return ENOMEM;
  int failure = sweep_begin(sweep, what);
  if (!failure) failure = measure(sweep, &result->length);
  uint64_t stride = places && result->length > places ? result->length / places : 1;
  sweep->at_end = 0;
  sweep->is_committed = 0;
  for (uint64_t place = 0; !failure && !sweep->at_end && !sweep->world.fault[0]; place += stride) {
    result->place = place;
    failure = try_at(sweep, place, kills);
    result->points++;
  }
  memcpy(result->fault, sweep->world.fault, sizeof(result->fault));
  sweep_end(sweep);
  free(sweep);
  return failure;
}

int step_kill_sweep(const step_case *what, uint64_t places, step_result *result) {
  return run(what, places, 1, result);
}

int step_stop_sweep(const step_case *what, uint64_t places, step_result *result) {
  return run(what, places, 0, result);
}
