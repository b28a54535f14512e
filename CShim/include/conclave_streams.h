/* A lane's streams: which numberings its owner has, and how far each has come.
 *
 * A subscriber that lost records cannot read who sent them; here it finds, for each stream of each
 * publisher, the number of the last message, and so counts exactly what it lost, also when the sender
 * never speaks again. (A jump in a stream's numbers tells the rest.)
 *
 * Entries lie behind each other in the lane header's `streams`, each:
 *     8 bytes  number of the last message that is in the order ring
 *     8 bytes  length of the key
 *     key, filled up to a multiple of 8
 * The key means something to the layer above only. Entries are only added, and all vanish when the
 * lane changes hands. When there is no room a stream simply has no entry: its losses show with its
 * next message.
 *
 * SYNC POINT lists: who reads that a list is so long (acquire) has the entries that it was made so long for
 * (release), and who reads a number (fence) has the slot of its message (release). What a lane's next owner
 * writes comes after its 0 for `incarnation` (release fence): who copied any of it sees at the second look
 * (acquire fence) that the owner is another. The next owner's own number (release) brings (acquire) a list
 * that is empty at first.
 */
#ifndef CONCLAVE_STREAMS_H
#define CONCLAVE_STREAMS_H

#include "conclave_layout.h"

/* Adds an entry. Returns where its number is kept, or NULL when there is no room. Only the lane's
 * owner may call this, one thread at a time. */
_Atomic uint64_t *conclave_stream_add(conclave_lane_header *lane, const void *key, uint32_t key_bytes);

/* Records that the message `number` of the stream is in the order ring. `entry` may be NULL.
 * SYNC POINT lists. */
static inline void conclave_stream_note(_Atomic uint64_t *entry, uint64_t number) {
  if (entry) atomic_store_explicit(entry, number, memory_order_release);
}

/* Copies the entries of `lane` (CONCLAVE_LANE_HEADER_BYTES are enough) as they lie there; returns how
 * many bytes, 0 when it has no owner or changes hands just now. `*incarnation` says whose they are.
 * The copy is as long as it says and nothing more is certain: parse it with care. */
uint32_t conclave_streams_copy(const conclave_view *view, uint32_t lane, uint64_t *copy,
                               uint64_t *incarnation);

#endif
