/* Sleeping until there is a record.
 *
 * Whoever publishes wakes the sleepers (conclave_wait.h). What remains is a publisher that is killed or
 * stopped between its swap and its wake-up: somebody has to look by the clock. Looking costs a process a
 * wake-up, so one of all who sleep does it for the others: the watchman, who holds CONCLAVE_LOCK_WATCH.
 * He looks every CONCLAVE_WAIT_LIMIT_NS and wakes the others when he finds what nobody told them. While
 * no publisher lives not even he looks.
 *
 * Those who have not slept for long look by themselves, so that a bus that is busy elects nobody.
 * When the watchman goes, he wakes the others, and they elect anew. When he is killed they notice
 * within a second; when he is stopped they go on looking once a second: a message of a publisher that
 * is killed in its window in just that second is that late.
 *
 * SYNC POINT watch: a sleeper announces itself (prepare) before it looks for living publishers; a
 * publisher takes its lane's lock before it looks for sleepers (conclave_publisher_join). The kernel
 * orders the two looks at the lock, so at least one of them sees the other.
 */
#include <errno.h>
#include <sched.h>

#include "conclave_clock.h"
#include "conclave_liveness.h"
#include "conclave_mirror.h"
#include "conclave_receive.h"

/* How often a subscriber that has caught up gives its time slice away before it sleeps. Without it
 * every publish pays for a wake-up; many more would only burn the processor. */
enum { YIELDS = 4 };

/* How long those who do not watch sleep before they see whether somebody still does. */
static const uint64_t UNWATCHED_NS = 1000000000;

/* How long one call lasts before it returns for no reason. */
static const uint64_t PARK_LIMIT_NS = 10000000000;

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Whether conclave_receive at `position` would find anything but CONCLAVE_NOTHING. */
static int has_record(const conclave_view *view, uint64_t position) {
  uint64_t slot =
      atomic_load_explicit(conclave_slot_at(view, position), memory_order_seq_cst);
  conclave_slot_age age = conclave_slot_compare(view, slot, position);
  return age == CONCLAVE_SLOT_CURRENT ||
         (age != CONCLAVE_SLOT_FREE && conclave_frontier_near(view, position) > position);
}

/* How long to sleep at a time after the first. Makes the caller the watchman if there has to be one and
 * there is none. */
static uint64_t nap(const conclave_view *view, int *watching) {
  /* It has not announced itself, and cannot watch for those who have. */
  if (view->is_read_only) return CONCLAVE_WAIT_LIMIT_NS;
  int published = conclave_lock_held(view->descriptor, CONCLAVE_LOCK_LANES,
                                     view->geometry.lane_count);
  if (published == 0) return PARK_LIMIT_NS;
  if (*watching) return CONCLAVE_WAIT_LIMIT_NS;
  int failure = conclave_lock_try(view->descriptor, CONCLAVE_LOCK_WATCH, 1);
  *watching = failure == 0;
  return failure == EAGAIN ? UNWATCHED_NS : CONCLAVE_WAIT_LIMIT_NS;
}

/* Gives the watch back, and tells the others, whatever ended the sleep: that it was woken does not mean
 * that they were. Another sleeper's announcement ends a sleep as well, and a publisher may have died
 * meanwhile without a word. It has not looked for the bit that it clears: who announces itself behind that,
 * and asks for this lock before its look, sees what was seen here because of the lock. */
static void end_watch(const conclave_view *view) {
  conclave_lock_release(view->descriptor, CONCLAVE_LOCK_WATCH, 1);
  conclave_event_wake(&view->board->data);
}

static void sleep_for_record(conclave_subscriber *subscriber, uint64_t position, uint64_t deadline_ns,
                            int *watching) {
  const conclave_view *view = &subscriber->view;
  conclave_event *event = &view->board->data;
  uint64_t latest = 0;
  /* Another sleeper's announcement ends a sleep too: what counts is a sleep that lasted. */
  int slept_long = 0;
  for (;;) {
    uint32_t ticket = conclave_view_prepare(view, event);
    /* Before the look: who published and died before this saw nobody alive is seen by the look. */
    uint64_t limit = slept_long ? nap(view, watching) : CONCLAVE_WAIT_LIMIT_NS;
    /* SYNC POINT sleep: the second look. */
    if (has_record(view, position)) return;
    if (conclave_view_is_lost(view)) return;
    /* SYNC POINT doze: likewise. */
    if (subscriber->heeds_asks && conclave_mirror_asks(view) != subscriber->asks) return;
    if (atomic_exchange_explicit(&subscriber->interrupted, 0, memory_order_seq_cst)) return;
    uint64_t now = conclave_monotonic_ns();
    if (latest == 0) latest = smaller(deadline_ns, now + PARK_LIMIT_NS);
    if (now >= latest) return;
    int failure = conclave_event_wait(event, ticket, smaller(now + limit, latest));
    if (failure) slept_long = 1;
    /* The slot may seem free though its record was there: see conclave_receive_nothing. */
    if (!failure && conclave_frontier_near(view, position) > position) return;
  }
}

void conclave_subscriber_park(conclave_subscriber *subscriber, uint64_t position,
                              uint64_t deadline_ns) {
  const conclave_view *view = &subscriber->view;
  for (int i = 0; i < YIELDS; i++) {
    sched_yield();
    if (has_record(view, position)) return;
  }
  int watching = 0;
  sleep_for_record(subscriber, position, deadline_ns, &watching);
  if (watching) end_watch(view);
}
