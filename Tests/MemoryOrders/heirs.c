/* Rows that the dead leave: one that is kept goes to a successor with all that it says, one that makes no
 * sense is released, and so is one that a dropping subscription takes.
 *
 * Thread 0 publishes; thread 1 comes after the dead one; thread 2 was that. */
#include "scenarios.h"

enum { PUBLISHER = 0, HEIR = 1, DEAD = 2, RECORDS = 6 };

static conclave_subscription options;
static uint64_t begins; /* what the dead one gave back last */

static void take_lane(void) { orders_lane(&publishers[0], 0); }
static void publish_own(void) { publish(&publishers[0], CONCLAVE_NO_WAIT); }
static void publish_and_wake(void) {
  while (publishers[0].messages < RECORDS) {
    if (publish(&publishers[0], CONCLAVE_WAIT)) return;
  }
  conclave_publish_wake(&publishers[0]);
}
static void publish_three(void) {
  for (int i = 0; i < 3; i++) publish_own();
}

/* The dead one: each message is in the files before it gives its room back. */
static void join_first(void) { orders_join(&subscriber, &options); }
static void read_one(void) {
  conclave_record record;
  if (conclave_receive(&subscriber, &record) == CONCLAVE_RECORD) conclave_release(&subscriber);
}
static void keep(void) {
  read_one();
  conclave_mirror_note_mirrored(&orders_view, subscriber.position, 1, 64);
  begins = subscriber.position;
}
static void keep_and_commit(void) {
  keep();
  conclave_subscriber_commit(&subscriber);
}
static void read_and_leave(void) {
  read_one();
  conclave_subscriber_abandon(&subscriber, options.keep_ns);
}

/* One message was given back, and another read in vain. */
static void prepare_row(uint32_t slots, uint32_t granules, uint64_t keep_ns) {
  begin(slots, granules);
  options = (conclave_subscription){
      .timeout_ns = UINT64_MAX, .back_pressure = 1, .keep_ns = keep_ns};
  orders_before(DEAD, join_first, NULL);
  take_lane();
  for (int i = 0; i < 3; i++) orders_before(PUBLISHER, publish_own, NULL);
  orders_before(DEAD, keep_and_commit, NULL);
}
static const uint64_t A_DAY = UINT64_C(86400) * 1000000000;
static void prepare_heir(void) {
  prepare_row(8, 4, A_DAY);
  orders_before(DEAD, read_and_leave, NULL);
}
static void prepare_heir_ring(void) {
  prepare_row(4, 8, A_DAY);
  orders_before(DEAD, read_and_leave, NULL);
}
/* It died when its lane had been given back, but not the order ring. */
static void prepare_half(void) {
  prepare_row(8, 4, A_DAY);
  orders_before(DEAD, keep_and_commit, "&subscriber->row->cursor");
}

static int take_row(void) {
  if (orders_succeed(&subscriber, &options)) return 0;
  orders_expect(subscriber.position == begins, "it does not go on where the dead one stopped");
  return 1;
}
static void receive_all(void) {
  while (subscriber.position < RECORDS) {
    if (receive() == CONCLAVE_RECORD) {
      conclave_subscriber_commit(&subscriber);
      continue;
    }
    uint32_t ticket = conclave_event_prepare(&orders_view.board->data);
    if (orders_has_record(subscriber.position)) continue;
    conclave_event_wait(&orders_view.board->data, ticket, UINT64_MAX);
  }
}
static void succeed(void) {
  orders_expect(take_row(), "a row that is kept is not found");
  receive_all();
}

/* The time is over: a publisher releases the row while a successor takes it. One of the two does. */
static void prepare_late(void) {
  prepare_row(8, 4, 1);
  orders_before(DEAD, read_and_leave, NULL);
  /* So it is known since when it has been dead. */
  for (int i = 0; i < 3; i++) orders_before(PUBLISHER, publish_own, NULL);
}
static void succeed_or_not(void) {
  if (!take_row()) return;
  for (int i = 0; i < 3; i++) {
    if (receive() == CONCLAVE_RECORD) conclave_subscriber_commit(&subscriber);
  }
}

/* What the files have lies beyond the ring: the row is released, and who waits for it is woken. */
static void go_astray(void) { conclave_mirror_note_mirrored(&orders_view, 1000, 0, 0); }
static void prepare_nonsense(void) {
  prepare_heir();
  orders_before(HEIR, go_astray, NULL);
}
static void fail_to_succeed(void) {
  orders_expect(orders_succeed(&subscriber, &options) == ENOENT, "a row that makes no sense");
}

/* A row that is not kept. Its owner dies while a publisher waits for it, and a dropping subscription comes
 * that finds no other. */
static void prepare_dead_row(void) {
  begin(8, 4);
  options = (conclave_subscription){.timeout_ns = UINT64_MAX, .back_pressure = 1};
  orders_before(DEAD, join_first, NULL);
  take_lane();
  for (int i = 0; i < 4; i++) orders_before(PUBLISHER, publish_own, NULL);
}
static void take_dead_row(void) {
  conclave_subscription dropping = {.timeout_ns = 0};
  orders_kernel();
  orders_died(DEAD);
  orders_expect(orders_join(&subscriber, &dropping) == 0, "no row for a dropping subscription");
}

/* One that is kept is for nobody else, whoever comes, before or after the death. */
static conclave_subscriber first, second;
static int has_joined;
static void prepare_claim(void) {
  has_joined = 0;
  begin(8, 4);
  options = (conclave_subscription){
      .timeout_ns = UINT64_MAX, .back_pressure = 1, .keep_ns = A_DAY};
}
static void join_and_die(void) {
  has_joined = orders_join(&first, &options) == 0;
  orders_kernel();
}
static void join_other(void) {
  conclave_subscription other = {.timeout_ns = UINT64_MAX, .back_pressure = 1};
  if (orders_join(&second, &other)) return;
  orders_expect(!has_joined, "a row that is kept for a successor is taken");
  conclave_subscriber_leave(&second);
}

const orders_scenario orders_heirs[] = {
    {.name = "heir", .prepare = prepare_heir, .threads = {publish_and_wake, succeed}},
    {.name = "heirring", .prepare = prepare_heir_ring, .threads = {publish_and_wake, succeed}},
    {.name = "half", .prepare = prepare_half, .threads = {publish_and_wake, succeed}},
    {.name = "tardy", .prepare = prepare_late, .threads = {publish_three, succeed_or_not}},
    {.name = "nonsense", .prepare = prepare_nonsense,
     .threads = {publish_and_wake, fail_to_succeed}},
    {.name = "deadrow", .prepare = prepare_dead_row, .threads = {publish_and_wake, take_dead_row}},
    {.name = "claim", .prepare = prepare_claim, .threads = {join_and_die, join_other}, .mortal = 1},
    {.name = NULL},
};
