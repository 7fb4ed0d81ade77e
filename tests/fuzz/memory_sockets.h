/*
 * memory_sockets: sockets, poller and clock of a whole process, in memory. The program above them
 * is the real one, down to its calls of the system and of libevent, for which the linker puts those
 * here (see tests/CMakeLists.txt). Only TLS is replaced: stream_new_tls() makes a stream whose
 * handshake is one byte, SOCKET_HELLO, and whose close_notify and alerts are flags.
 *
 * A socket's other side is the test: it decides what arrives, in what portions, how much may be
 * written, and how it ends. Nothing happens by itself, and time passes only when it is told to.
 */
#ifndef FUZZ_MEMORY_SOCKETS_H
#define FUZZ_MEMORY_SOCKETS_H

#include "base/buf.h"

enum { SOCKETS_MAX = 48, SOCKET_HELLO = 0x16 };

enum socket_state {
    SOCKET_FREE,
    SOCKET_CONNECTING,
    SOCKET_OPEN,
    SOCKET_CLOSED, /* by the program */
};

struct memory_socket {
    enum socket_state state;
    int port;  /* that was dialled; 0: a caller's */
    int error; /* what becomes of connecting */

    /* to the program */
    struct buf in;
    size_t in_used;
    size_t portion;   /* the most that one recv() gets, or a 64th of all; 0: no limit */
    bool in_ended;    /* FIN behind it */
    bool said_notify; /* close_notify before FIN */
    bool said_alert;  /* the alert that refuses a certificate, instead */
    bool reset;       /* in both directions */
    bool gone;        /* nobody reads any more: what is written next is answered with a reset */
    bool vanished;    /* nothing comes or arrives any more, not even a reset */
    int64_t vanished_us;
    bool sent_since; /* something was */

    /* from the program */
    struct buf out;
    size_t out_taken; /* so much of it was read */
    size_t room;      /* so much of it may wait to be read */
    bool out_ended;   /* FIN */
    bool got_notify;
    bool lingers_not; /* closing resets */
};

/* Forgets all sockets, which are closed, and events; time begins anew. */
void sockets_begin(void);

/* A connection that a caller made; -1: there are too many. */
int sockets_accept(void);

/* By number: 0 up to sockets_count(). */
struct memory_socket *sockets_at(size_t i);
size_t sockets_count(void);
struct memory_socket *sockets_of(int fd);

/* Its other side is gone without a word. */
void sockets_vanish(struct memory_socket *s);

/* Is there an event to run now? */
bool sockets_are_ready(void);

/* Which of several events of one turn comes first. */
void sockets_reverse(bool newest_first);

void sockets_pass(int64_t ms);

#endif
