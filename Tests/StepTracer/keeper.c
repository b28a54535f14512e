/* Subscriptions that keep, as the mirror is one: nothing that they have not said to be kept is lost,
 * whoever of them dies when. */
#include <errno.h>

#include "conclave_liveness.h"
#include "conclave_mirror.h"
#include "conclave_rows.h"
#include "step_tracer.h"
#include "sweep.h"

static const conclave_subscription KEEPER = {
    .timeout_ns = UINT64_MAX, .back_pressure = 1, .keep_ns = CONCLAVE_KEEP_LIMIT_NS};

int step_keep(const step_world *world, conclave_subscriber *subscriber) {
  conclave_view view;
  int failure = step_world_open(world, CONCLAVE_SUBSCRIBE, &view);
  if (failure) return failure;
  failure = conclave_subscriber_join(subscriber, &view, &KEEPER);
  if (failure) conclave_view_unmap(&view);
  return failure;
}

int step_succeed(conclave_view *view, conclave_subscriber *subscriber) {
  return conclave_subscriber_succeed(subscriber, view, &KEEPER, conclave_mirror_mirrored(view));
}

static int open_and_succeed(const step_world *world, conclave_subscriber *subscriber) {
  conclave_view view;
  int failure = step_world_open(world, CONCLAVE_SUBSCRIBE, &view);
  if (failure) return failure;
  failure = step_succeed(&view, subscriber);
  if (failure) conclave_view_unmap(&view);
  return failure;
}

uint32_t step_keep_all(const step_world *world, conclave_subscriber *subscriber, uint64_t left,
                       int commits) {
  uint32_t wrong = 0, count = 0;
  conclave_record record;
  for (conclave_outcome outcome; (outcome = conclave_receive(subscriber, &record)); count++) {
    if (outcome != CONCLAVE_RECORD) {
      wrong++;
      continue;
    }
    step_message seen = step_read(&record);
    uint64_t number = world->kept_number + (record.position - world->kept_position);
    if (seen.sender != STEP_SURVIVOR || seen.number != number) wrong++;
    conclave_release(subscriber);
  }
  conclave_mirror_note_mirrored(&subscriber->view, subscriber->position - left, count, 0);
  if (commits) conclave_subscriber_commit(subscriber);
  return wrong;
}

int sweep_is_about_keeping(step_action action) {
  return action == STEP_KEEP || action == STEP_SUCCEED || action == STEP_RESIGN;
}

/* One that dies when it has received something, and has said of a part that it is kept. */
static int leave_predecessor(sweep *sweep, uint64_t place) {
  step_world *world = &sweep->world;
  conclave_subscriber predecessor;
  int failure = step_keep(world, &predecessor);
  if (failure) return failure;
  for (uint64_t i = 0; i < 3; i++) {
    step_message message;
    failure = step_survivor_publishes(world, sweep->what->bytes, &message);
    if (failure) return failure;
    step_expect(world, &message, 1);
  }
  step_keep_all(world, &predecessor, place % 4, 0);
  /* Gives back what death does. */
  conclave_lock_release(predecessor.view.descriptor, CONCLAVE_LOCK_ROWS + predecessor.row_index, 1);
  conclave_subscriber_free(&predecessor);
  return 0;
}

int sweep_prepare_keeping(sweep *sweep, uint64_t place) {
  if (sweep->is_second) return 0;
  step_world *world = &sweep->world;
  world->kept_position = conclave_frontier(&world->whole);
  world->kept_number = world->next[STEP_SURVIVOR];
  conclave_mirror_note_mirrored(&world->whole, world->kept_position, 0, 0);
  return sweep->what->action == STEP_SUCCEED ? leave_predecessor(sweep, place) : 0;
}

static void keep_up(step_world *world, conclave_subscriber *subscriber) {
  uint32_t wrong = step_keep_all(world, subscriber, 0, 1);
  if (wrong) step_fault(world, "%u messages that were not kept are lost or wrong", wrong);
  uint64_t frontier = conclave_frontier(&world->whole);
  if (subscriber->position != frontier) {
    step_fault(world, "who keeps comes to %llu, not %llu", (unsigned long long)subscriber->position,
               (unsigned long long)frontier);
  }
}

/* Receives and gives back all that there is, beginning behind what was said to be kept, then two laps
 * of what comes, and leaves. */
static void settle(sweep *sweep, conclave_subscriber *subscriber) {
  step_world *world = &sweep->world;
  keep_up(world, subscriber);
  for (uint32_t round = 0; round < 2 * sweep->laps; round++) {
    step_message message;
    int failure = step_survivor_publishes(world, 8 + round * 1048 % 4000 / 8 * 8, &message);
    if (failure) step_fault(world, "publishers wait for who gives back: %d", failure);
    step_expect(world, &message, failure == 0);
    if (round % 4 == 0) keep_up(world, subscriber);
  }
  keep_up(world, subscriber);
  conclave_subscriber_leave(subscriber);
  conclave_subscriber_free(subscriber);
}

void sweep_judge_heir(sweep *sweep) {
  step_world *world = &sweep->world;
  uint64_t kept = conclave_mirror_mirrored(&world->whole);
  conclave_subscriber heir;
  uint32_t tries = 0;
  int failure;
  do {
    failure = open_and_succeed(world, &heir);
  } while (step_try_again(failure, &tries));
  if (failure) {
    step_fault(world, "nobody can take over: %d", failure);
    return;
  }
  if (heir.position != kept) {
    step_fault(world, "the heir begins at %llu, not %llu", (unsigned long long)heir.position,
               (unsigned long long)kept);
  }
  settle(sweep, &heir);
}

int sweep_judge_stopped_keeper(sweep *sweep) {
  step_world *world = &sweep->world;
  conclave_subscriber rival;
  int failure = open_and_succeed(world, &rival);
  int is_held = failure == 0;
  if (failure && failure != ENOENT) step_fault(world, "who would take over gets %d", failure);
  if (is_held && sweep->what->action == STEP_KEEP) step_fault(world, "somebody takes its place");
  if (!sweep_fill(sweep)) step_fault(world, "publishers do not wait for who keeps");
  failure = step_finish(sweep->child, sweep->at_end);
  if (failure) {
    step_fault(world, "it did not end well once it went on");
    return failure;
  }
  const victim_report *report = sweep->report;
  if (report->damaged) step_fault(world, "it received %u that are wrong", report->damaged);
  int expected = sweep->what->action == STEP_SUCCEED && is_held ? ENOENT : 0;
  if (report->failure != expected) step_fault(world, "it takes over with %d", report->failure);
  if (is_held) settle(sweep, &rival);
  else sweep_judge_heir(sweep);
  step_go_on(world, NULL, sweep->laps);
  return 0;
}
