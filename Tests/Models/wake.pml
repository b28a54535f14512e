/* Sleeping for records and being woken: conclave_wait.h, park.c, and the ends of publish.
 *
 * PUBLISHERS publish, SUBSCRIBERS read what there is and sleep. Most of them may be killed or
 * stopped for ever at any step (a stop that ends is an interleaving like any other). What a
 * record says, and where it lies, is the matter of ring.pml: here a record is a position.
 *
 * Proved: whenever nothing moves any more but the clock, each record that a living sleeper has
 * not read is one of which nobody could be told, since its publisher was killed or stopped
 * between its swap and its wake-up; then somebody looks again within CONCLAVE_WAIT_LIMIT_NS (or
 * within a second, if the watchman was hit too), and in the end everything is read.
 */
#ifndef PUBLISHERS
#define PUBLISHERS 2
#endif
#ifndef SUBSCRIBERS
#define SUBSCRIBERS 2
#endif
#define SLEEPERS 2
#ifndef MESSAGES
#define MESSAGES 2 /* the first publisher's; the other publishes one */
#endif
#ifndef LOSSES
#define LOSSES 2 /* how many are killed or stopped */
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 1 /* how often each sleep ends by the clock though others could go on */
#endif

/* How long a sleep lasts. */
#define SHORT 1     /* CONCLAVE_WAIT_LIMIT_NS */
#define UNWATCHED 2 /* UNWATCHED_NS */
#define PARKED 3    /* PARK_LIMIT_NS */

#define NOTHING 4
#define TOLD(position) silent[position] = false
#include "event.pml"

Event data;
byte frontier;                 /* positions below it have their record */
bool silent[5];                /* of which nobody has been told (yet) */
bool lane_held[2];    /* CONCLAVE_LOCK_LANES */
byte watch;                    /* CONCLAVE_LOCK_WATCH: its holder's number plus 1 */
bool watch_lost;               /* who may have been the watchman was killed or stopped */

bool publisher_gone[2];
bool sleeper_gone[SLEEPERS];
byte losses;

byte cursor[SLEEPERS];
byte limit[SLEEPERS];
bool timed_out[SLEEPERS];

/* conclave_publisher_join, conclave_publish, conclave_publish_wake, conclave_publisher_leave. */
proctype Publisher(byte me; byte messages) {
  byte mine;
  {
    lane_held[me] = true;
#ifndef NO_JOIN_SIGNAL
    event_signal(data, 2 + me, NOTHING);
#endif
    do
    :: atomic { messages > 0 -> /* the swap */
                messages--; mine = frontier; silent[mine] = true; frontier++ };
       event_signal(data, 2 + me, mine)
    :: atomic { messages == 0 -> lane_held[me] = false; mine = 0; break }
    od
  } unless { publisher_gone[me] }
}

/* conclave_subscriber_park with sleep_for_record and nap, and conclave_receive. */
proctype Sleeper(byte me) {
  byte spare = TIMEOUTS;
  bool slept_long, watching, woken;
  {
    do
    :: atomic { cursor[me] < frontier -> cursor[me]++ }
    :: atomic { cursor[me] == frontier -> slept_long = false; woken = false };
       do
       :: event_prepare(data, me);
          if
          :: atomic { !slept_long -> limit[me] = SHORT }
          :: atomic { slept_long && !lane_held[0] && !lane_held[1] -> limit[me] = PARKED }
          :: atomic { slept_long && (lane_held[0] || lane_held[1]) && watching ->
                      limit[me] = SHORT }
          :: atomic { slept_long && (lane_held[0] || lane_held[1]) && !watching };
             if
             :: atomic { watch == 0 -> watch = me + 1; watching = true; limit[me] = SHORT }
             :: atomic { watch != 0 -> limit[me] = UNWATCHED }
             fi
          fi;
          if
#ifndef NO_SECOND_LOOK
          :: atomic { cursor[me] < frontier -> data.same[me] = false; limit[me] = 0; break }
          :: cursor[me] == frontier
#else
          :: true
#endif
          fi;
          event_enqueue(data, me);
end_asleep:
          if
          :: atomic { !data.asleep[me] ->
                      woken = !timed_out[me]; slept_long = slept_long || timed_out[me];
                      timed_out[me] = false; limit[me] = 0 }
          :: atomic { data.asleep[me] && spare > 0 ->
                      spare--; data.asleep[me] = false;
                      woken = false; slept_long = true; limit[me] = 0 }
          fi
       od;
       if
       :: atomic { watching -> watching = false; watch = 0 };
#ifndef NO_FAREWELL
          if
#ifdef FAREWELL_UNLESS_WOKEN
          :: woken
          :: atomic { !woken -> event_bump(data, me) };
             event_wake_all(data, NOTHING);
             event_clear(data, me)
#else
          :: event_wake(data, me, NOTHING)
#endif
          fi
#endif
       :: !watching
       fi
    od
  } unless { sleeper_gone[me] }
}

