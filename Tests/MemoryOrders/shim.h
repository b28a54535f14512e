/* The shim's code over the checker's memory: a segment of two lanes, one row, and of each scenario so few
 * slots and granules that everything goes round at once. */
#ifndef ORDERS_SHIM_H
#define ORDERS_SHIM_H

/* Before the next line: system headers need the macro. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Copies word by word, as other processors make them; on x86-64 the order of accesses is kept
 * anyway. */
#undef __x86_64__

#include "checker.h"

#include "../../CShim/include/conclave_damage.h"
#include "../../CShim/include/conclave_inspect.h"
#include "../../CShim/include/conclave_liveness.h"
#include "../../CShim/include/conclave_mirror.h"
#include "../../CShim/include/conclave_publish.h"
#include "../../CShim/include/conclave_receive.h"
#include "../../CShim/include/conclave_rows.h"
#include "../../CShim/include/conclave_streams.h"

extern conclave_view orders_view;

/* Begins an execution with an empty segment of so many slots and granules of a lane. */
void orders_begin(uint32_t slots, uint32_t granules);

/* The owner of `lane`, which nobody had before. */
void orders_lane(conclave_publisher *publisher, uint32_t lane);

/* conclave_publisher_join by way of a file descriptor of one's own, 1 to 7. */
int orders_publisher(conclave_publisher *publisher, int descriptor);

/* conclave_subscriber_join; and what a mirror does that may find a dead one's row. */
int orders_join(conclave_subscriber *subscriber, const conclave_subscription *options);
int orders_succeed(conclave_subscriber *subscriber, const conclave_subscription *options);

/* Subscribers that have joined already; and parts of joining. */
void orders_dropping(conclave_subscriber *subscriber);
void orders_pressing(conclave_subscriber *subscriber);
void orders_activate(conclave_subscriber *subscriber);
void orders_read_reused(conclave_subscriber *subscriber);

/* The second look of conclave_subscriber_park. */
int orders_has_record(uint64_t position);

#endif
