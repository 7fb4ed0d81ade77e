#include "http/set_cookie.h"

#include "base/status.h"

/* A part between two semicolons (RFC 6265bis, 5.6). whole: with its blanks. */
struct attribute {
    struct slice whole, name, value;
};

/* Takes the next attribute. False: there is none (rest->p is NULL). An empty one at the end
 * counts. */
static bool next_attribute(struct slice *rest, struct attribute *a)
{
    if (rest->p == NULL)
        return false;
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, ';', rest->n);
    a->whole = end == NULL ? *rest : (struct slice){rest->p, (size_t)(end - rest->p)};
    *rest =
        end == NULL ? (struct slice){NULL, 0} : (struct slice){end + 1, rest->n - a->whole.n - 1};
    a->value = a->whole;
    a->name = slice_trim(slice_split(&a->value, '='));
    a->value = slice_trim(a->value);
    return true;
}

static bool is_named(const struct attribute *a, struct slice name)
{
    return slice_eq_nocase(a->name, name);
}

/* RFC 6265bis, 5.6.7: quotes are part of the value, so "none" in quotes is not None. */
static bool is_none(const struct attribute *a)
{
    return slice_eq_nocase(a->value, SLICE("none"));
}

/* RFC 6265bis, 5.7; for __Http- draft-ietf-httpbis-layered-cookies. */
static bool promises_secure(struct slice name)
{
    static const struct slice prefixes[] = {{"__host-", 7}, {"__secure-", 9}, {"__http-", 7}};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (name.n >= prefixes[i].n &&
            slice_eq_nocase((struct slice){name.p, prefixes[i].n}, prefixes[i]))
            return true;
    return false;
}

static bool is_address(struct slice host)
{
    if (host.n > 0 && host.p[0] == '[')
        return true;
    for (size_t i = 0; i < host.n; i++)
        if ((host.p[i] < '0' || host.p[i] > '9') && host.p[i] != '.')
            return false;
    return true;
}

/* RFC 6265bis, 5.1.3: would a cookie with this Domain be kept for that host? */
static bool covers(struct slice domain, struct slice host)
{
    if (domain.n > 0 && domain.p[0] == '.') {
        domain.p++;
        domain.n--;
    }
    if (slice_eq_nocase(domain, host))
        return true;
    if (domain.n == 0 || domain.n >= host.n || is_address(host))
        return false;
    return host.p[host.n - domain.n - 1] == '.' && slice_ends_nocase(host, domain);
}

/* The effect of the attributes. Of several SameSite the last one counts (RFC 6265bis, 5.7). */
struct nature {
    bool secure, same_site_none;
};

static struct nature nature_of(struct slice attributes)
{
    struct nature found = {false, false};
    struct attribute a;

    while (next_attribute(&attributes, &a)) {
        if (is_named(&a, SLICE("secure")))
            found.secure = true;
        else if (is_named(&a, SLICE("samesite")))
            found.same_site_none = is_none(&a);
    }
    return found;
}

/* Is a left out together with Secure? */
static bool goes_with_secure(const struct attribute *a, const struct nature *n)
{
    return is_named(a, SLICE("secure")) || is_named(a, SLICE("partitioned")) ||
           (is_named(a, SLICE("samesite")) && (n->same_site_none || is_none(a)));
}

void set_cookie_write(struct slice value, struct slice host, bool tls, struct buf *out)
{
    struct slice rest = value;
    struct attribute a;

    if (!next_attribute(&rest, &a))
        return;
    if (promises_secure(a.name)) {
        buf_add_slice(out, value);
        return;
    }
    struct nature nature = nature_of(rest);
    buf_add_slice(out, a.whole);
    while (next_attribute(&rest, &a)) {
        if ((is_named(&a, SLICE("domain")) && !covers(a.value, host)) ||
            (!tls && nature.secure && goes_with_secure(&a, &nature)))
            continue;
        buf_add_string(out, ";");
        buf_add_slice(out, a.whole);
    }
}

bool set_cookie_find(struct slice value, struct slice name, struct slice *out)
{
    struct attribute a;
    bool found = false;

    (void)next_attribute(&value, &a); /* skips the cookie itself */
    while (next_attribute(&value, &a)) {
        if (!is_named(&a, name))
            continue;
        *out = a.value;
        found = true;
    }
    return found;
}
