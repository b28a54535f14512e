/* What a publisher does, step by step; part of ring.pml. */

/* conclave_frontier */
inline find_frontier(at) {
  at = tail;
  do
  :: CURRENT(at) -> at++
  :: FREE(at) -> break
  :: atomic { LATER(at) ->
       at = (tail > at -> tail : (slots[0].lap - 1) * SLOTS) }
  od
}

/* void_begin, with conclave_order_has. */
inline void_begin() {
  find_frontier(position);
  oldest = (position > SLOTS -> position - SLOTS : 0);
  has = false;
#ifndef NO_HAS
  do
  :: atomic { position > oldest ->
       position--;
       has = has || (CURRENT(position) && SLOT(position).lane == lane &&
                     SLOT(position).granule >= head && SLOT(position).granule < reserved) }
  :: atomic { position == oldest -> break }
  od;
#endif
  if
  :: has -> head = reserved
  :: !has && (row_state & 1) -> atomic {
       if
       :: row_consumed[lane] <= reserved && row_consumed[lane] > head -> head = row_consumed[lane]
       :: else
       fi
     }
  :: !has && !(row_state & 1)
  fi
}

/* claim_lane and take_over */
inline join_lane() {
  if
#ifdef NO_LOCK
  :: atomic { lane = 0; holder[0] = me + 1 }
#else
  :: atomic { holder[0] == 0 -> holder[0] = me + 1; lane = 0 }
  :: atomic { holder[0] != 0 && holder[1] == 0 -> holder[1] = me + 1; lane = 1 }
#endif
  fi;
  find_frontier(next);
  atomic { reserved = lanes[lane].reserve; head = lanes[lane].published };
  if
  :: head != reserved ->
     void_begin();
     lanes[lane].published = head;
     lanes[lane].reused++
  :: head == reserved
  fi;
  atomic { lane_limit = 0; ring_limit = 0; oldest = 0; has = false; position = 0 }
}

/* conclave_row_reap */
inline reap() {
  atomic {
    if :: row_state == state -> row_state = state & 254 :: else fi
  }
}

/* The bounded sleep of conclave_lane_room and conclave_ring_room. Gives up (ETIMEDOUT) when the
 * time is over and its subscriber only stands still. */
inline sleep(e) {
  event_enqueue(e, me);
  atomic { !e.asleep[me] ->
    if
    :: timed_out[me] && for_ever[2] -> timed_out[me] = false; goto leave
    :: else -> timed_out[me] = false
    fi }
}

/* conclave_lane_room, slowest and sleep_for_lane */
inline lane_room() {
  do
  :: state = row_state;
     if
     :: atomic { !(state & 1) -> lane_limit = head + CAPACITY }
     :: atomic { (state & 1) ->
          value = row_consumed[lane];
          lane_limit = (value < head -> value : head) + CAPACITY }
     fi;
     if
     :: atomic { head + 1 <= lane_limit -> state = 0; value = 0; break }
     :: head + 1 > lane_limit ->
        if
#ifndef NO_REAP
        :: row_holder == 0 -> reap()
        :: row_holder != 0 ->
#else
        :: true ->
#endif
           assert(value == 0 || head - value <= CAPACITY);
           /* Half a lane, or what the record needs: the same here. */
           wanted[lane] = head + 1 - CAPACITY;
           event_prepare(lane_wait[lane], me);
           if
           :: row_consumed[lane] < wanted[lane] && row_state == state -> sleep(lane_wait[lane])
           :: row_consumed[lane] >= wanted[lane] || row_state != state ->
              lane_wait[lane].same[me] = false
           fi
        fi
     fi
  od
}

/* conclave_ring_room */
inline ring_room() {
  do
  :: state = row_state;
     if
     :: atomic { !(state & 1) -> ring_limit = position + SLOTS }
     :: atomic { (state & 1) ->
          value = row_cursor;
          ring_limit = (value < position -> value : position) + SLOTS }
     fi;
     if
     :: atomic { position < ring_limit -> state = 0; value = 0; break }
     :: position >= ring_limit ->
        if
#ifndef NO_REAP
        :: row_holder == 0 -> reap()
        :: row_holder != 0 ->
#else
        :: true ->
#endif
           assert(value == 0 || position - value <= SLOTS);
           event_prepare(space, me);
           if
           :: row_cursor == value && row_state == state -> sleep(space)
           :: row_cursor != value || row_state != state -> space.same[me] = false
           fi
        fi
     fi
  od
}

/* conclave_order_append */
inline append() {
  position = (tail > next -> tail : next);
  do
  :: CURRENT(position) -> position++
  :: LATER(position) -> find_frontier(position)
  :: FREE(position) ->
     if
     :: position >= ring_limit -> ring_room()
     :: position < ring_limit ->
        if
#ifdef NO_SWAP
        :: atomic { true ->
#else
        :: atomic { FREE(position) -> /* SYNC POINT publish: the swap */
#endif
             assert(position <= frontier && truth[position] == 0);
             truth[position] = message;
             frontier++;
             SLOT(position).lap = LAP(position);
             SLOT(position).lane = lane;
             SLOT(position).granule = head;
             next = position + 1 };
           atomic { if :: tail < next -> tail = next :: else fi; position = 0; break }
#ifndef NO_SWAP
        :: !FREE(position)
#endif
        fi
     fi
  od
}

/* conclave_publish_record */
inline publish() {
  if
  :: head + 1 > lane_limit -> lane_room()
  :: head + 1 <= lane_limit
  fi;
#ifndef LATE_RESERVE
  atomic {
    if
    :: head + 1 > reserved -> reserved = head + 1; lanes[lane].reserve = reserved
    :: else
    fi
  };
#endif
  lanes[lane].first[head % CAPACITY] = message; /* SYNC POINT overwrite */
  lanes[lane].second[head % CAPACITY] = message;
#ifdef LATE_RESERVE
  atomic {
    if
    :: head + 1 > reserved -> reserved = head + 1; lanes[lane].reserve = reserved
    :: else
    fi
  };
#endif
  append();
  atomic { head++; lanes[lane].published = head }
}
