#include "step_fetches.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "lab.h"
#include "step_tracer.h"
#include "watch.h"

/* Words that a deed fetches more than once, by the beginning of their names: since it is their change that
 * counts, or since it decides several things, each with a fetch of its own. */
static uint32_t allowed(const step_case *what, const char *field) {
  static const struct {
    step_action action;
    uint32_t fetches;
    const char *field;
  } EXCEPTIONS[] = {
      /* Before the copy and after it. */
      {STEP_RECEIVE, 2, "lane.reserve.0"},
      /* Once by itself; and with the whole record, where nobody looks at it again. */
      {STEP_RECEIVE, 2, "record.bytes"},
      {STEP_RECEIVE, 2, "record.stamp"},
      /* Looks for sleepers before each look at the rows, and at the end. */
      {STEP_PUBLISH, 3, "data"},
      /* Room in the lane, and room in the order. */
      {STEP_PUBLISH, 2, "row.state"},
      {STEP_PUBLISH, 2, "row.timeout"},
      /* Anew once there is room. */
      {STEP_PUBLISH, 2, "slot.0"},
      /* Which lane to take; and whose it was, once it is locked. */
      {STEP_JOIN, 2, "lane.incarnation"},
      /* The last record: on the way to the end of the order, and for proof that it is the end. */
      {STEP_JOIN, 2, "slot.3"},
      {STEP_SUBSCRIBE, 2, "slot.3"},
      /* And where the ring stands once more, after the look at the lanes; rooms that are given back are
       * told, on the way and at the end. */
      {STEP_ENTER, 4, "slot.3"},
      {STEP_ENTER, 2, "slot.0"},
      {STEP_ENTER, 2, "tail"},
      {STEP_ENTER, 2, "space"},
      /* Whether it is free; whether it is kept for somebody, once more when it is locked; and its count. */
      {STEP_SUBSCRIBE, 3, "row.state"},
      {STEP_ENTER, 4, "row.state"},
  };
  for (size_t i = 0; i < sizeof(EXCEPTIONS) / sizeof(EXCEPTIONS[0]); i++) {
    if (EXCEPTIONS[i].action == what->action && 
        !strncmp(EXCEPTIONS[i].field, field, strlen(EXCEPTIONS[i].field))) {
      return EXCEPTIONS[i].fetches;
    }
  }
  return 1;
}

/* One deed, while `watched_index` is watched. `*is_there` 0: there are not so many words. */
static int watch_one(lab_order *order, step_fetch_count *count, int *is_there) {
  pid_t child;
  int failure = step_begin(lab_act, order, &child);
  if (failure) return failure;
  lab_field field = order->report->watched;
  *is_there = field.width != 0;
  uint32_t fetches = 0;
  if (*is_there) failure = step_watch(child, field.place, field.width, &fetches);
  if (!failure && !*is_there) return step_finish(child, 0);
  if (failure) {
    step_kill(child);
    return failure;
  }
  snprintf(count->field, sizeof(count->field), "%s", field.name);
  count->fetches = fetches;
  count->allowed = allowed(order->what, field.name);
  return step_finish(child, 1);
}

int step_count_fetches(const step_case *what, step_defect defect, step_fetches *fetches) {
  memset(fetches, 0, sizeof(*fetches));
  if (!step_can_attack(what->action)) return ENOTSUP;
  lab_report *report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (report == MAP_FAILED) return errno;
  step_attack attack = {.hostility = STEP_FLIP, .defect = defect};
  lab_order order = {.what = what, .attack = &attack, .report = report};
  int failure = 0, is_there = 1;
  for (uint32_t index = 0; !failure && is_there; index++) {
    step_fetch_count count = {0};
    report->watched_index = index;
    failure = watch_one(&order, &count, &is_there);
    if (!failure && count.fetches && fetches->count < STEP_FETCH_COUNTS) {
      fetches->counts[fetches->count++] = count;
    }
  }
  munmap(report, sizeof(*report));
  return failure;
}
