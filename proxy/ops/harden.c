#include "ops/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void harden_again(void)
{
#ifndef __SANITIZE_ADDRESS__ /* LeakSanitizer has to trace its own process */
    (void)prctl(PR_SET_DUMPABLE, 0);
#else
    (void)prctl(PR_SET_DUMPABLE, 1);
#endif
}

void harden_process(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    harden_again();
}
