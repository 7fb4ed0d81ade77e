#include "cli/prompt.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { MAX_PASSPHRASE = 1024 };

/* A passphrase that was typed. It is kept, because a reload must not ask again. */
struct given {
    struct given *next;
    char *path;
    char *text; /* in OpenSSL's secure heap, if it exists */
};

static struct given *given;
static bool silent;

void prompt_be_silent(void)
{
    silent = true;
}

static const struct given *find(const char *path)
{
    const struct given *g = given;

    while (g != NULL && strcmp(g->path, path) != 0)
        g = g->next;
    return g;
}

static const struct given *remember(const char *path, const char *text, size_t n)
{
    struct given *g = NEW(struct given);

    g->path = mem_copy_string(path);
    g->text = OPENSSL_secure_zalloc(n + 1);
    if (g->text == NULL)
        abort(); /* no memory: see mem.h */
    memcpy(g->text, text, n);
    g->next = given;
    given = g;
    return g;
}

static bool in_foreground(int tty)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 && tcgetpgrp(tty) == getpgrp();
}

/* ---- signals: after an interrupted prompt the terminal has to be as before ---- */

static const int ending[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

struct handlers {
    struct sigaction actions[ARRAY_LEN(ending)];
    sigset_t mask;
};

/* Until release_signals() the signals arrive only while read_byte() waits. */
static void catch_signals(struct handlers *before)
{
    struct sigaction catching = {.sa_handler = on_signal};
    sigset_t caught;

    (void)sigemptyset(&caught);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        (void)sigaddset(&caught, ending[i]);
    (void)pthread_sigmask(SIG_BLOCK, &caught, &before->mask);
    interrupted = 0;
    for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
        (void)sigaction(ending[i], NULL, &before->actions[i]);
        if (before->actions[i].sa_handler != SIG_IGN)
            (void)sigaction(ending[i], &catching, NULL);
    }
}

static void release_signals(const struct handlers *before)
{
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        (void)sigaction(ending[i], &before->actions[i], NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before->mask, NULL);
    if (interrupted != 0)
        (void)raise(interrupted);
}

static bool read_byte(int tty, const struct handlers *before, char *out)
{
    struct pollfd p = {.fd = tty, .events = POLLIN};

    return ppoll(&p, 1, NULL, &before->mask) == 1 && read(tty, out, 1) == 1;
}

static bool read_line(int tty, const struct handlers *before, char *line, size_t size, size_t *n)
{
    bool got = false;

    *n = 0;
    while (*n < size && (got = read_byte(tty, before, line + *n)) && line[*n] != '\n')
        (*n)++;
    return got;
}

static bool ask(int tty, const char *path, char *line, size_t size, size_t *n)
{
    struct handlers before;
    struct termios old, quiet;

    if (tcgetattr(tty, &old) != 0)
        return false;
    char *visible = utf8_escape(path);
    catch_signals(&before);
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(tty, TCSAFLUSH, &quiet);
    (void)dprintf(tty, "Passphrase for %s: ", visible);
    bool done = read_line(tty, &before, line, size, n);
    (void)tcsetattr(tty, TCSAFLUSH, &old);
    (void)dprintf(tty, "\n");
    free(visible);
    release_signals(&before);
    return done;
}

void prompt_ask(void *ctx, const char *path, struct buf *out)
{
    const struct given *g = find(path);
    char line[MAX_PASSPHRASE];
    size_t n = 0;

    (void)ctx;
    if (g == NULL && !silent) {
        int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (tty >= 0 && in_foreground(tty) && ask(tty, path, line, sizeof(line), &n))
            g = remember(path, line, n);
        OPENSSL_cleanse(line, sizeof(line));
        if (tty >= 0)
            (void)close(tty);
    }
    if (g != NULL) {
        buf_reserve(out, strlen(g->text) + 1);
        buf_add_string(out, g->text);
    }
}
