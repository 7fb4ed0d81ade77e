/* What the kernel lets through: each in a process of its own, for there is no way back. */
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "ops/harden.h"
#include "ops/landlock.h"
#include "ops/syscalls.h"
#include "test.h"

/* Runs f in a child; what it returned, or minus the signal that ended it. */
static int outcome(int (*f)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(f());
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

enum { UNEXPECTED = 200 };

/* ---- system calls ---- */

static bool filtered(void)
{
    struct diag why;

    return syscalls_restrict(&why) == ST_OK;
}

/* 0, or the error number. */
static int error_of(long result)
{
    return result < 0 ? errno : 0;
}

#define CALL(name, expression)                                                                     \
    static int name(void)                                                                          \
    {                                                                                              \
        return filtered() ? error_of((long)(expression)) : UNEXPECTED;                             \
    }

CALL(socket_ipv4, socket(AF_INET, SOCK_STREAM, 0))
CALL(socket_ipv6, socket(AF_INET6, SOCK_STREAM, 0))
CALL(socket_unix, socket(AF_UNIX, SOCK_DGRAM, 0))
CALL(socket_routes, socket(AF_NETLINK, SOCK_RAW, 0))
CALL(socket_peers, socket(AF_NETLINK, SOCK_DGRAM, 4))
CALL(socket_audit, socket(AF_NETLINK, SOCK_RAW, 9))
CALL(socket_packet, socket(AF_PACKET, SOCK_RAW, ETH_P_ALL))
CALL(socket_vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
CALL(terminal_input, ioctl(0, TIOCSTI, "x"))
CALL(fork_, fork())
CALL(new_user_space, syscall(SYS_clone, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | CLONE_NEWUSER, 0))
CALL(kill_, kill(getppid(), 0))
CALL(kill_a_thread, syscall(SYS_tgkill, getppid(), getppid(), 0))
CALL(set_limit, setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}))
CALL(get_limit, getrlimit(RLIMIT_CORE, &(struct rlimit){0}))
CALL(set_user, syscall(SYS_setuid, 65534))
CALL(make_folder, mkdir("/tmp/never-made", 0700))
CALL(program, execl("/bin/true", "true", NULL))
CALL(trace, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
CALL(name_space, unshare(CLONE_NEWUSER))
CALL(mount_point, syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL))

static int map(int protection)
{
    void *p = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? errno : 0;
}

static int executable_memory(void)
{
    return filtered() ? map(PROT_READ | PROT_EXEC) : UNEXPECTED;
}

static int data_memory(void)
{
    return filtered() ? map(PROT_READ | PROT_WRITE) : UNEXPECTED;
}

static int memory_made_executable(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return filtered() ? error_of(mprotect(p, 4096, PROT_READ | PROT_EXEC)) : UNEXPECTED;
}

static const struct {
    const char *name;
    int (*run)(void);
    int want;
} calls[] = {
    {"a socket of IPv4", socket_ipv4, 0},
    {"a socket of IPv6", socket_ipv6, 0},
    {"a Unix socket", socket_unix, 0},
    {"netlink, routes", socket_routes, 0},
    {"netlink, sockets", socket_peers, 0},
    {"netlink, audit", socket_audit, ENOSYS},
    {"a packet socket", socket_packet, ENOSYS},
    {"a socket to the host", socket_vsock, ENOSYS},
    {"typing into the terminal", terminal_input, ENOSYS},
    {"a process", fork_, ENOSYS},
    {"a name space beside a thread", new_user_space, ENOSYS},
    {"a signal to another process", kill_, ENOSYS},
    {"a signal to another process's thread", kill_a_thread, ENOSYS},
    {"a limit set", set_limit, ENOSYS},
    {"a limit read", get_limit, 0},
    {"another user", set_user, ENOSYS},
    {"a folder", make_folder, ENOSYS},
    {"memory for code", executable_memory, ENOSYS},
    {"memory for data", data_memory, 0},
    {"data that becomes code", memory_made_executable, ENOSYS},
    {"a program", program, -SIGSYS},
    {"a debugger", trace, -SIGSYS},
    {"a name space", name_space, -SIGSYS},
    {"a mount", mount_point, -SIGSYS},
};

