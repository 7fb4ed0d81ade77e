#include "tls/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum { MAX_SESSIONS = 8 };

struct tls_sessions {
    int count; /* of kept, whose oldest session is the first */
    struct {
        SSL_SESSION *session;
        bool requested;
    } kept[MAX_SESSIONS];
};

struct tls_sessions *tls_sessions_new(void)
{
    return NEW(struct tls_sessions);
}

void tls_sessions_free(struct tls_sessions *s)
{
    for (int i = 0; i < s->count; i++)
        SSL_SESSION_free(s->kept[i].session);
    free(s);
}

static void remove_at(struct tls_sessions *s, int i)
{
    s->count--;
    memmove(&s->kept[i], &s->kept[i + 1], (size_t)(s->count - i) * sizeof(s->kept[0]));
}

bool tls_sessions_put(struct tls_sessions *s, SSL_SESSION *session, bool requested)
{
    if (!SSL_SESSION_is_resumable(session))
        return false;
    if (s->count == MAX_SESSIONS) {
        SSL_SESSION_free(s->kept[0].session);
        remove_at(s, 0);
    }
    s->kept[s->count].session = session;
    s->kept[s->count++].requested = requested;
    return true;
}

static time_t made_at(const SSL_SESSION *session)
{
#ifdef HAVE_SSL_SESSION_GET_TIME_EX
    return SSL_SESSION_get_time_ex(session);
#else
    return SSL_SESSION_get_time(session);
#endif
}

static bool is_usable(const SSL_SESSION *session)
{
    time_t age = time(NULL) - made_at(session);

    return age >= 0 && age < SSL_SESSION_get_timeout(session) && SSL_SESSION_is_resumable(session);
}

SSL_SESSION *tls_sessions_take(struct tls_sessions *s, bool *requested)
{
    while (s->count > 0) {
        int newest = s->count - 1;
        SSL_SESSION *session = s->kept[newest].session;
        *requested = s->kept[newest].requested;
        if (!is_usable(session)) {
            SSL_SESSION_free(session);
            remove_at(s, newest);
        } else if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION && s->count > 1) {
            remove_at(s, newest);
            return session;
        } else {
            (void)SSL_SESSION_up_ref(session);
            return session;
        }
    }
    return NULL;
}
