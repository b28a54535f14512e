/* What Swift's Glibc module does not have. */
#ifndef CONCLAVE_FILE_H
#define CONCLAVE_FILE_H

/* An event descriptor, close-on-exec and non-blocking, with a count of zero; -1 and errno on failure.
 * Why C: <sys/eventfd.h> is not part of the Glibc module. */
int conclave_eventfd(void);

#endif
