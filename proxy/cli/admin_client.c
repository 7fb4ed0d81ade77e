#include "cli/admin_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/config_file.h"
#include "tls/secret.h"

enum { PATIENCE_S = 5, ANSWER_MAX = 16 * 1024 * 1024 };

/* ---- where to ask ---- */

static enum status find_address(const struct config *c, struct admin_place *out, struct diag *why)
{
    char text[ADDRESS_TEXT_SIZE];

    if (c->nadmins == 0) {
        diag_at(why, c->file != NULL ? c->file : "the environment",
                "the configuration has no `admin`, by which the running sfmtls could be asked; %s",
                c->file == NULL ? "set SFMTLS_ADMIN=localhost:8081"
                                : "add admin = localhost:8081 to [proxy] and restart sfmtls");
        return ST_BAD_INPUT;
    }
    address_text(&c->admins[0].address, text);
    if (!address_is_unix(&c->admins[0].address) && address_port(&c->admins[0].address) == 0) {
        diag_at(why, c->admins[0].where, "admin = %s leaves the port open; write a number", text);
        return ST_BAD_INPUT;
    }
    out->naddresses = c->nadmins;
    for (size_t i = 0; i < c->nadmins; i++)
        out->addresses[i] = c->admins[i].address;
    out->name = mem_copy_string(text);
    return ST_OK;
}

static enum status find_token(const struct config *c, struct admin_place *out, struct diag *why)
{
    const char *path = c->admin_token_file != NULL ? c->admin_token_file : c->token_file;
    struct tokens *tokens;

    if (path == NULL)
        return ST_OK;
    enum status st = tokens_load(path, &tokens, why);
    if (st != ST_OK)
        return st;
    struct slice first = tokens_first(tokens);
    out->token = mem_copy_bytes(first.p, first.n);
    tokens_free(tokens);
    return ST_OK;
}

/* Takes ownership of c. */
static enum status find_place(struct config *c, struct admin_place *out, struct diag *why)
{
    *out = (struct admin_place){0};
    enum status st = find_address(c, out, why);

    if (st == ST_OK)
        st = find_token(c, out, why);
    config_unref(c);
    if (st != ST_OK)
        admin_place_free(out);
    return st;
}

enum status admin_place_find(const struct config_choice *choice, struct admin_place *out,
                             struct diag *why)
{
    struct config *c;
    struct diag flaw, other;

    if (config_file_load_names(choice, &c, &flaw) == ST_OK)
        return find_place(c, out, why);
    enum status st = config_file_load_admin(choice, &c, why);
    if (st == ST_OK && (st = find_place(c, out, &other)) != ST_OK)
        diag_set(why, "%s; or name the running sfmtls with --set admin=ADDRESS", flaw.text);
    if (st == ST_OK)
        out->flaw = mem_copy_string(flaw.text);
    return st;
}

void admin_place_free(struct admin_place *p)
{
    if (p->token != NULL)
        secret_wipe(p->token, strlen(p->token));
    free(p->token);
    free(p->name);
    free(p->flaw);
}

/* ---- one request ---- */

static bool connect_to(const struct address *a, int *fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int s = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (s < 0)
        return false;
    (void)setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(s, &a->any, a->length) == 0) {
        *fd = s;
        return true;
    }
    int error = errno;
    (void)close(s);
    errno = error;
    return false;
}

static bool connect_to_any(const struct admin_place *p, int *fd)
{
    for (size_t i = 0; i < p->naddresses; i++)
        if (connect_to(&p->addresses[i], fd))
            return true;
    return false;
}

static bool send_all(int fd, struct slice bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = (struct slice){bytes.p + n, bytes.n - (size_t)n};
    }
    return true;
}

static bool receive_all(int fd, struct buf *out)
{
    char room[16384];

    for (;;) {
        ssize_t n = recv(fd, room, sizeof(room), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        if (out->n + (size_t)n > ANSWER_MAX) {
            errno = EFBIG;
            return false;
        }
        buf_add(out, room, (size_t)n);
    }
}

static void write_request(struct buf *out, const char *method, const char *path, const char *token)
{
    buf_addf(out, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method, path);
    if (token != NULL)
        buf_addf(out, "Authorization: Bearer %s\r\n", token);
    buf_add_string(out, "\r\n");
}

/* The admin listener's answers have a Content-Length and end with the connection. */
static bool read_answer(struct slice all, struct admin_answer *out)
{
    static const char version[] = "HTTP/1.1 ";
    const char *end = all.n == 0 ? NULL : memmem(all.p, all.n, "\r\n\r\n", 4);
    const size_t n = sizeof(version) - 1;
    uint64_t status;

    if (end == NULL || all.n < n + 3 || memcmp(all.p, version, n) != 0 ||
        !slice_to_u64((struct slice){all.p + n, 3}, 999, &status))
        return false;
    out->status = (int)status;
    end += 4;
    buf_add(&out->body, end, (size_t)(all.p + all.n - end));
    buf_add(&out->body, "", 1);
    out->body.n--;
    return true;
}

static void explain(const struct admin_place *p, int error, struct diag *why)
{
    bool slow = error == EAGAIN || error == EINPROGRESS;

    diag_set(why,
             "no answer from %s (%s); is sfmtls running, and was it started with this `admin`?",
             p->name, slow ? "it takes too long" : strerror(error));
}

enum status admin_ask(const struct admin_place *p, const char *method, const char *path,
                      struct admin_answer *out, struct diag *why)
{
    struct buf request = {0}, all = {0};
    int fd;

    *out = (struct admin_answer){0};
    if (!connect_to_any(p, &fd)) {
        explain(p, errno, why);
        return ST_SYSTEM;
    }
    write_request(&request, method, path, p->token);
    bool done = send_all(fd, buf_slice(&request)) && receive_all(fd, &all);
    int error = errno;
    (void)close(fd);
    if (!done)
        explain(p, error, why);
    else if (!read_answer(buf_slice(&all), out))
        diag_set(why, "%s gave no answer of sfmtls; see that `admin` is its address", p->name);
    done = done && out->status != 0;
    secret_wipe(request.p, request.n);
    buf_free(&request);
    buf_free(&all);
    return done ? ST_OK : ST_SYSTEM;
}
