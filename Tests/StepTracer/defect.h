/* A defect that the attacks must notice. */
#ifndef STEP_DEFECT_H
#define STEP_DEFECT_H

#include "conclave_receive.h"

/* As conclave_receive of a dropping subscriber, but the record's length is fetched a second time once
 * it was checked. */
conclave_outcome defective_receive(conclave_subscriber *subscriber, conclave_record *record);

#endif