TEST(system_calls_are_let_through_refused_or_deadly)
{
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        CHECK_INT(outcome(calls[i].run), calls[i].want, calls[i].name);
}

#ifndef __SANITIZE_THREAD__ /* it cannot start a thread in a child */
static void *do_nothing(void *arg)
{
    return arg;
}

static int thread(void)
{
    pthread_t id;

    return filtered() ? pthread_create(&id, NULL, do_nothing, NULL) : UNEXPECTED;
}

static void *start_program(void *arg)
{
    (void)execl("/bin/true", "true", NULL);
    return arg;
}

static int thread_runs(void *(*run)(void *arg))
{
    pthread_t id;

    if (!filtered() || pthread_create(&id, NULL, run, NULL) != 0)
        return UNEXPECTED;
    return pthread_join(id, NULL);
}

static int thread_is_filtered(void)
{
    return thread_runs(start_program);
}

TEST(threads_start_and_are_filtered_too)
{
    CHECK_INT(outcome(thread), 0, "a thread");
    CHECK_INT(outcome(thread_is_filtered), -SIGSYS, "a program from a thread");
}

#ifdef __x86_64__
/* getpid(), if it were one of x86-64. A kernel that does not know i386 sends another signal. */
static void *call_as_i386(void *arg)
{
    long result = SYS_getpid;

    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    return arg;
}

static int other_architecture(void)
{
    return thread_runs(call_as_i386);
}

TEST(calls_of_another_architecture_end_the_process)
{
    int ended = outcome(other_architecture);

    CHECK_MSG(ended == -SIGSYS || ended == -SIGSEGV, "%d", ended);
}
#endif
#endif

static int end_by_abort(void)
{
    if (filtered())
        abort();
    return UNEXPECTED;
}

TEST(a_failed_assertion_ends_the_process_as_ever)
{
#ifdef __SANITIZE_ADDRESS__
    return; /* ASan's own handler would report it */
#endif
    CHECK_INT(outcome(end_by_abort), -SIGABRT, "abort");
}

/* ---- files ---- */

static const char *folder;

/* Good until some more have been asked for. */
static char *at(const char *name)
{
    static char rooms[8][256];
    static size_t next;
    char *room = rooms[next++ % ARRAY_LEN(rooms)];

    (void)snprintf(room, sizeof(rooms[0]), "%s/%s", folder, name);
    return room;
}

static void make_files(void)
{
    static const char *const folders[] = {"in", "in/below", "out", "log", "sockets", "rm", "list"};
    static const char *const files[] = {"in/a",      "in/below/b", "out/c", "log/l",
                                        "sockets/f", "rm/f",       "list/f"};

    folder = test_folder();
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        CHECK(mkdir(at(folders[i]), 0700) == 0);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        CHECK(close(open(at(files[i]), O_WRONLY | O_CREAT, 0600)) == 0);
    CHECK(symlink("../out/c", at("in/link")) == 0 && symlink("../in/a", at("out/link")) == 0);
}

static void remove_files(void)
{
    char *command[] = {"rm", "-rf", NULL, NULL};
    static const char *const all[] = {"in", "out", "log", "sockets", "rm", "list"};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        pid_t child = fork();
        command[2] = at(all[i]);
        if (child == 0)
            _exit(execvp(command[0], command));
        CHECK(waitpid(child, NULL, 0) == child);
    }
}

static struct landlock *rules(void)
{
    struct diag why;
    struct landlock *l = landlock_new(&why);

    if (l == NULL)
        _exit(UNEXPECTED);
    landlock_allow(l, at("in"), LANDLOCK_READ);
    landlock_allow(l, at("log"), LANDLOCK_APPEND);
    landlock_allow(l, at("sockets"), LANDLOCK_SOCKETS);
    landlock_allow(l, at("missing"), LANDLOCK_READ);
    landlock_allow(l, at("rm"), LANDLOCK_REMOVE);
    landlock_allow(l, at("list"), LANDLOCK_LIST);
    landlock_allow(l, folder, LANDLOCK_REMOVE_FOLDER);
    if (landlock_enter(l, &why) != ST_OK)
        _exit(UNEXPECTED);
    return l;
}

