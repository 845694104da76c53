/* What a program does to the files below a folder, written to a log, or refused: preloaded by tests/prove/disk.py.

   The log has one record for each call that changed something, in the order in which they took effect: a lock is held
   over the call and its record. A record is six numbers (kind, inode, offset, length, and the lengths of two names),
   the names, and for a write its bytes. `disk_mark` adds a note of the program itself. `disk_fail` lets calls fail.
   What is mapped into memory isn't seen; with SQLite that is only the index of its log, which it makes anew. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 65536

struct record { uint64_t kind, inode, offset, length, name, other; };

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char *names[MOST];
static const char *root;
static int out = -1;
static int left = -1, failing, refused;
static char kinds[8];

static void start(void) {
    static int started;
    if (started) return;
    started = 1;
    root = getenv("AJAR_DISK_ROOT");
    const char *log = getenv("AJAR_DISK_LOG");
    if (log) {
        int found = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        out = syscall(SYS_fcntl, found, F_DUPFD_CLOEXEC, 900);
        syscall(SYS_close, found);
    }
}

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }
#define CALL(type, name, ...) ((type)real(#name))(__VA_ARGS__)

static const char *below(int folder, const char *path, char *place) {
    char whole[PATH_MAX];
    start();
    if (!root || !path) return NULL;
    if (path[0] == '/') snprintf(whole, sizeof whole, "%s", path);
    else if (folder >= 0 && folder < MOST && names[folder]) snprintf(whole, sizeof whole, "%s/%s", names[folder], path);
    else if (folder == AT_FDCWD) {
        char here[PATH_MAX];
        if (syscall(SYS_getcwd, here, sizeof here) < 0) return NULL;
        snprintf(whole, sizeof whole, "%s/%s", here, path);
    } else return NULL;
    size_t length = strlen(root);
    if (strncmp(whole, root, length) || (whole[length] != '/' && whole[length])) return NULL;
    strcpy(place, whole);
    return place;
}

static void note(char kind, uint64_t inode, uint64_t offset, uint64_t length, const char *name, const char *other,
                 const void *data) {
    if (out < 0) return;
    struct record head = {kind, inode, offset, length, name ? strlen(name) : 0, other ? strlen(other) : 0};
    struct iovec parts[4] = {{&head, sizeof head}, {(void *)name, head.name}, {(void *)other, head.other},
                             {(void *)data, data ? length : 0}};
    size_t all = sizeof head + head.name + head.other + parts[3].iov_len;
    if ((size_t)syscall(SYS_writev, out, parts, 4) != all) abort();
}

void disk_mark(const char *text) {
    start();
    pthread_mutex_lock(&lock);
    note('A', 0, 0, 0, text, NULL, NULL);
    pthread_mutex_unlock(&lock);
}

/* Let calls of these kinds (W writes, S syncs, T cuts, O makes a file) fail from the one with this number on, until
   this is called again. */
void disk_fail(const char *which, int after, int code) {
    start();
    pthread_mutex_lock(&lock);
    snprintf(kinds, sizeof kinds, "%s", which);
    left = after;
    failing = code;
    refused = 0;
    pthread_mutex_unlock(&lock);
}

int disk_refused(void) { return refused; }

static int fails(char kind) {
    if (!strchr(kinds, kind)) return 0;
    if (left > 0) { left--; return 0; }
    refused++;
    errno = failing;
    return 1;
}

static uint64_t inode(int fd) {
    struct stat about;
    return fstat(fd, &about) ? 0 : about.st_ino;
}

static int tracked(int fd) { return fd >= 0 && fd < MOST && names[fd]; }

static int opened(int folder, const char *path, int flags, mode_t mode, const char *name) {
    char place[PATH_MAX];
    const char *ours = below(folder, path, place);
    if (!ours) return CALL(int (*)(int, const char *, int, mode_t), openat64, folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat about;
    int is_new = (flags & O_CREAT) && fstatat(AT_FDCWD, ours, &about, AT_SYMLINK_NOFOLLOW);
    int cut = !is_new && (flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY;
    int fd = is_new && fails('O') ? -1 : CALL(int (*)(int, const char *, int, mode_t), openat64, folder, path, flags, mode);
    if (fd >= 0 && fd < MOST) {
        free(names[fd]);
        names[fd] = strdup(ours);
        if (is_new) note('O', inode(fd), 0, 0, ours, NULL, NULL);
        if (cut) note('T', inode(fd), 0, 0, NULL, NULL, NULL);
    }
    int code = errno;
    pthread_mutex_unlock(&lock);
    errno = code;
    return fd;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, int); va_end(more); }
int open(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode, "open"); }
int open64(const char *path, int flags, ...) { MODE return opened(AT_FDCWD, path, flags, mode, "open"); }
int openat(int folder, const char *path, int flags, ...) { MODE return opened(folder, path, flags, mode, "openat"); }
int openat64(int folder, const char *path, int flags, ...) { MODE return opened(folder, path, flags, mode, "openat"); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, "creat"); }

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (tracked(fd)) { free(names[fd]); names[fd] = NULL; }
    pthread_mutex_unlock(&lock);
    return CALL(int (*)(int), close, fd);
}

