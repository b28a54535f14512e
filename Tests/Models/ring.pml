/* The order ring, the lanes and the rows: conclave_order.h, conclave_publish.h, publish.c,
 * rows.c, conclave_receive.h, join.c, receive.c.
 *
 * Two publishers with a lane each; either a dropping subscriber (DROPPING) or one with back
 * pressure that may leave and come again. A record is two words, so that a torn one shows.
 * Publishers, and the subscriber with back pressure, may be killed at any step and come again, or
 * be stopped for ever (a stop that ends is an interleaving like any other). Who sleeps for a
 * record is the matter of wake.pml.
 *
 * Proved: what a subscriber accepts is what was published at that position, whole; no position is
 * left out, and none is given twice; with back pressure nothing is lost; nobody waits for the
 * dead, and for the living only while they have not consumed; a stop delays nobody else's lane.
 */
#define LANES 2
#define CAPACITY 2 /* granules of a lane; a record takes one */
#define SLOTS 2
#define POSITIONS 9
#ifndef FIRST
#define FIRST 2 /* messages in each life of the first publisher */
#endif
#ifndef SECOND
#define SECOND 2
#endif
#ifndef LOSSES
#define LOSSES 1
#endif

#define SLEEPERS 2
#define TOLD(what) skip
#include "event.pml"

typedef Slot { byte lap; byte lane; byte granule }
typedef Lane {
  byte reserve; byte published; byte reused;
  byte first[CAPACITY]; byte second[CAPACITY]
}

Slot slots[SLOTS];
Lane lanes[LANES];
byte tail;
byte holder[LANES];      /* CONCLAVE_LOCK_LANES: the holder's number plus 1 */

byte row_holder;         /* CONCLAVE_LOCK_ROWS */
byte row_state;          /* generation << 1 | active */
byte row_cursor;
byte row_consumed[LANES];
Event lane_wait[LANES];
byte wanted[LANES];
Event space;

byte truth[POSITIONS];   /* not in the code: what was published where */
byte frontier;           /* likewise: how many positions have a record */
bool gone[3];            /* killed or stopped: publishers, and the subscriber */
bool for_ever[3];        /* stopped */
bool timed_out[2];
bool reader_lost;        /* the subscriber was killed or stopped */
byte losses;

#define LAP(position) ((position) / SLOTS + 1)
#define SLOT(position) slots[(position) % SLOTS]
#define CURRENT(position) (SLOT(position).lap == LAP(position))
#define FREE(position) (SLOT(position).lap + 1 == LAP(position))
#define LATER(position) (SLOT(position).lap > LAP(position))

#include "publisher.pml"

proctype Publisher(byte me; byte messages) {
  byte lane, head, reserved, next, position, oldest, message, left;
  byte lane_limit, ring_limit, state, value;
  bool has;
  message = me * 8;
again:
  {
    join_lane();
    left = messages;
    do
    :: atomic { left > 0 -> left--; message++ };
       publish()
    :: left == 0 -> break
    od;
leave:
    atomic { if :: holder[lane] == me + 1 -> holder[lane] = 0 :: else fi }
  } unless { gone[me] };
  if
  :: atomic { gone[me] && !for_ever[me] -> gone[me] = false;
              lane = 0; head = 0; reserved = 0; next = 0; position = 0; oldest = 0; has = false;
              state = 0; value = 0; goto again }
  :: else
  fi
}

#ifdef DROPPING
/* conclave_receive with conclave_receive_copy and conclave_receive_lapped */
proctype Subscriber() {
  byte cursor, lane, granule, first, second;
  byte reused[LANES];
end_read:
  do
  :: atomic { CURRENT(cursor) -> lane = SLOT(cursor).lane; granule = SLOT(cursor).granule };
     if
     :: lanes[lane].reserve - granule > CAPACITY -> cursor++
     :: lanes[lane].reserve - granule <= CAPACITY ->
        first = lanes[lane].first[granule % CAPACITY];
        second = lanes[lane].second[granule % CAPACITY];
        if
#ifndef NO_RECHECK
        :: lanes[lane].reserve - granule > CAPACITY -> cursor++
        :: lanes[lane].reserve - granule <= CAPACITY ->
#else
        :: true ->
#endif
           if
#ifndef NO_REUSED
           :: atomic { lanes[lane].reused != reused[lane] -> reused[lane] = lanes[lane].reused };
              if
              :: LATER(cursor) -> goto lapped
              :: CURRENT(cursor)
              fi
           :: lanes[lane].reused == reused[lane]
#else
           :: true
#endif
           fi;
           atomic { assert(first == second && first == truth[cursor]); cursor++ }
        fi
     fi;
     atomic { lane = 0; granule = 0; first = 0; second = 0 }
  :: LATER(cursor) ->
lapped:
     atomic { cursor = (frontier > cursor + SLOTS -> frontier - SLOTS : cursor + 1);
              lane = 0; granule = 0; first = 0; second = 0 }
  od
}
#else

/* conclave_wake_publishers */
inline wake_publishers() {
  event_signal(lane_wait[0], 2, 0);
  event_signal(lane_wait[1], 2, 0);
  event_signal(space, 2, 0)
}

