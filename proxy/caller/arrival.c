#include "caller/arrival.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Somebody has looked whether the port is open: nothing to tell, and nothing to log. */
static bool has_gone_silently(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

/* Some are told why before they are closed; when even they become many, the rest just is closed. */
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

void arrival_take(struct clients *all, const struct client_door *door, int fd,
                  const struct address *from)
{
    const struct newcomer n = {fd, from, door->own.length > 0 ? &door->own : NULL};
    const struct admission_rule rule = {
        .places = door->places == NULL ? &all->shared->clients : door->places,
        .uids = door->for_operators ? config_admin_uids(all->config) : &all->config->allow_uid};
    struct admission admission;
    struct failure why;

    if ((all->draining && !door->for_operators) || all->ended)
        (void)close(fd);
    else if (!admission_take(all, &rule, &n, &admission, &why))
        turn_away(all, door, fd, &admission.caller, &why);
    else
        (void)client_new(all, door, fd, &admission);
}