#define TRACKED(result, kind, doing, noting)          \
    if (!tracked(fd)) return doing;                   \
    pthread_mutex_lock(&lock);                        \
    result got = fails(kind) ? -1 : doing;            \
    int code = errno;                                 \
    if (got >= 0) noting;                             \
    pthread_mutex_unlock(&lock);                      \
    errno = code;                                     \
    return got;

ssize_t write(int fd, const void *data, size_t size) {
    TRACKED(ssize_t, 'W', CALL(ssize_t (*)(int, const void *, size_t), write, fd, data, size),
            note('W', inode(fd), lseek(fd, 0, SEEK_CUR) - got, got, NULL, NULL, data))
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    TRACKED(ssize_t, 'W', CALL(ssize_t (*)(int, const void *, size_t, off64_t), pwrite64, fd, data, size, at),
            note('W', inode(fd), at, got, NULL, NULL, data))
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }
int ftruncate64(int fd, off64_t size) {
    TRACKED(int, 'T', CALL(int (*)(int, off64_t), ftruncate64, fd, size), note('T', inode(fd), 0, size, NULL, NULL, NULL))
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int fsync(int fd) { TRACKED(int, 'S', CALL(int (*)(int), fsync, fd), note('S', inode(fd), 0, 0, names[fd], NULL, NULL)) }
int fdatasync(int fd) {
    TRACKED(int, 'S', CALL(int (*)(int), fdatasync, fd), note('S', inode(fd), 0, 0, names[fd], NULL, NULL))
}

static int changed(char kind, int from, const char *old, int to, const char *new, int (*doing)(int, const char *, int, const char *, int),
                   int flags) {
    char first[PATH_MAX], second[PATH_MAX];
    const char *a = below(from, old, first), *b = new ? below(to, new, second) : NULL;
    if (!a && !b) return doing(from, old, to, new, flags);
    pthread_mutex_lock(&lock);
    int got = doing(from, old, to, new, flags), code = errno;
    if (!got) {
        struct stat about = {0};
        fstatat(AT_FDCWD, b ? b : a, &about, AT_SYMLINK_NOFOLLOW);
        note(kind, about.st_ino, 0, 0, a, b, NULL);
    }
    pthread_mutex_unlock(&lock);
    errno = code;
    return got;
}
static int do_rename(int from, const char *old, int to, const char *new, int flags) {
    (void)flags;
    return CALL(int (*)(int, const char *, int, const char *), renameat, from, old, to, new);
}
static int do_link(int from, const char *old, int to, const char *new, int flags) {
    return CALL(int (*)(int, const char *, int, const char *, int), linkat, from, old, to, new, flags);
}
static int do_unlink(int from, const char *old, int to, const char *new, int flags) {
    (void)to; (void)new;
    return CALL(int (*)(int, const char *, int), unlinkat, from, old, flags);
}
static int do_mkdir(int from, const char *old, int to, const char *new, int flags) {
    (void)to; (void)new;
    return CALL(int (*)(int, const char *, mode_t), mkdirat, from, old, flags);
}
int rename(const char *old, const char *new) { return changed('R', AT_FDCWD, old, AT_FDCWD, new, do_rename, 0); }
int renameat(int from, const char *old, int to, const char *new) { return changed('R', from, old, to, new, do_rename, 0); }
int link(const char *old, const char *new) { return changed('L', AT_FDCWD, old, AT_FDCWD, new, do_link, 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) { return changed('L', from, old, to, new, do_link, flags); }
int unlink(const char *path) { return changed('U', AT_FDCWD, path, 0, NULL, do_unlink, 0); }
int unlinkat(int folder, const char *path, int flags) { return changed('U', folder, path, 0, NULL, do_unlink, flags); }
int rmdir(const char *path) { return changed('U', AT_FDCWD, path, 0, NULL, do_unlink, AT_REMOVEDIR); }
int mkdir(const char *path, mode_t mode) { return changed('M', AT_FDCWD, path, 0, NULL, do_mkdir, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return changed('M', folder, path, 0, NULL, do_mkdir, mode); }

/* These would write past us; whoever calls them writes in another way then. */
ssize_t sendfile64(int to, int from, off64_t *at, size_t size) {
    if (tracked(to)) { errno = ENOTSOCK; return -1; }
    return CALL(ssize_t (*)(int, int, off64_t *, size_t), sendfile64, to, from, at, size);
}
ssize_t sendfile(int to, int from, off_t *at, size_t size) { return sendfile64(to, from, at, size); }
ssize_t copy_file_range(int from, off64_t *here, int to, off64_t *there, size_t size, unsigned flags) {
    if (tracked(to)) { errno = EOPNOTSUPP; return -1; }
    return CALL(ssize_t (*)(int, off64_t *, int, off64_t *, size_t, unsigned), copy_file_range, from, here, to, there, size, flags);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (tracked(fd)) abort(); /* nothing we record does */
    return CALL(ssize_t (*)(int, const struct iovec *, int), writev, fd, parts, count);
}
int fallocate64(int fd, int mode, off64_t at, off64_t size) {
    if (tracked(fd)) { errno = EOPNOTSUPP; return -1; }
    return CALL(int (*)(int, int, off64_t, off64_t), fallocate64, fd, mode, at, size);
}
int fallocate(int fd, int mode, off_t at, off_t size) { return fallocate64(fd, mode, at, size); }
