#include <string.h>
#include <strings.h>

#include "base/similar.h"
#include "base/slice.h"
#include "sf/hosts.h"

enum { CERTAIN = 0, BEGINNING = 1, SLIP = 2, MOST_SLIPS = 4, FAR = SLIP + MOST_SLIPS + 1 };

static bool is_data_center(const char *text, const struct sf_host *h)
{
    return strcasecmp(text, h->data_center) == 0 ||
           strcasecmp(text, h->data_center + strlen("DC")) == 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The smaller the rank, the likelier the host. */
static size_t rank(const char *text, const struct sf_host *h)
{
    size_t n = strlen(text);

    if (is_data_center(text, h) || (strncasecmp(text, h->api, n) == 0 && h->api[n] == '.'))
        return CERTAIN;
    if (n > strlen("api") && strncasecmp(text, h->api, n) == 0)
        return BEGINNING;
    return SLIP + smaller(similar_distance(text, h->api),
                          smaller(similar_distance(text, h->certificate), MOST_SLIPS + 1));
}

/* Returns the hosts with the best rank and those one typing error worse. */
size_t sf_near_hosts(const char *text, const struct sf_host **out, size_t room)
{
    size_t count, best = FAR, found = 0;
    const struct sf_host *hosts = sf_hosts(&count);

    for (size_t i = 0; i < count; i++)
        best = smaller(best, rank(text, &hosts[i]));
    for (size_t r = best; r < FAR && r <= best + 1; r++)
        for (size_t i = 0; i < count && found < room; i++)
            if (rank(text, &hosts[i]) == r)
                out[found++] = &hosts[i];
    return found;
}

const struct sf_host *sf_meant_host(const char *host)
{
    const struct sf_host *likeliest = NULL;

    if (strchr(host, '.') != NULL)
        return sf_similar_host(host);
    if (strpbrk(host, "0123456789") != NULL) /* `api` may be a machine of that name */
        (void)sf_near_hosts(host, &likeliest, 1);
    return likeliest;
}
