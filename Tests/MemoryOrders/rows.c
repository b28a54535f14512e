/* Rows come and go while their publisher has no room. */
#include "scenarios.h"

enum { PUBLISHER = 0, READER = 1, RECORDS = 6 };

static void take_lane(void) { orders_lane(&publishers[0], 0); }
static void publish_own(void) { publish(&publishers[0], CONCLAVE_WAIT); }
static void publish_and_wake(void) {
  while (publishers[0].messages < RECORDS) publish(&publishers[0], CONCLAVE_WAIT);
  conclave_publish_wake(&publishers[0]);
}
static void leave(void) { conclave_subscriber_leave(&subscriber); }

/* SYNC POINT room: who leaves stores that, and then looks for sleepers. Neither looks by the clock. */
static void prepare_leave(uint32_t slots, uint32_t granules) {
  begin(slots, granules);
  orders_pressing(&subscriber);
  take_lane();
}
static void prepare_leave_lane(void) { prepare_leave(8, 1); }
static void prepare_leave_ring(void) { prepare_leave(1, 4); }

/* The same for who joins: it says first that it has consumed nothing, and then what it need not see. */
static void prepare_enter(void) {
  begin(8, 4);
  take_lane();
  for (int i = 0; i < 4; i++) orders_before(PUBLISHER, publish_own, NULL);
}
static void enter_and_receive(void) {
  orders_activate(&subscriber);
  while (publishers[0].messages < RECORDS) {
    if (receive() == CONCLAVE_RECORD) continue;
    conclave_subscriber_flush(&subscriber);
    uint32_t ticket = conclave_event_prepare(&orders_view.board->data);
    if (orders_has_record(subscriber.position)) continue;
    if (publishers[0].messages < RECORDS) {
      conclave_event_wait(&orders_view.board->data, ticket, UINT64_MAX);
    }
  }
}

/* A row's next owner: what the last one consumed lies more than a lane back, and is not believed of a row that
 * seems to be active. */
static void enter(void) { orders_activate(&subscriber); }
static void receive_one(void) {
  receive();
  conclave_subscriber_flush(&subscriber);
}
static void prepare_again(void) {
  begin(8, 2);
  take_lane();
  orders_before(READER, enter, NULL);
  orders_before(PUBLISHER, publish_own, NULL);
  orders_before(READER, receive_one, NULL);
  orders_before(READER, leave, NULL);
  for (int i = 0; i < 3; i++) orders_before(PUBLISHER, publish_own, NULL);
}
static void publish_while_room(void) {
  int failure = publish(&publishers[0], CONCLAVE_NO_WAIT);
  orders_expect(failure == 0 || failure == EAGAIN, "a row that makes no sense");
}
static void enter_again(void) {
  orders_activate(&subscriber);
  receive();
}

/* A message of as many records as a lane has granules, for which there is room or is not: it never waits for
 * who had joined before and reads nothing. SYNC POINT join: who was not seen begins behind what was published
 * before. */
static void prepare_fragments(void) {
  begin(8, 4);
  take_lane();
  for (int i = 0; i < 2; i++) orders_before(PUBLISHER, publish_own, NULL);
}
static void publish_fragments(void) {
  static const uint8_t body[40 + 48 + 48 + 8];
  int failure =
      conclave_publish(&publishers[0], NULL, 0, body, sizeof(body), CONCLAVE_NO_WAIT);
  orders_expect(failure == 0 || failure == EAGAIN, "a row that makes no sense");
}

const orders_scenario orders_rows[] = {
    {.name = "leave", .prepare = prepare_leave_lane, .threads = {publish_and_wake, leave}},
    {.name = "leavering", .prepare = prepare_leave_ring, .threads = {publish_and_wake, leave}},
    {.name = "enter", .prepare = prepare_enter, .threads = {publish_and_wake, enter_and_receive}},
    {.name = "again", .prepare = prepare_again, .threads = {publish_while_room, enter_again}},
    {.name = "fragments", .prepare = prepare_fragments, .threads = {publish_fragments, enter}},
    {.name = NULL},
};
