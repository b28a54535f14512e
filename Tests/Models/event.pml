/* An event count and its futex, as in conclave_wait.h and wait.c. Memory is sequentially
 * consistent here; what weaker memory allows is the matter of conclave-orders.
 *
 * Only the inequality of counts matters, and a count that was changed never comes back. So of the
 * word that a participant remembers the model keeps one bit: whether the count is still the same.
 *
 * Who includes this defines SLEEPERS, how many may sleep on one event, and TOLD(what), what is
 * true of `what` once those who sleep have been woken for it. `who` is a participant's number, 0
 * to 3; sleepers come first.
 */
typedef Event {
  bool flag;             /* bit 0 of the word: somebody may be asleep */
  bool same[4];          /* nobody has changed the count since `who` did */
  bool asleep[SLEEPERS]; /* the kernel's queue */
  bool owed;             /* not in the code: somebody announced itself since the last whole wake */
}

inline event_count(e, who) {
  e.same[0] = false; e.same[1] = false; e.same[2] = false; e.same[3] = false;
  e.same[who] = true
}

/* conclave_event_prepare: one compare-and-swap. */
inline event_prepare(e, who) {
  d_step {
    e.flag = true;
#ifdef NO_COUNT
    e.same[who] = true;
#else
    event_count(e, who);
#endif
    e.owed = true
  }
}

/* FUTEX_WAIT: the kernel compares and queues in one step. Then one waits for !asleep[who]. */
inline event_enqueue(e, who) {
  d_step {
    if
    :: e.flag && e.same[who] -> e.asleep[who] = true
    :: else
    fi;
    e.same[who] = false
  }
}

/* The three steps of conclave_event_wake. With the second of them TOLD(what) comes true. */
inline event_bump(e, who) {
  d_step {
#ifdef NO_BUMP
    e.same[who] = true
#else
    event_count(e, who)
#endif
  }
}

inline event_wake_all(e, what) {
  d_step {
#ifndef NO_WAKE
    e.asleep[0] = false;
#if SLEEPERS > 1
    e.asleep[1] = false;
#endif
#endif
    TOLD(what)
  }
}

inline event_clear(e, who) {
  d_step {
    if
#ifdef CLEAR_BLIND
    :: true ->
#else
    :: e.same[who] ->
#endif
#ifndef NO_CLEAR
       e.flag = false;
#endif
       e.owed = false
    :: else
    fi;
    e.same[who] = false
  }
}

inline event_wake(e, who, what) {
  event_bump(e, who);
#ifdef CLEAR_FIRST
  event_clear(e, who);
  event_wake_all(e, what)
#else
  event_wake_all(e, what);
  event_clear(e, who)
#endif
}

/* conclave_event_signal. A system call for nobody would be a defect too: hence the assertion. */
inline event_signal(e, who, what) {
  if
  :: atomic { e.flag -> assert(e.owed) };
     event_wake(e, who, what)
  :: d_step { !e.flag -> TOLD(what) }
  fi
}

/* Forgets what somebody who is gone for ever remembered. */
#define FORGET(e, who) e.same[who] = false
