#include "sf/refusal.h"

#include <stddef.h>
#include <string.h>

#include "base/status.h"

static const struct {
    int status;
    const char *phrase;
} known[] = {
    {400, "SSL certificate error"},
    {400, "No required SSL certificate was sent"},
    {401, "AUTH0032"},
};

const char *sf_refusal_find(int status, struct slice content)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].status == status && content.n > 0 &&
            memmem(content.p, content.n, known[i].phrase, strlen(known[i].phrase)) != NULL)
            return known[i].phrase;
    return NULL;
}
