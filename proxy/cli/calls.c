#include "cli/calls.h"

#include <stdio.h>
#include <string.h>

void calls_show(const char *address, const char *path)
{
    if (strncmp(address, "unix:", 5) == 0)
        (void)printf("    curl --unix-socket %s 'http://localhost%s'\n\n", address + 5, path);
    else
        (void)printf("    curl 'http://%s%s'\n\n"
                     "In Postman: a new GET request to http://%s%s, Authorization: No Auth, no\n"
                     "certificate in the settings. Send.\n\n",
                     address, path, address, path);
}
