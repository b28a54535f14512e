/* Which run of the machine this is: random(4), /proc/sys/kernel/random/boot_id. */
#ifndef CONCLAVE_BOOT_H
#define CONCLAVE_BOOT_H

#include <stdint.h>

/* Zeros when the kernel does not tell: then a restart is not noticed here, but /dev/shm is empty after one
 * anyway. 0, or an errno where it may well tell in a moment: who wrote zeros then, or compared with them,
 * would make a segment useless for everybody else. */
int conclave_boot_read(uint8_t id[16]);

/* Whether what was `made` is of this run, as far as both who made it and this process know: 0,
 * CONCLAVE_E_BOOT, or an errno as conclave_boot_read. */
int conclave_boot_check(const uint8_t made[16]);

#endif
