/* SPDX-License-Identifier: MIT */
#include "host_context.h"

#include "descriptors.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>

/* ---- the working directory --------------------------------------------------------------------
 */

void directory_note(struct directory *dir)
{
	if (!getcwd(dir->path, sizeof(dir->path)) || file_identify(AT_FDCWD, ".", &dir->id) < 0)
		dir->path[0] = '\0';
}

int directory_enter(const struct directory *dir)
{
	int fd AUTO_CLOSE = open(dir->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct file_id found;

	if (fd < 0 || file_identify(fd, "", &found) < 0)
		return -errno;
	if (found.inode != dir->id.inode || found.major != dir->id.major ||
		found.minor != dir->id.minor)
		return -ESTALE;
	return fchdir(fd) < 0 ? -errno : 0;
}

/* ---- the namespaces ---------------------------------------------------------------------------
 */

int host_context_save_ipc(struct host_context *context, struct failure *why)
{
	int *ipc = &context->namespaces.ipc;

	if (*ipc < 0)
		*ipc = high_fd(openat(context->proc_self, "ns/ipc", O_RDONLY | O_CLOEXEC));
	return *ipc < 0 ? fail(why, errno, "open the application's namespaces") : 0;
}

static int open_namespaces(int proc_self, struct host_namespaces *host, struct failure *why)
{
	host->mount = high_fd(openat(proc_self, "ns/mnt", O_RDONLY | O_CLOEXEC));
	if (host->mount >= 0)
		host->pid = high_fd(openat(proc_self, "ns/pid", O_RDONLY | O_CLOEXEC));
	if (host->mount < 0 || host->pid < 0)
		return fail(why, errno, "open the application's namespaces");
	return 0;
}

int host_namespaces_enter(const struct host_namespaces *host, struct failure *why)
{
	int err = 0;

	if (setns(host->pid, CLONE_NEWPID) < 0)
		err = fail(why, errno, "return to the host's PID namespace");
	if (host->ipc >= 0 && setns(host->ipc, CLONE_NEWIPC) < 0)
		err = fail(why, errno, "return to the host's IPC namespace");
	if (setns(host->mount, CLONE_NEWNS) < 0)
		err = fail(why, errno, "return to the host's mount namespace");
	if (err < 0)
		why->return_failed = true;
	return err;
}

void host_namespaces_close(struct host_namespaces *host)
{
	close_high(&host->mount);
	close_high(&host->pid);
	close_high(&host->ipc);
}

bool is_on_host(void)
{
	return faccessat(AT_FDCWD, "/proc/self", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       access("/proc/self/ns/pid", F_OK) == 0;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static int open_proc_self(struct host_context *context, struct failure *why)
{
	struct statfs fs;

	context->proc_self = open(context->of_thread ? "/proc/thread-self" : "/proc/self",
		O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (context->proc_self < 0 && errno == ENOENT)
		return fail(why, errno,
			"/proc does not show the application: it has a session of this module open already, or /proc is not mounted, or not that of its PID namespace");
	if (context->proc_self < 0)
		return fail(why, errno, "open /proc/self");
	if (fstatfs(context->proc_self, &fs) < 0)
		return fail(why, errno, "statfs /proc");
	return fs.f_type == PROC_SUPER_MAGIC ? 0 : fail(why, EINVAL, "/proc is not a procfs");
}

int host_context_save(struct host_context *context, bool ipc, struct failure *why)
{
	int err = open_proc_self(context, why);

	if (err == 0)
		err = open_namespaces(context->proc_self, &context->namespaces, why);
	if (err == 0 && ipc)
		err = host_context_save_ipc(context, why);
	if (err < 0)
		return err;
	context->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (context->root >= 0)
		context->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* EACCES: a file server lets not even root in (NFS, FUSE). The application is there, but
	   cannot come back. */
	if (context->root < 0 || (context->cwd < 0 && errno != EACCES))
		return fail(why, errno, "open the application's directories");
	return 0;
}

void host_context_restore(const struct host_context *context, struct failure *why)
{
	if (!context->unshared || host_namespaces_enter(&context->namespaces, why) < 0)
		return;
	/* setns(2) has changed the root directory to the namespace's, perhaps out of a chroot */
	if (fchdir(context->root) < 0 || chroot(".") < 0) {
		(void)fail(why, errno, "return to the root directory");
		why->return_failed = true;
	} else if (fchdir(context->cwd) < 0) { /* the working directory is the root directory */
		why->cwd_errno = context->cwd < 0 ? EACCES : errno;
	}
}

void host_context_close(struct host_context *context)
{
	close_high(&context->proc_self);
	close_high(&context->cwd);
	close_high(&context->root);
	host_namespaces_close(&context->namespaces);
}
