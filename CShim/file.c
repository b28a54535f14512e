#include "conclave_file.h"

#include <sys/eventfd.h>

int conclave_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
