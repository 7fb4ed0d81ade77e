#include "caller/caller_id.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct caller_id caller_id_of_address(const struct address *from)
{
    struct address a = *from;
    struct caller_id c = {.kind = CALLER_UNKNOWN};

    address_unmap(&a);
    if (a.any.sa_family == AF_INET) {
        c.kind = CALLER_IPV4;
        memcpy(c.ip, &((const struct sockaddr_in *)&a.storage)->sin_addr, 4);
    } else if (a.any.sa_family == AF_INET6) {
        c.kind = CALLER_IPV6;
        memcpy(c.ip, &((const struct sockaddr_in6 *)&a.storage)->sin6_addr, 16);
    }
    return c;
}

struct caller_id caller_id_of_peer(const struct peer *p)
{
    if (p->kind == PEER_TOLD)
        return (struct caller_id){.kind = CALLER_UID, .uid = p->uid};
    return caller_id_of_address(&p->from);
}

static void write_uid(uid_t uid, char out[CALLER_ID_TEXT_SIZE])
{
    char digits[3 * sizeof(uid)];
    size_t n = 0, at = sizeof("uid:") - 1;

    memcpy(out, "uid:", at);
    do {
        digits[n++] = (char)('0' + uid % 10);
        uid /= 10;
    } while (uid > 0);
    while (n > 0)
        out[at++] = digits[--n];
    out[at] = '\0';
}

void caller_id_text(const struct caller_id *c, char out[CALLER_ID_TEXT_SIZE])
{
    static const char prefix[] = "addr:";
    const size_t n = sizeof(prefix) - 1;

    out[0] = '\0';
    if (c->kind == CALLER_UID)
        write_uid(c->uid, out);
    else if (c->kind != CALLER_UNKNOWN &&
             inet_ntop(c->kind == CALLER_IPV4 ? AF_INET : AF_INET6, c->ip, out + n,
                       (socklen_t)(CALLER_ID_TEXT_SIZE - n)) != NULL)
        memcpy(out, prefix, n);
}