/* activate */
inline activate() {
#ifdef JOIN_LATE
  find_frontier(cursor);
#endif
  row_cursor = 0;
  row_consumed[0] = 0;
  row_consumed[1] = 0;
  row_state = ((row_state >> 1) + 1) << 1 | 1; /* SYNC POINT join */
  consumed[0] = lanes[0].published;
  row_consumed[0] = consumed[0];
  consumed[1] = lanes[1].published;
  row_consumed[1] = consumed[1];
#ifndef JOIN_LATE
  find_frontier(cursor);
#endif
  row_cursor = cursor;
#ifndef NO_CATCH_UP
  doubtful = true;
#endif
  wake_publishers()
}

/* conclave_flush_lane and conclave_flush_position */
inline give_back() {
  row_consumed[lane] = consumed[lane];
  if
  :: lane_wait[lane].flag && wanted[lane] <= consumed[lane] -> event_wake(lane_wait[lane], 2, 0)
  :: else
  fi;
  row_cursor = cursor;
  event_signal(space, 2, 0)
}

/* catch_up, in conclave_subscriber_flush: what is published, then the slot once more. */
inline catch_up() {
  first = lanes[0].published;
  second = lanes[1].published;
  if
  :: atomic { FREE(cursor) -> doubtful = false };
     if
     :: first > consumed[0] -> consumed[0] = first; lane = 0; give_back()
     :: else
     fi;
     if
     :: second > consumed[1] -> consumed[1] = second; lane = 1; give_back()
     :: else
     fi
  :: !FREE(cursor)
  fi;
  atomic { first = 0; second = 0; lane = 0 }
}

/* conclave_subscriber_join, conclave_receive with conclave_receive_in_place, conclave_release,
 * conclave_subscriber_flush, conclave_subscriber_leave */
proctype Subscriber() {
  byte cursor, lane, granule, first, second, visits;
  byte consumed[LANES];
  bool doubtful;
again:
  {
    atomic { row_holder == 0 -> row_holder = 1 };
    activate();
end_read:
    do
    :: atomic { CURRENT(cursor) -> lane = SLOT(cursor).lane; granule = SLOT(cursor).granule };
       first = lanes[lane].first[granule % CAPACITY];
       second = lanes[lane].second[granule % CAPACITY];
       atomic { assert(first == second && first == truth[cursor]);
                consumed[lane] = granule + 1; cursor++; first = 0; second = 0; granule = 0 };
       give_back();
       lane = 0
#ifndef NO_CATCH_UP
    :: doubtful -> catch_up()
#endif
    :: LATER(cursor) -> assert(false) /* with back pressure nothing is lost */
    :: atomic { visits == 0 -> visits++; break } /* leaves, sooner or later, and comes again */
    od;
    row_state = row_state & 254;
    wake_publishers();
    row_holder = 0;
    goto again
  } unless { gone[2] };
  if
  :: atomic { !for_ever[2] && visits < 2 -> gone[2] = false; visits = 2;
              cursor = 0; lane = 0; granule = 0; first = 0; second = 0; goto again }
  :: true
  fi
}
#endif

/* Kills, after which one comes again, and stops for ever. The kernel frees a dead process's
 * locks, and not a stopped one's. */
proctype Fate() {
  do
  :: losses < LOSSES ->
     if
#ifndef READER_ONLY
     :: atomic { !gone[0] -> gone[0] = true;
                 lane_wait[0].asleep[0] = false; lane_wait[1].asleep[0] = false;
                 space.asleep[0] = false;
                 lane_wait[0].same[0] = false; lane_wait[1].same[0] = false; space.same[0] = false;
                 if :: holder[0] == 1 -> holder[0] = 0 :: else fi;
                 if :: holder[1] == 1 -> holder[1] = 0 :: else fi }
     :: atomic { !gone[0] -> gone[0] = true; for_ever[0] = true }
#endif
#ifdef LEASE
     /* A time-out that gives a stopped one's lane away. */
     :: atomic { holder[0] == 1 -> holder[0] = 0 }
#endif
#ifndef DROPPING
     :: atomic { !gone[2] && row_holder == 1 -> gone[2] = true; reader_lost = true; row_holder = 0 }
     :: atomic { !gone[2] && row_holder == 1 -> gone[2] = true;
                 reader_lost = true; for_ever[2] = true }
#endif
     :: break
     fi;
     losses++
  :: losses == LOSSES -> break
  od
}

#ifndef DROPPING
#define SLEEPS(p) \
  (!gone[p] && (lane_wait[0].asleep[p] || lane_wait[1].asleep[p] || space.asleep[p]))

inline tick(p) {
  if
  :: SLEEPS(p) ->
     lane_wait[0].asleep[p] = false; lane_wait[1].asleep[p] = false; space.asleep[p] = false;
     timed_out[p] = true
  :: else
  fi
}

/* When nothing else can move, publishers sleep only for somebody who is dead or stopped; then
 * time passes. */
proctype Clock() {
  bool looked;
  do
  :: atomic { timeout ->
       if
       :: !SLEEPS(0) && !SLEEPS(1) -> break
       :: else ->
#ifdef NO_BOUND
          assert(false)
#else
          assert(reader_lost);
          /* Who is dead is waited for once at most. */
          assert(row_holder != 0 || !looked);
          looked = (row_holder == 0);
          tick(0);
          tick(1)
#endif
       fi }
  od
}
#endif

init {
  atomic {
    run Publisher(0, FIRST);
#if SECOND > 0
    run Publisher(1, SECOND);
#endif
    run Subscriber(); run Fate();
#ifndef DROPPING
    run Clock()
#endif
  }
}
