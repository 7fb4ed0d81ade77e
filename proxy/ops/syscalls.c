#include "ops/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/* By name. Names that this machine or this libseccomp does not know are skipped. */
static const char *const allowed[] = {
    /* reading and writing */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
    "pwritev2", "lseek", "_llseek", "close", "close_range", "dup", "dup2", "dup3", "fcntl",
    "fcntl64", "pipe", "pipe2",
    /* sockets that exist */
    "connect", "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown", "send",
    "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64",
    /* waiting */
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
    "eventfd", "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_settime64",
    "timerfd_gettime", "timerfd_gettime64", "inotify_init", "inotify_init1", "inotify_add_watch",
    "inotify_rm_watch", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "restart_syscall",
    "pause",
    /* files: Landlock decides which */
    "open", "openat", "openat2", "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64",
    "fstatat64", "newfstatat", "statx", "statfs", "statfs64", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getcwd", "getdents", "getdents64", "unlink", "unlinkat", "rmdir",
    "umask",
    /* memory */
    "brk", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock",
    /* threads and signals */
    "futex", "futex_time64", "set_robust_list", "get_robust_list", "rseq", "set_tid_address",
    "membarrier", "sched_yield", "sched_getaffinity", "exit", "exit_group", "rt_sigaction",
    "sigaction", "rt_sigprocmask", "sigprocmask", "rt_sigpending", "rt_sigreturn", "sigreturn",
    "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "sigaltstack",
    /* information */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday",
    "time", "times", "getrandom", "getcpu", "getpid", "gettid", "getppid", "getpgrp", "getuid",
    "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getresuid",
    "getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32", "getrlimit",
    "ugetrlimit", "getrusage", "sysinfo", "uname", "capget"};

/* Additional calls for each kind of process. */
static const char *const more[][5] = {
    [SYSCALLS_OF_SERVING] = {"bind", "listen", "accept", "accept4", NULL},
    [SYSCALLS_OF_FETCHING] = {"rename", "renameat", "renameat2", "fsync", NULL},
};

/* Neither this program nor its libraries call these. */
static const char *const hostile[] = {"execve",
                                      "execveat",
                                      "ptrace",
                                      "process_vm_readv",
                                      "process_vm_writev",
                                      "process_madvise",
                                      "pidfd_getfd",
                                      "kcmp",
                                      "bpf",
                                      "perf_event_open",
                                      "userfaultfd",
                                      "io_uring_setup",
                                      "io_uring_enter",
                                      "io_uring_register",
                                      "kexec_load",
                                      "kexec_file_load",
                                      "init_module",
                                      "finit_module",
                                      "delete_module",
                                      "mount",
                                      "umount",
                                      "umount2",
                                      "pivot_root",
                                      "chroot",
                                      "move_mount",
                                      "open_tree",
                                      "fsopen",
                                      "fsconfig",
                                      "fsmount",
                                      "fspick",
                                      "mount_setattr",
                                      "unshare",
                                      "setns",
                                      "keyctl",
                                      "add_key",
                                      "request_key",
                                      "open_by_handle_at",
                                      "acct",
                                      "swapon",
                                      "swapoff",
                                      "reboot",
                                      "iopl",
                                      "ioperm",
                                      "modify_ldt",
                                      "settimeofday",
                                      "clock_settime",
                                      "clock_settime64",
                                      "sethostname",
                                      "setdomainname",
                                      "quotactl",
                                      "quotactl_fd",
                                      "personality"};

/* For ioctl(2): the amount of data in a socket, and what stdio asks of a terminal. */
static const unsigned long requests[] = {FIONREAD,    FIONBIO, SIOCOUTQ,
                                         SIOCOUTQNSD, TCGETS,  TIOCGWINSZ};

/* Lookups of names use NETLINK_ROUTE; finding out who called uses NETLINK_SOCK_DIAG. */
static const int netlinks[] = {NETLINK_ROUTE, NETLINK_SOCK_DIAG};
static const int families[] = {AF_UNIX, AF_INET, AF_INET6};

static int number_of(const char *name)
{
    return seccomp_syscall_resolve_name(name);
}

static int add(scmp_filter_ctx f, uint32_t action, const char *name,
               const struct scmp_arg_cmp *terms, unsigned count)
{
    int number = number_of(name);
    int result =
        number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(f, action, number, count, terms);

    return result == -EEXIST ? 0 : result;
}

static struct scmp_arg_cmp equal(unsigned arg, uint64_t value)
{
    return (struct scmp_arg_cmp){arg, SCMP_CMP_EQ, value, 0};
}

static struct scmp_arg_cmp masked(unsigned arg, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){arg, SCMP_CMP_MASKED_EQ, mask, value};
}