/* Kills and stops. The kernel frees a dead process's locks and takes it off its queues; it does
 * neither for a stopped one. */
proctype Fate() {
  do
  :: losses < LOSSES ->
     if
     :: atomic { !publisher_gone[0] -> publisher_gone[0] = true;
                 lane_held[0] = false; FORGET(data, 2) }
     :: atomic { !publisher_gone[1] -> publisher_gone[1] = true;
                 lane_held[1] = false; FORGET(data, 3) }
     :: atomic { !publisher_gone[0] -> publisher_gone[0] = true; FORGET(data, 2) }
     :: atomic { !sleeper_gone[0] -> sleeper_gone[0] = true;
                 data.asleep[0] = false; FORGET(data, 0);
                 watch_lost = true; if :: watch == 1 -> watch = 0 :: else fi }
     :: atomic { !sleeper_gone[0] -> sleeper_gone[0] = true; FORGET(data, 0);
                 watch_lost = true }
     :: break
     fi;
     losses++
  :: losses == LOSSES -> break
  od
}

#define LIVES(s) (!sleeper_gone[s])
#define BEHIND(s) (LIVES(s) && cursor[s] < frontier)
#define SLEEPS(s, how) (LIVES(s) && data.asleep[s] && limit[s] == how)
#define ALL_SILENT(s) (!BEHIND(s) || \
  ((cursor[s] > 0 || silent[0]) && (cursor[s] > 1 || frontier <= 1 || silent[1]) && \
   (cursor[s] > 2 || frontier <= 2 || silent[2]) && (frontier <= 3 || silent[3])))

/* When nothing else can move: what was promised must hold, and then time passes. */
proctype Clock() {
  do
  :: atomic { timeout ->
       assert(ALL_SILENT(0) && ALL_SILENT(1));
       if
       :: !BEHIND(0) && !BEHIND(1) -> break
#ifdef NO_BOUND
       :: else -> assert(false)
#else
       :: else ->
          if
          :: SLEEPS(0, SHORT) || SLEEPS(1, SHORT) ->
             if :: SLEEPS(0, SHORT) -> data.asleep[0] = false; timed_out[0] = true :: else fi;
             if :: SLEEPS(1, SHORT) -> data.asleep[1] = false; timed_out[1] = true :: else fi
          :: else ->
#ifdef PROMPT
             assert(watch_lost);
#endif
             assert(SLEEPS(0, UNWATCHED) || SLEEPS(1, UNWATCHED));
             if :: SLEEPS(0, UNWATCHED) -> data.asleep[0] = false; timed_out[0] = true :: else fi;
             if :: SLEEPS(1, UNWATCHED) -> data.asleep[1] = false; timed_out[1] = true :: else fi
          fi
#endif
       fi }
  od
}

init {
  atomic {
    run Publisher(0, MESSAGES);
#if PUBLISHERS > 1
    run Publisher(1, 1);
#endif
    run Sleeper(0);
#if SUBSCRIBERS > 1
    run Sleeper(1);
#else
    sleeper_gone[1] = true;
#endif
    run Fate(); run Clock()
  }
}
