#include "config/system_proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/target.h"

/* curl treats an empty variable like one that is not set. */
static const char *value_of(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : NULL;
}

static const char *first_of(const char *const *names, size_t n, const char **value)
{
    for (size_t i = 0; i < n; i++)
        if ((*value = value_of(names[i])) != NULL)
            return names[i];
    return NULL;
}

const char *system_proxy_variable(const char **value)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

    return first_of(names, ARRAY_LEN(names), value);
}

/* ---- no_proxy ---- */

/* An entry covers a host that is equal to it or is in its domain; a leading dot does not matter. */
static bool covers_name(struct slice entry, struct slice host)
{
    entry = authority_without_dot(entry);
    if (entry.n > 0 && *entry.p == '.')
        entry = (struct slice){entry.p + 1, entry.n - 1};
    return entry.n > 0 && slice_ends_nocase(host, entry) &&
           (host.n == entry.n || host.p[host.n - entry.n - 1] == '.');
}

/* Are the first `bits` bits the same? */
static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* An entry is ADDRESS or ADDRESS/BITS, of the host's family. */
static bool covers_address(struct slice entry, int family, const unsigned char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    uint64_t all = family == AF_INET ? 32 : 128, bits = 0;
    struct slice name = slice_split(&entry, '/');
    char *text = mem_copy_bytes(name.p, name.n);
    bool read = inet_pton(family, text, address) == 1;

    free(text);
    if (entry.n > 0 && !slice_to_u64(entry, all, &bits))
        return false;
    return read && same_bits(address, host, (unsigned)(bits == 0 ? all : bits));
}

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

/* Returns the next entry. Blanks separate entries, too, as in most versions of curl. */
static struct slice next_entry(struct slice *rest)
{
    while (rest->n > 0 && is_separator(*rest->p))
        rest->p++, rest->n--;
    struct slice entry = {rest->p, 0};
    while (entry.n < rest->n && !is_separator(entry.p[entry.n]))
        entry.n++;
    *rest = (struct slice){rest->p + entry.n, rest->n - entry.n};
    return entry;
}

bool system_proxy_excepts(const char *host)
{
    static const char *const names[] = {"no_proxy", "NO_PROXY"};
    const char *list;
    unsigned char address[sizeof(struct in6_addr)];
    struct slice name = authority_without_dot(slice_of(host));
    int family = inet_pton(AF_INET, host, address) == 1    ? AF_INET
                 : inet_pton(AF_INET6, host, address) == 1 ? AF_INET6
                                                           : AF_UNSPEC;

    if (first_of(names, ARRAY_LEN(names), &list) == NULL)
        return false;
    if (strcmp(list, "*") == 0)
        return true;
    for (struct slice rest = slice_of(list); rest.n > 0;) {
        struct slice entry = next_entry(&rest);
        if (entry.n > 0 && (family == AF_UNSPEC ? covers_name(entry, name)
                                                : covers_address(entry, family, address)))
            return true;
    }
    return false;
}