static int allow_sockets(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp pair = equal(0, AF_UNIX);
    int result = add(f, SCMP_ACT_ALLOW, "socketpair", &pair, 1);

    for (size_t i = 0; result == 0 && i < ARRAY_LEN(families); i++) {
        const struct scmp_arg_cmp family = equal(0, (uint64_t)families[i]);
        result = add(f, SCMP_ACT_ALLOW, "socket", &family, 1);
    }
    for (size_t i = 0; result == 0 && i < ARRAY_LEN(netlinks); i++) {
        const struct scmp_arg_cmp netlink[] = {equal(0, AF_NETLINK),
                                               equal(2, (uint64_t)netlinks[i])};
        result = add(f, SCMP_ACT_ALLOW, "socket", netlink, ARRAY_LEN(netlink));
    }
    return result;
}

static int allow_requests(scmp_filter_ctx f)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < ARRAY_LEN(requests); i++) {
        const struct scmp_arg_cmp request = masked(1, UINT32_MAX, requests[i]);
        result = add(f, SCMP_ACT_ALLOW, "ioctl", &request, 1);
    }
    return result;
}

/* Allows clone() for threads only, without a name space of their own. clone3() is not allowed,
 * because its flags are in memory, which a filter cannot see; the C library uses clone()
 * instead. */
static int allow_threads(scmp_filter_ctx f)
{
    const uint64_t spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                            CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE;
    const unsigned flags = seccomp_arch_native() == SCMP_ARCH_S390X ? 1 : 0;
    const struct scmp_arg_cmp thread = masked(flags, spaces | CLONE_THREAD, CLONE_THREAD);
    const struct scmp_arg_cmp own = equal(0, (uint64_t)getpid());
    int result = add(f, SCMP_ACT_ALLOW, "clone", &thread, 1);

    return result != 0 ? result : add(f, SCMP_ACT_ALLOW, "tgkill", &own, 1); /* for abort(3) */
}

static int allow_memory(scmp_filter_ctx f)
{
    static const char *const names[] = {"mmap", "mmap2", "mprotect"};
    const struct scmp_arg_cmp data = masked(2, PROT_EXEC, 0);
    int result = 0;

    for (size_t i = 0; result == 0 && i < ARRAY_LEN(names); i++)
        result = add(f, SCMP_ACT_ALLOW, names[i], &data, 1);
    return result;
}

/* Allows reading the limits, but not setting them. */
static int allow_limits(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp none = equal(2, 0);

    return add(f, SCMP_ACT_ALLOW, "prlimit64", &none, 1);
}

/* Allows setting mode and group of a Unix socket, which Landlock does not control. Forbids changing
 * an owner, making something executable, and set-user-ID bits. */
static int allow_access(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp mode = masked(1, 07777 & ~0666, 0),
                              mode_at = masked(2, 07777 & ~0666, 0);
    const struct scmp_arg_cmp group[] = {masked(2, UINT32_MAX, UINT32_MAX),
                                         equal(4, AT_EMPTY_PATH)};
    int result = add(f, SCMP_ACT_ALLOW, "chmod", &mode, 1);

    if (result == 0)
        result = add(f, SCMP_ACT_ALLOW, "fchmodat", &mode_at, 1);
    return result != 0 ? result : add(f, SCMP_ACT_ALLOW, "fchownat", group, ARRAY_LEN(group));
}

static int fill(scmp_filter_ctx f, enum syscalls_kind kind)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < ARRAY_LEN(allowed); i++)
        result = add(f, SCMP_ACT_ALLOW, allowed[i], NULL, 0);
    for (size_t i = 0; result == 0 && more[kind][i] != NULL; i++)
        result = add(f, SCMP_ACT_ALLOW, more[kind][i], NULL, 0);
    if (result == 0)
        result = allow_sockets(f);
    if (result == 0)
        result = allow_requests(f);
    if (result == 0)
        result = allow_threads(f);
    if (result == 0)
        result = allow_memory(f);
    if (result == 0)
        result = allow_limits(f);
    if (result == 0)
        result = allow_access(f);
    /* If the kernel cannot kill the process for these, they are refused like the rest. */
    for (size_t i = 0; result == 0 && i < ARRAY_LEN(hostile); i++)
        (void)add(f, SCMP_ACT_KILL_PROCESS, hostile[i], NULL, 0);
    return result;
}

/* These settings may fail. They make a binary tree of the list, avoid slow branches on some
 * processors, report the kernel's own errors, and kill a process that uses another architecture's
 * calls. */
static void tune(scmp_filter_ctx f)
{
    (void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    (void)seccomp_attr_set(f, SCMP_FLTATR_CTL_SSB, 1);
    (void)seccomp_attr_set(f, SCMP_FLTATR_API_SYSRAWRC, 1);
    (void)seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
}

enum status syscalls_restrict(struct diag *why)
{
    return syscalls_restrict_to(SYSCALLS_OF_SERVING, why);
}

enum status syscalls_restrict_to(enum syscalls_kind kind, struct diag *why)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

    if (f == NULL) {
        diag_set(why, "it cannot be set up");
        return ST_SYSTEM;
    }
    tune(f);
    int result = fill(f, kind);
    if (result == 0)
        result = seccomp_load(f);
    if (result != 0)
        diag_set(why, "%s",
                 result == -ENOSYS || result == -EINVAL ? "this kernel has none"
                                                        : strerror(-result));
    seccomp_release(f);
    return result == 0 ? ST_OK : ST_SYSTEM;
}
