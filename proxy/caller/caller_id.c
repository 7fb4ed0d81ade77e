#include "caller/caller_id.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
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

void caller_id_text(const struct caller_id *c, char out[CALLER_ID_TEXT_SIZE])
{
    static const char prefix[] = "addr:";
    const size_t n = sizeof(prefix) - 1;

    out[0] = '\0';
    if (c->kind == CALLER_UID)
        (void)snprintf(out, CALLER_ID_TEXT_SIZE, "uid:%lu", (unsigned long)c->uid);
    else if (c->kind != CALLER_UNKNOWN &&
             inet_ntop(c->kind == CALLER_IPV4 ? AF_INET : AF_INET6, c->ip, out + n,
                       (socklen_t)(CALLER_ID_TEXT_SIZE - n)) != NULL)
        memcpy(out, prefix, n);
}
