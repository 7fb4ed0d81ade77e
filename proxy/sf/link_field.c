#include "sf/link_field.h"

#include <string.h>

void link_write_url(const struct link_rules *rules, struct slice value, struct buf *out)
{
    size_t n = link_prefix(rules, value);

    if (n > 0)
        buf_add_string(out, rules->base);
    buf_add(out, value.p + n, value.n - n);
}

/* The offset after the first < outside of strings; 0: there is none. */
static size_t behind_open(struct slice value)
{
    bool quoted = false;

    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"')
            quoted = !quoted;
        else if (quoted && value.p[i] == '\\')
            i++;
        else if (!quoted && value.p[i] == '<')
            return i + 1;
    }
    return 0;
}

void link_write_targets(const struct link_rules *rules, struct slice value, struct buf *out)
{
    size_t n;

    while ((n = behind_open(value)) > 0) {
        buf_add(out, value.p, n);
        value.p += n;
        value.n -= n;
        const char *close = memchr(value.p, '>', value.n);
        size_t url = close == NULL ? value.n : (size_t)(close - value.p);
        link_write_url(rules, (struct slice){value.p, url}, out);
        value.p += url;
        value.n -= url;
    }
    buf_add_slice(out, value);
}

/* Replaces the host as if it were a URL with the place's scheme. */
void link_write_host(const struct link_rules *rules, struct slice value, struct buf *out)
{
    struct buf url = {0};
    bool found = false;

    for (size_t i = 0; i < rules->nplaces && !found; i++) {
        size_t scheme = rules->places[i].origin.p[4] == 's' ? 8 : 7;
        url.n = 0;
        buf_add(&url, rules->places[i].origin.p, scheme);
        buf_add_slice(&url, value);
        found = value.n > 0 && link_prefix(rules, buf_slice(&url)) == url.n;
    }
    if (found)
        buf_add_string(out, strstr(rules->base, "://") + 3);
    else
        buf_add_slice(out, value);
    buf_free(&url);
}
