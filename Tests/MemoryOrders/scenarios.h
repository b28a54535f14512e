/* What scenarios consist of: who publishes, who receives, and what must hold of all that is received. */
#ifndef ORDERS_SCENARIOS_H
#define ORDERS_SCENARIOS_H

#include "shim.h"

/* The last of each has no name. */
extern const orders_scenario orders_scenarios[];
extern const orders_scenario orders_takeovers[];
extern const orders_scenario orders_hints[];
extern const orders_scenario orders_rows[];
extern const orders_scenario orders_heirs[];
extern const orders_scenario orders_asks[];

extern conclave_publisher publishers[3];
extern conclave_subscriber subscriber;

/* An empty segment of so many slots and granules of a lane, and nothing received. */
void begin(uint32_t slots, uint32_t granules);

/* Publishes the number that the message has in its lane, and the lane: 0 or what conclave_publish says. */
int publish(conclave_publisher *publisher, conclave_wait_mode mode);

/* Who died between the swap and all that follows has published nevertheless: the judge is to know. */
void was_published(const conclave_publisher *publisher);

/* Judges one look at the cursor. */
conclave_outcome receive(void);

#endif
