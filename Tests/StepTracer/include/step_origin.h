/* Where worlds begin: what would take years is set, not waited for. */
#ifndef STEP_ORIGIN_H
#define STEP_ORIGIN_H

#include <stdint.h>

#include "conclave_layout.h"

/* From now on each world that this process makes begins as if 2^width - 2 positions of the ring and as many
 * granules of each lane had been. What else counts begins there as well: events, the generations of rows,
 * `reused`. 0, or EINVAL: no number of so many bits may wrap. */
int step_begin_before(uint32_t width);

/* Puts a segment there that nobody has used yet; all of `view` is writable. */
void step_origin_set(const conclave_view *view);

/* The first position of a world that was put there, as participants count it. */
uint64_t step_origin_position(const conclave_view *view);

#endif
