#include "caller/arrival.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Somebody has only tested whether the port is open. There is nobody to answer, and nothing to
 * log. */
static bool has_gone_silently(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

/* Tells the caller the reason and closes the connection. If too many callers are being told
 * already, the connection is closed without an answer. */
static void turn_away(struct clients *all, const struct client_door *door, int fd,
                      const struct caller_id *caller, const struct failure *why)
{
    const struct admission place = {.caller = *caller, .counted = &all->shared->turned_away};

    if (door->tls != NULL || has_gone_silently(fd) || !quota_take(place.counted)) {
        (void)close(fd);
        return;
    }
    client_turn_away(client_new(all, door, fd, &place), why);
}

/* Asks the system who the callers are. peers[i] points into rooms; NULL: it need not be asked about
 * connection i. */
static void ask_whose(struct clients *all, const struct client_door *door,
                      const struct admission_rule *rule, const struct accepted accepted[], size_t n,
                      struct peer rooms[], const struct peer *peers[])
{
    _Static_assert((int)ACCEPTED_MAX <= (int)PEER_MAX_AT_ONCE, "all are asked about at once");
    struct newcomer asked[ACCEPTED_MAX];
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        const struct accepted *a = &accepted[i];
        peers[i] = NULL;
        if (!admission_needs_peer(all, rule, &a->from))
            continue;
        peers[i] = &rooms[count];
        asked[count++] =
            (struct newcomer){a->fd, &a->from, door->own.length > 0 ? &door->own : NULL};
    }
    peer_ask(all->peers, asked, count, rooms);
}

static void take(struct clients *all, const struct client_door *door,
                 const struct admission_rule *rule, const struct accepted *a, const struct peer *p)
{
    struct admission admission;
    struct failure why;

    if (!admission_take(all, rule, &a->from, p, &admission, &why))
        turn_away(all, door, a->fd, &admission.caller, &why);
    else
        (void)client_new(all, door, a->fd, &admission);
}

void arrival_take(struct clients *all, const struct client_door *door,
                  const struct accepted accepted[], size_t n)
{
    const struct admission_rule rule = {
        .places = door->places == NULL ? &all->shared->connections : door->places,
        .uids = door->for_operators ? config_admin_uids(all->config) : &all->config->allow_uid};
    const bool ends = (all->draining && !door->for_operators) || all->ended;
    struct peer rooms[ACCEPTED_MAX];
    const struct peer *peers[ACCEPTED_MAX];

    if (!ends)
        ask_whose(all, door, &rule, accepted, n, rooms, peers);
    for (size_t i = 0; i < n; i++) {
        if (ends)
            (void)close(accepted[i].fd);
        else
            take(all, door, &rule, &accepted[i], peers[i]);
    }
}