/* Sanitizers have to look into the process as a debugger does. */
static int harden(void)
{
#ifdef __SANITIZE_ADDRESS__
    const int want = 1;
#else
    const int want = 0;
#endif
    struct rlimit core;

    harden_process();
    if (prctl(PR_GET_DUMPABLE) != want || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 1;
    return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 ? 0 : 2;
}

TEST(a_process_is_hardened_at_its_start)
{
    CHECK_INT(outcome(harden), 0, "step");
}

static const struct {
    const char *path;
    int flags, want;
} openings[] = {
    {"in/a", O_RDONLY, 0},
    {"in/below/b", O_RDONLY, 0},
    {"out/link", O_RDONLY, 0},
    {"in/link", O_RDONLY, EACCES},
    {"out/c", O_RDONLY, EACCES},
    {"in/a", O_WRONLY, EACCES},
    {"in/new", O_WRONLY | O_CREAT, EACCES},
    {"in", O_RDONLY | O_DIRECTORY, EACCES},
    {"list", O_RDONLY | O_DIRECTORY, 0},
    {"list/f", O_RDONLY, EACCES},
    {"log/l", O_WRONLY | O_APPEND | O_CREAT, 0},
    {"log/new", O_WRONLY | O_APPEND | O_CREAT, 0},
    {"log/l", O_RDONLY, EACCES},
    {"sockets/new", O_WRONLY | O_CREAT, EACCES},
    {"/etc/passwd", O_RDONLY, EACCES},
};

static size_t opening;

static int open_one(void)
{
    const char *path = openings[opening].path;

    landlock_free(rules());
    return error_of(open(*path == '/' ? path : at(path), openings[opening].flags, 0600));
}

TEST(files_are_reached_where_the_rules_say)
{
    make_files();
    for (opening = 0; opening < ARRAY_LEN(openings); opening++)
        CHECK_INT(outcome(open_one), openings[opening].want, openings[opening].path);
    remove_files();
}

static int change_folders(void)
{
    landlock_free(rules());
    if (mknod(at("sockets/s"), S_IFSOCK | 0600, 0) != 0 || unlink(at("sockets/s")) != 0)
        return 1;
    if (mknod(at("in/s"), S_IFSOCK | 0600, 0) == 0 || unlink(at("in/a")) == 0)
        return 2;
    if (rename(at("in/a"), at("log/a")) == 0 || truncate(at("log/l"), 0) == 0)
        return 3;
    if (rmdir(at("rm")) == 0 || unlink(at("rm/f")) != 0 || rmdir(at("rm")) != 0)
        return 4;
    return 0;
}

TEST(folders_are_changed_where_the_rules_say)
{
    make_files();
    CHECK_INT(outcome(change_folders), 0, "step");
    remove_files();
}

static const struct {
    const char *path;
    unsigned access;
    bool want;
} questions[] = {
    {"in/a", LANDLOCK_READ, true},           {"in/later", LANDLOCK_READ, true},
    {"in/below/later", LANDLOCK_READ, true}, {"out/link", LANDLOCK_READ, true},
    {"in/link", LANDLOCK_READ, false},       {"out/later", LANDLOCK_READ, false},
    {"in/a", LANDLOCK_APPEND, false},        {"sockets/s", LANDLOCK_SOCKETS, true},
    {"in/s", LANDLOCK_SOCKETS, false},       {"none/at/all", LANDLOCK_READ, true},
    {"/etc/passwd", LANDLOCK_READ, false},
};

static int ask_all(void)
{
    const struct landlock *l = rules();

    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        const char *path = questions[i].path;
        if (landlock_allows(l, *path == '/' ? path : at(path), questions[i].access) !=
            questions[i].want)
            return (int)i + 1;
    }
    return 0;
}

TEST(the_rules_are_known_afterwards)
{
    make_files();
    CHECK_INT(outcome(ask_all), 0, "question");
    remove_files();
}
