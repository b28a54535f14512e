#include <errno.h>

#include "step_tracer.h"
#include "sweep.h"

static int is_about_lanes(step_action action) {
  return action == STEP_PUBLISH || action == STEP_JOIN || action == STEP_LEAVE;
}

/* The victim's messages from the one of its deed on: `first` and `count` of them. */
static void expect_victims(sweep *sweep, uint32_t first, uint32_t count) {
  step_message expected[2];
  for (uint32_t i = 0; i < count; i++) {
    uint32_t number = (sweep->what->action == STEP_PUBLISH ? sweep->what->before : 0) + first + i;
    expected[i] = (step_message){.sender = STEP_VICTIM, .number = number};
  }
  step_expect(&sweep->world, expected, count);
}

int sweep_take_message(sweep *sweep) {
  step_drain(&sweep->world.dropping);
  int came = sweep->world.dropping.log.count > 0;
  expect_victims(sweep, 1, (uint32_t)came);
  return came;
}

/* Whoever comes next takes the place that is left, and all go on. */
static void judge_newcomer(sweep *sweep) {
  step_world *world = &sweep->world;
  if (is_about_lanes(sweep->what->action)) {
    conclave_publisher newcomer;
    if (step_newcomer(world, 0, &newcomer)) return;
    step_go_on(world, &newcomer, sweep->laps);
    conclave_publisher_leave(&newcomer);
    return;
  }
  for (int back_pressure = 0; back_pressure < 2; back_pressure++) {
    conclave_subscriber newcomer;
    int failure = step_enter(world, back_pressure, &newcomer);
    if (failure) {
      step_fault(world, "a new subscription gets %d", failure);
      return;
    }
    conclave_subscriber_leave(&newcomer);
    conclave_subscriber_free(&newcomer);
    step_go_on(world, NULL, sweep->laps / 4);
  }
}

void sweep_judge_death(sweep *sweep, uint64_t place) {
  step_world *world = &sweep->world;
  if (sweep->what->action == STEP_PUBLISH) {
    int came = sweep_take_message(sweep);
    if ((sweep->is_committed || sweep->at_end) && !came) {
      step_fault(world, "what was published is lost");
    }
    if (came) sweep->is_committed = 1;
  }
  if (sweep_is_about_keeping(sweep->what->action)) {
    /* Publishers wait for whoever takes over, however long. */
    if (place % 3 != 0 && !sweep_fill(sweep)) step_fault(world, "publishers do not wait for an heir");
    sweep_judge_heir(sweep);
  }
  /* The others first, so that the ring has gone round before somebody takes the place; or not. */
  if (place % 3 != 0 || !is_about_lanes(sweep->what->action)) step_go_on(world, NULL, sweep->laps);
  judge_newcomer(sweep);
}

int sweep_fill(sweep *sweep) {
  step_world *world = &sweep->world;
  for (int i = 0; i < 2 * (int)sweep->laps; i++) {
    step_message message;
    int failure = step_survivor_publishes(world, 64, &message);
    if (failure == EAGAIN) return 1;
    if (failure) step_fault(world, "the survivor cannot publish: %d", failure);
    step_expect(world, &message, 1);
  }
  return 0;
}

/* While the victim is stopped; `*holder` is open when somebody has the lane that it was to claim. */
static void others_go_on(sweep *sweep, conclave_publisher *holder, int *is_held) {
  step_world *world = &sweep->world;
  switch (sweep->what->action) {
    case STEP_PUBLISH: {
      conclave_publisher nobody;
      step_newcomer(world, 1, &nobody);
      step_go_on(world, NULL, sweep->laps);
      return;
    }
    case STEP_JOIN:
    case STEP_LEAVE: {
      conclave_view view;
      int failure = step_world_open(world, CONCLAVE_PUBLISH, &view);
      if (!failure) {
        failure = conclave_publisher_join(holder, &view, 1, 0);
        if (failure) conclave_view_unmap(&view);
      }
      *is_held = failure == 0;
      if (failure && failure != EAGAIN) step_fault(world, "a newcomer gets %d", failure);
      step_go_on(world, *is_held ? holder : NULL, sweep->laps);
      return;
    }
    case STEP_CONSUME:
    case STEP_ENTER:
    case STEP_DEPART:
      if (!sweep_fill(sweep) && sweep->what->action == STEP_CONSUME && !sweep->at_end) {
        step_fault(world, "publishers did not wait for a subscription that is stopped");
      }
      return;
    case STEP_RECEIVE:
    case STEP_SUBSCRIBE:
      return step_go_on(world, NULL, sweep->laps);
    case STEP_KEEP:
    case STEP_SUCCEED:
    case STEP_RESIGN:
    case STEP_ACTIONS:
      return;
  }
}

/* What the victim has done once it went on. */
static void judge_report(sweep *sweep, int came, int is_held) {
  step_world *world = &sweep->world;
  const victim_report *report = sweep->report;
  switch (sweep->what->action) {
    case STEP_PUBLISH:
      return expect_victims(sweep, came ? 2 : 1, came ? 1 : 2);
    case STEP_JOIN:
      if (report->failure != (is_held ? EAGAIN : 0)) {
        step_fault(world, "its claim ends with %d though the lane is %s", report->failure,
                   is_held ? "taken" : "free");
      }
      return expect_victims(sweep, 1, report->failure == 0);
    case STEP_RECEIVE:
    case STEP_CONSUME:
      if (report->outcome == CONCLAVE_RECORD && report->message.sender != STEP_SURVIVOR) {
        step_fault(world, "it received what nobody has published");
      }
      if (report->outcome == CONCLAVE_DAMAGED || report->outcome == CONCLAVE_NOTHING ||
          (sweep->what->action == STEP_CONSUME && report->outcome != CONCLAVE_RECORD)) {
        step_fault(world, "it received with outcome %d", report->outcome);
      }
      return;
    case STEP_SUBSCRIBE:
    case STEP_ENTER:
      if (report->failure) step_fault(world, "its subscription ends with %d", report->failure);
      if (report->damaged) step_fault(world, "it received %u damaged", report->damaged);
      if (report->withheld) step_fault(world, "it has received all and keeps room back");
      return;
    case STEP_LEAVE:
    case STEP_DEPART:
    case STEP_KEEP:
    case STEP_SUCCEED:
    case STEP_RESIGN:
    case STEP_ACTIONS:
      return;
  }
}

int sweep_judge_stop(sweep *sweep) {
  if (sweep_is_about_keeping(sweep->what->action)) {
    int failure = sweep_judge_stopped_keeper(sweep);
    if (!failure) judge_newcomer(sweep);
    return failure;
  }
  int came = sweep->what->action == STEP_PUBLISH && sweep_take_message(sweep);
  conclave_publisher holder;
  int is_held = 0;
  others_go_on(sweep, &holder, &is_held);
  int failure = step_finish(sweep->child, sweep->at_end);
  if (failure) {
    step_fault(&sweep->world, "it did not end well once it went on");
    return failure;
  }
  judge_report(sweep, came, is_held);
  if (is_held) conclave_publisher_leave(&holder);
  judge_newcomer(sweep);
  return 0;
}
