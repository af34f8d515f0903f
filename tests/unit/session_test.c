/* SPDX-License-Identifier: MIT */
/*
 * The PAM entry points: when a session is made and ended, what is returned and logged. Linked with
 * pam_unshare.o and options.o; the namespaces, the terminal, the configuration file and PAM itself
 * are played here.
 */
#include "common/privacy.h"
#include "module/at_fork.h"
#include "module/conf.h"
#include "module/init_start.h"
#include "module/namespaces.h"
#include "module/terminal.h"
#include "recorded_log.h"
#include "unit.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#define INODE 4026531999ULL
#define INIT_PID 4711

/* ---- what has happened ------------------------------------------------------------------------
 */

/* The calls that were made, in their order, as "reap create …". */
static char trace[512];

static void note(const char *call)
{
	size_t used = strlen(trace);

	if (used + strlen(call) + 2 > sizeof(trace))
		abort();
	(void)snprintf(trace + used, sizeof(trace) - used, "%s%s", used ? " " : "", call);
}

/* Compare with what was done since the last time. */
static void check_trace(const char *expected)
{
	char done[sizeof(trace)];

	memcpy(done, trace, sizeof(trace));
	trace[0] = '\0';
	assert_string_equal(done, expected);
}

/* ---- PAM --------------------------------------------------------------------------------------
 */

static int handle;
#define PAMH ((pam_handle_t *)(void *)&handle)

static struct {
	const char *user, *service;
	const char *answer;  /* to who it is, if that is not said; NULL: none */
	bool not_yet, asked; /* the answer is still to come; it was asked for */
	int result;	     /* of pam_set_data(3) */
	bool getting_changes_errno;
	void *data;
	void (*cleanup)(pam_handle_t *pamh, void *data, int error_status);
} pam;

int pam_get_item(const pam_handle_t *pamh, int item_type, const void **item)
{
	assert_ptr_equal(pamh, PAMH);
	if (pam.getting_changes_errno)
		errno = EXDEV;
	if (item_type == PAM_USER)
		*item = pam.user;
	else if (item_type == PAM_SERVICE)
		*item = pam.service;
	else
		return PAM_BAD_ITEM;
	return PAM_SUCCESS;
}

int pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	assert_ptr_equal(pamh, PAMH);
	assert_null(prompt); /* the application's, or the standard one */
	*user = NULL;
	pam.asked = true;
	if (!pam.user && pam.not_yet)
		return PAM_CONV_AGAIN;
	if (!pam.user && !pam.answer)
		return PAM_CONV_ERR;
	if (!pam.user)
		pam.user = pam.answer;
	*user = pam.user;
	return PAM_SUCCESS;
}

int pam_get_data(const pam_handle_t *pamh, const char *module_data_name, const void **data)
{
	assert_ptr_equal(pamh, PAMH);
	assert_string_equal(module_data_name, "pam_unshare");
	if (!pam.cleanup)
		return PAM_NO_MODULE_DATA;
	*data = pam.data;
	return PAM_SUCCESS;
}

static void run_cleanup(int status)
{
	void (*cleanup)(pam_handle_t *, void *, int) = pam.cleanup;

	pam.cleanup = NULL;
	if (cleanup)
		cleanup(PAMH, pam.data, status);
	pam.data = NULL;
}

int pam_set_data(pam_handle_t *pamh, const char *module_data_name, void *data,
	void (*cleanup)(pam_handle_t *pamh, void *data, int error_status))
{
	assert_ptr_equal(pamh, PAMH);
	assert_string_equal(module_data_name, "pam_unshare");
	note("keep");
	if (pam.result != PAM_SUCCESS)
		return pam.result;
	run_cleanup(PAM_DATA_REPLACE | PAM_SUCCESS);
	pam.data = data;
	pam.cleanup = cleanup;
	return PAM_SUCCESS;
}

const char *pam_strerror(pam_handle_t *pamh, int errnum)
{
	assert_ptr_equal(pamh, PAMH);
	return errnum == PAM_BUF_ERR	? "Memory buffer error"
	       : errnum == PAM_CONV_ERR ? "Conversation error"
					: "some error";
}

/* ---- the user database ------------------------------------------------------------------------
 */

struct passwd *pam_modutil_getpwnam(pam_handle_t *pamh, const char *name)
{
	static char root[] = "root", alice[] = "alice", backup[] = "alice_backup";
	static struct passwd users[] = {
		{.pw_name = root, .pw_uid = 0, .pw_gid = 0},
		{.pw_name = alice, .pw_uid = 1000, .pw_gid = 100},
		{.pw_name = backup, .pw_uid = 1000, .pw_gid = 100},
	};
	/* a name that is known in any case: tests of long names need one */
	static struct passwd other = {.pw_uid = 1001, .pw_gid = 100};
	static char other_name[1024];

	assert_ptr_equal(pamh, PAMH);
	for (size_t i = 0; i < COUNT(users); i++)
		if (strcmp(users[i].pw_name, name) == 0)
			return &users[i];
	if (name[0] != 'x')
		return NULL;
	(void)snprintf(other_name, sizeof(other_name), "%s", name);
	other.pw_name = other_name;
	return &other;
}

struct group *pam_modutil_getgrnam(pam_handle_t *pamh, const char *name)
{
	(void)pamh;
	(void)name;
	return NULL;
}

int pam_modutil_user_in_group_nam_gid(pam_handle_t *pamh, const char *user, gid_t gid)
{
	(void)pamh;
	(void)user;
	(void)gid;
	return 0;
}

/* ---- the namespaces and the terminal ----------------------------------------------------------
 */

static struct {
	int create_err, leave_err, end_err;
	int share_err; /* scope=user */
	bool lacks_ipc, joined;
	unsigned int full_places;
	bool elsewhere; /* another session of the process is open */
	bool return_failed, lacks_capabilities;
	bool in_foreground;
	char title[1024];
	char proc_options[64];
	unsigned int grace;
	unsigned int privacy;
	bool ipc, linger;
	bool at_fork; /* asked for */
	bool at_fork_active;
	int at_fork_err, forking_err;
	struct at_fork_report report;
	unsigned int made; /* each namespace has an inode of its own */
	const char *conf;  /* text of the configuration file, or NULL: there is none */
	unsigned int conf_reads;
} world;

int conf_read(const char *path, char **text, size_t *size, struct failure *why)
{
	assert_string_equal(path, "/etc/security/unshare.conf");
	assert_int_equal(why->err, 0);
	world.conf_reads++;
	if (!world.conf)
		return 0;
	*size = strlen(world.conf);
	*text = malloc(*size + 1);
	assert_non_null(*text);
	memcpy(*text, world.conf, *size);
	return 1;
}

int namespaces_create(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why)
{
	note("create");
	(void)snprintf(world.title, sizeof(world.title), "%s", request->title);
	(void)snprintf(world.proc_options, sizeof(world.proc_options), "%s",
		request->proc_options ? request->proc_options : "(none)");
	world.grace = request->grace;
	world.ipc = request->ipc;
	world.privacy = request->privacy;
	world.at_fork = ns->at_fork = request->at_fork;
	if (world.create_err) {
		why->return_failed = world.return_failed;
		return (fail)(why, world.create_err, "step that fails");
	}
	ns->pid_namespace = INODE + world.made;
	ns->init_pid = INIT_PID + (int)world.made;
	world.made++;
	return 0;
}

int namespaces_share(
	const struct namespaces_request *request, struct namespaces *ns, struct failure *why)
{
	note("share");
	(void)snprintf(world.title, sizeof(world.title), "%s", request->title);
	assert_string_equal(request->name, pam.user);
	assert_string_equal(request->service, pam.service);
	assert_true(request->is_same_user(request->context, "alice"));
	assert_true(request->is_same_user(request->context, "alice_backup"));
	assert_false(request->is_same_user(request->context, "bob"));
	assert_false(request->is_same_user(request->context, "nobody-of-that-name"));
	world.linger = request->linger;
	if (world.share_err) {
		why->return_failed = world.return_failed;
		return (fail)(why, world.share_err, "step of sharing that fails");
	}
	ns->pid_namespace = INODE + world.made;
	ns->init_pid = INIT_PID + (int)world.made;
	ns->shared = true;
	ns->joined = world.joined;
	ns->lacks_ipc = world.lacks_ipc;
	ns->full_places = world.full_places;
	world.made++;
	return 0;
}

static bool is_last_made(const struct namespaces *ns)
{
	return world.made > 0 && ns->pid_namespace == INODE + world.made - 1;
}

int namespaces_end(const struct namespaces *ns)
{
	note(is_last_made(ns) ? "end" : "end-of-another");
	return -world.end_err;
}

bool is_on_host(void)
{
	return !world.elsewhere;
}

int namespaces_leave(struct namespaces *ns, struct failure *why)
{
	note(is_last_made(ns) ? "leave" : "leave-another");
	if (world.leave_err) {
		why->return_failed = world.return_failed;
		why->lacks_capabilities = world.lacks_capabilities;
		return (fail)(why, world.leave_err, "step back that fails");
	}
	return 0;
}

int at_fork_prepare(uid_t user, struct failure *why)
{
	note("prepare");
	assert_int_equal(user, 1000);
	return world.at_fork_err ? (fail)(why, world.at_fork_err, "step of entering that fails")
				 : 0;
}

void at_fork_cancel(void)
{
	note("cancel");
}

void at_fork_begin(const struct namespaces *ns)
{
	note("begin");
	assert_true(is_last_made(ns));
	world.at_fork_active = true;
}

bool at_fork_is_taken(void)
{
	return world.at_fork_active;
}

int at_fork_end(struct at_fork_report *report)
{
	note("finish");
	world.at_fork_active = false;
	*report = world.report;
	return world.forking_err;
}

const char *at_fork_step_name(enum at_fork_step step)
{
	return step == AT_FORK_MOUNTS ? "step of a child" : "?";
}

void init_reap(void)
{
	note("reap");
}

bool terminal_is_ours(void)
{
	return world.in_foreground;
}

void terminal_take_back(uint64_t pid_namespace)
{
	note(pid_namespace == INODE + world.made - 1 ? "take-back" : "take-another-back");
}

/* ---- the memory of the state ------------------------------------------------------------------
 */

void *__real_mmap64(void *addr, size_t size, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *addr, size_t size);
int __real_madvise(void *addr, size_t size, int advice);
void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
	__attribute__((alias("__wrap_mmap")));
int __wrap_munmap(void *addr, size_t size);
int __wrap_madvise(void *addr, size_t size, int advice);

static struct {
	size_t mapped; /* bytes that the module holds */
	int mmap_err, madvise_err;
} memory;

void *__wrap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	void *p;

	if (memory.mmap_err) {
		errno = memory.mmap_err;
		return MAP_FAILED;
	}
	p = __real_mmap64(addr, size, prot, flags, fd, offset);
	if (p != MAP_FAILED)
		memory.mapped += size;
	return p;
}

int __wrap_munmap(void *addr, size_t size)
{
	assert_true(size <= memory.mapped);
	memory.mapped -= size;
	return __real_munmap(addr, size);
}

int __wrap_madvise(void *addr, size_t size, int advice)
{
	if (memory.madvise_err) {
		errno = memory.madvise_err;
		return -1;
	}
	return __real_madvise(addr, size, advice);
}

/* ---- an application ---------------------------------------------------------------------------
 */

static int start(void **state)
{
	(void)state;
	memset(&pam, 0, sizeof(pam));
	memset(&world, 0, sizeof(world));
	memset(&memory, 0, sizeof(memory));
	pam.user = "alice";
	pam.service = "sshd";
	trace[0] = '\0';
	log_clear();
	return 0;
}

/* However a test went, PAM ends and nothing is left of the module. */
static int end(void **state)
{
	(void)state;
	run_cleanup(0);
	return memory.mapped > 0 ? -1 : 0;
}

typedef int entry_point(pam_handle_t *pamh, int flags, int argc, const char **argv);

static int call(entry_point *function, const char **argv)
{
	int argc = 0, result;

	while (argv[argc])
		argc++;
	result = function(PAMH, 0, argc, argv);
	/* sudo takes PAM_SESSION_ERR as harmless and runs the command anyway */
	assert_int_not_equal(result, PAM_SESSION_ERR);
	if (result == PAM_INCOMPLETE)
		assert_true(pam.not_yet);
	else
		assert_true(result == PAM_SUCCESS || result == PAM_SYSTEM_ERR);
	return result;
}

#define OPEN(...) call(pam_sm_open_session, (const char *[]){__VA_ARGS__, NULL})
#define CLOSE(...) call(pam_sm_close_session, (const char *[]){__VA_ARGS__, NULL})

/* Without arguments; an empty list is none for the macros in C17. */
static int open_plainly(void)
{
	return OPEN(NULL);
}

static int close_plainly(void)
{
	return CLOSE(NULL);
}

/* A session that is open, with nothing yet to tell of how it came to be. */
static void have_session(void)
{
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap create keep");
	log_clear();
}

/* ---- the ordinary way --------------------------------------------------------------------------
 */

static void open_and_close(void **state)
{
	(void)state;
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap create keep");
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
	run_cleanup(0);
	check_trace("");
	assert_int_equal(memory.mapped, 0);
}

static void one_line_of_log_for_each_end(void **state)
{
	(void)state;
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(LOG_INFO, "alice"));
	assert_true(log_has(LOG_INFO, "4026531999"));
	assert_true(log_has(LOG_INFO, "4711"));
	assert_true(log_has(LOG_INFO, "opened"));
	log_clear();
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(LOG_INFO, "alice"));
	assert_true(log_has(LOG_INFO, "4026531999"));
	assert_true(log_has(LOG_INFO, "4711"));
	assert_true(log_has(LOG_INFO, "closed"));
}

static void the_arguments_reach_the_namespace(void **state)
{
	(void)state;
	assert_int_equal(
		OPEN("grace=42", "ipc", "proc_options=hidepid=2", "private=tmp", "hide=cgroups"),
		PAM_SUCCESS);
	assert_int_equal(world.grace, 42);
	assert_true(world.ipc);
	assert_int_equal(world.privacy, PRIVATE_TMP | HIDE_CGROUPS);
	assert_string_equal(world.proc_options, "hidepid=2");
	assert_string_equal(world.title, "pam_unshare: init of alice (sshd)");
}

/* ---- enter=fork --------------------------------------------------------------------------------
 */

static void at_fork_begins_and_ends(void **state)
{
	(void)state;
	world.report.entered = 1;
	assert_int_equal(OPEN("enter=fork"), PAM_SUCCESS);
	check_trace("reap prepare create begin keep");
	assert_true(world.at_fork);
	assert_true(
		log_has(LOG_INFO, "opened: PID namespace 4026531999, init 4711, entered at fork"));
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("finish end leave reap");
	assert_int_equal(log_count(ANY_PRIORITY), 2);
	assert_int_equal(OPEN("enter=open"), PAM_SUCCESS);
	check_trace("reap create keep");
	assert_false(world.at_fork);
	run_cleanup(0);
	check_trace("end leave reap");
}

static void at_fork_that_cannot_begin_is_refused(void **state)
{
	(void)state;
	world.at_fork_err = ENOTSUP;
	assert_int_equal(OPEN("enter=fork"), PAM_SYSTEM_ERR);
	check_trace("reap prepare");
	assert_true(log_has(
		LOG_ERR, "cannot isolate the session of alice: step of entering that fails"));
	assert_int_equal(memory.mapped, 0);
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("");
	world.at_fork_err = 0;
	world.create_err = ENOMEM;
	assert_int_equal(OPEN("enter=fork"), PAM_SYSTEM_ERR);
	check_trace("reap prepare create cancel");
}

static void at_fork_of_another_session_refuses_both_kinds(void **state)
{
	(void)state;
	world.at_fork_active = true;
	assert_int_equal(OPEN("enter=fork"), PAM_SYSTEM_ERR);
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	check_trace("reap reap");
	assert_int_equal(log_count(LOG_ERR), 2);
	assert_true(log_has(LOG_ERR, "session of alice refused: this process has another session"));
}

static void what_the_children_report_is_logged(void **state)
{
	static const struct {
		struct at_fork_report report;
		int priority;
		const char *text;
	} reports[] = {
		{{.entered = 0}, LOG_WARNING, "no child of the application has entered"},
		{{.entered = 3, .ended = 2, .step = AT_FORK_MOUNTS, .err = EPERM}, LOG_ERR,
			"of alice and were ended, 2 of them: step of a child: Operation not permitted"},
		{{.entered = 1, .unguarded = true}, LOG_CRIT, "has changed the limit RLIMIT_NPROC"},
		{{.entered = 1, .limit_err = EPERM}, LOG_ERR, "keeps the limit RLIMIT_NPROC"},
		{{.entered = 1, .stayed = true}, LOG_CRIT,
			"could not be brought back after a fork"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(reports); i++) {
		world.report = reports[i].report;
		assert_int_equal(OPEN("enter=fork"), PAM_SUCCESS);
		log_clear();
		assert_int_equal(close_plainly(), PAM_SUCCESS);
		assert_int_equal(log_count(ANY_PRIORITY), 2);
		assert_true(log_has(reports[i].priority, reports[i].text));
		check_trace("reap prepare create begin keep finish end leave reap");
	}
}

static void the_defaults_reach_the_namespace(void **state)
{
	(void)state;
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	assert_int_equal(world.grace, 5);
	assert_false(world.ipc);
	assert_int_equal(world.privacy, 0);
	assert_string_equal(world.proc_options, "(none)");
}

static void the_terminal_is_taken_back(void **state)
{
	(void)state;
	world.in_foreground = true;
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	world.in_foreground = false; /* what counts is how it was at open */
	check_trace("reap create keep");
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave take-back reap");
}

static void a_terminal_that_was_not_ours_is_left_alone(void **state)
{
	(void)state;
	have_session();
	world.in_foreground = true;
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
}

static void very_long_names(void **state)
{
	char name[1001], service[1001];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(service, 's', sizeof(service) - 1);
	service[sizeof(service) - 1] = '\0';
	pam.user = name;
	pam.service = service;
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	assert_int_equal(strncmp(world.title, "pam_unshare: init of xxxx", 25), 0);
	assert_non_null(strstr(world.title, "x (sssss"));
	assert_int_equal(world.title[strlen(world.title) - 1], ')');
	assert_int_equal(close_plainly(), PAM_SUCCESS);
}

static void a_service_without_a_name(void **state)
{
	(void)state;
	pam.service = NULL;
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("reap create keep end leave reap");
}

/* ---- counting ----------------------------------------------------------------------------------
 */

static void listed_twice(void **state)
{
	(void)state;
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap create keep reap");
	assert_int_equal(log_count(LOG_INFO), 1);
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("");
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
	assert_int_equal(log_count(LOG_INFO), 2);
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("");
}

static void listed_three_times(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap create keep reap reap");
	for (int i = 0; i < 2; i++)
		assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("");
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
}

static void close_twice(void **state)
{
	(void)state;
	have_session();
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("");
}

static void close_without_open(void **state)
{
	(void)state;
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("");
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	assert_int_equal(CLOSE("debug"), PAM_SUCCESS);
	assert_int_equal(log_count(LOG_DEBUG), 1);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
}

static void a_transaction_may_open_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(open_plainly(), PAM_SUCCESS);
		check_trace("reap create keep");
		assert_int_equal(close_plainly(), PAM_SUCCESS);
		check_trace("end leave reap");
	}
	assert_int_equal(world.made, 3);
	run_cleanup(0);
	check_trace("");
	assert_int_equal(memory.mapped, 0);
}

static void a_nested_open_that_is_refused_does_not_count(void **state)
{
	(void)state;
	have_session();
	assert_int_equal(OPEN("nonsense"), PAM_SYSTEM_ERR);
	check_trace("reap");
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
}

/* ---- halves ------------------------------------------------------------------------------------
 */

static void the_two_line_form(void **state)
{
	(void)state;
	/* PAM closes in the same order as it opens */
	assert_int_equal(OPEN("close"), PAM_SUCCESS);
	check_trace("reap");
	assert_int_equal(OPEN("open"), PAM_SUCCESS);
	check_trace("reap create keep");
	assert_int_equal(CLOSE("close"), PAM_SUCCESS);
	check_trace("end leave reap");
	assert_int_equal(CLOSE("open"), PAM_SUCCESS);
	check_trace("");
	assert_int_equal(log_count(LOG_INFO), 2);
	assert_int_equal(log_count(ANY_PRIORITY), 2);
}

static void the_open_half_does_not_close(void **state)
{
	(void)state;
	have_session();
	assert_int_equal(CLOSE("open"), PAM_SUCCESS);
	check_trace("");
	run_cleanup(0);
	check_trace("end leave reap");
}

static void the_close_half_refuses_bad_arguments_as_well(void **state)
{
	(void)state;
	assert_int_equal(OPEN("close", "nonsense"), PAM_SYSTEM_ERR);
	check_trace("reap");
	assert_true(log_has(LOG_ERR, "'nonsense'"));
}

static void the_close_half_needs_no_user(void **state)
{
	static const char *const users[] = {NULL, "", "nobody-knows"};

	(void)state;
	for (size_t i = 0; i < COUNT(users); i++) {
		pam.user = users[i];
		assert_int_equal(OPEN("close"), PAM_SUCCESS);
		assert_int_equal(CLOSE("close"), PAM_SUCCESS);
		assert_false(pam.asked);
		assert_int_equal(log_count(ANY_PRIORITY), 0);
		assert_int_equal(OPEN("close", "nonsense"), PAM_SYSTEM_ERR);
		assert_true(pam.asked);
		assert_int_equal(OPEN("open"), PAM_SYSTEM_ERR); /* which does need one */
		check_trace("reap reap reap");
		pam.asked = false;
		log_clear();
	}
}

static void both_halves_on_one_line_are_refused(void **state)
{
	(void)state;
	assert_int_equal(OPEN("open", "close"), PAM_SYSTEM_ERR);
	check_trace("reap");
	assert_true(log_count(LOG_ERR) > 0);
}

static void bad_arguments_do_not_keep_a_session_open(void **state)
{
	(void)state;
	have_session();
	assert_int_equal(CLOSE("nonsense", "grace=-1"), PAM_SUCCESS);
	check_trace("end leave reap");
	/* open has complained */
	assert_int_equal(log_count(LOG_ERR), 0);
}

/* ---- pam_end(3) --------------------------------------------------------------------------------
 */

static void the_cleanup_leaves_an_open_session(void **state)
{
	(void)state;
	have_session();
	run_cleanup(PAM_SYSTEM_ERR);
	check_trace("end leave reap");
	assert_int_equal(log_count(LOG_INFO), 1);
	assert_int_equal(memory.mapped, 0);
}

static void the_cleanup_leaves_a_session_that_was_opened_twice(void **state)
{
	(void)state;
	have_session();
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap");
	run_cleanup(0);
	check_trace("end leave reap");
	assert_int_equal(memory.mapped, 0);
}

static void what_the_cleanup_says_has_the_modules_name(void **state)
{
	(void)state;
	have_session();
	run_cleanup(0);
	assert_true(log_has(LOG_INFO, "pam_unshare(sshd:session): session of alice closed: PID"));
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	trace[0] = '\0';
	world.leave_err = EXDEV;
	world.return_failed = true;
	world.end_err = EBADF;
	have_session();
	run_cleanup(0);
	check_trace("end leave");
	assert_true(log_has(LOG_ERR, "pam_unshare(sshd:session): cannot signal init "));
	assert_true(
		log_has(LOG_ERR, "pam_unshare(sshd:session): cannot leave the session of alice"));
	assert_true(log_has(LOG_CRIT, "pam_unshare(sshd:session): the application could not"));
	assert_int_equal(log_count(ANY_PRIORITY), 3);
	/* negative control: where libpam puts it there, it is not there twice */
	world.leave_err = world.end_err = 0;
	have_session();
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	assert_false(log_has(ANY_PRIORITY, "pam_unshare("));
}

static void a_percent_sign_is_no_format(void **state)
{
	(void)state;
	pam.user = "x%s%n";
	pam.service = "%s%n";
	have_session();
	run_cleanup(0);
	check_trace("end leave reap");
	assert_true(log_has(LOG_INFO, "pam_unshare(%s%n:session): session of x%s%n closed"));
	have_session();
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	assert_true(log_has(LOG_INFO, "session of x%s%n closed"));
}

static void a_silent_cleanup_leaves_it_too(void **state)
{
	(void)state;
	/* sudo says PAM_DATA_SILENT in the opener: the flag does not tell a child */
	have_session();
	run_cleanup(PAM_DATA_SILENT | PAM_SUCCESS);
	check_trace("end leave reap");
}

/* Run a function in a child, as an application does between open and close. */
static void in_child(bool (*function)(void))
{
	int status = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(function() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static bool cleanup_does_nothing(void)
{
	run_cleanup(0);
	return trace[0] == '\0' && log_count(ANY_PRIORITY) == 0;
}

static bool silent_cleanup_does_nothing(void)
{
	run_cleanup(PAM_DATA_SILENT);
	return trace[0] == '\0' && log_count(ANY_PRIORITY) == 0;
}

static bool close_does_nothing(void)
{
	return close_plainly() == PAM_SUCCESS && trace[0] == '\0' && log_count(ANY_PRIORITY) == 0;
}

static bool open_makes_another(void)
{
	return open_plainly() == PAM_SUCCESS && strcmp(trace, "reap create keep") == 0 &&
	       close_plainly() == PAM_SUCCESS &&
	       strcmp(trace, "reap create keep end leave reap") == 0;
}

static void a_forked_child_leaves_the_session_alone(void **state)
{
	(void)state;
	have_session();
	in_child(cleanup_does_nothing);
	in_child(silent_cleanup_does_nothing);
	in_child(close_does_nothing);
	check_trace("");
	/* and the opener still has it */
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
}

static void a_session_that_was_opened_twice_is_not_open_in_a_child(void **state)
{
	(void)state;
	have_session();
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap");
	in_child(cleanup_does_nothing);
	in_child(close_does_nothing);
}

static void a_forked_child_may_open_one_of_its_own(void **state)
{
	(void)state;
	have_session();
	in_child(open_makes_another);
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
}

/* ---- failures ----------------------------------------------------------------------------------
 */

static void a_namespace_that_cannot_be_made(void **state)
{
	(void)state;
	world.create_err = ENOSPC;
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	check_trace("reap create");
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(LOG_ERR, "alice"));
	assert_true(log_has(LOG_ERR, "step that fails"));
	assert_true(log_has(LOG_ERR, strerror(ENOSPC)));
	assert_int_equal(memory.mapped, 0);
	/* nothing is open: neither close nor pam_end(3) does anything */
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	run_cleanup(0);
	check_trace("");
}

static void a_later_attempt_may_succeed(void **state)
{
	(void)state;
	world.create_err = ENOSPC;
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	world.create_err = 0;
	check_trace("reap create");
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap create keep");
}

static void an_application_that_is_stranded_is_told_of(void **state)
{
	(void)state;
	world.create_err = EPERM;
	world.return_failed = true;
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_int_equal(log_count(LOG_CRIT), 1);
	assert_true(log_has(LOG_CRIT, "alice"));
}

static void the_errno_of_the_failed_step_is_logged(void **state)
{
	(void)state;
	/* pam_get_item(3) promises nothing about errno */
	pam.getting_changes_errno = true;
	world.create_err = ENOSPC;
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	assert_true(log_has(LOG_ERR, strerror(ENOSPC)));
}

static void a_session_that_pam_does_not_keep_is_left(void **state)
{
	static const int results[] = {PAM_BUF_ERR, PAM_SYSTEM_ERR, PAM_SESSION_ERR, PAM_ABORT};

	(void)state;
	for (size_t i = 0; i < COUNT(results); i++) {
		pam.result = results[i];
		assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
		check_trace("reap create keep end leave reap");
		assert_int_equal(log_count(LOG_ERR), 1);
		assert_true(log_has(LOG_ERR, "alice"));
		assert_true(i > 0 || log_has(LOG_ERR, "Memory buffer error"));
		assert_int_equal(memory.mapped, 0);
		log_clear();
	}
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("");
}

static void no_memory_for_the_state(void **state)
{
	(void)state;
	memory.mmap_err = ENOMEM;
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	check_trace("reap");
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_true(log_has(LOG_ERR, strerror(ENOMEM)));
}

static void a_state_that_cannot_be_hidden_from_children(void **state)
{
	(void)state;
	memory.madvise_err = EINVAL;
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	check_trace("reap");
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_true(log_has(LOG_ERR, strerror(EINVAL)));
	assert_int_equal(memory.mapped, 0);
}

static void a_session_that_cannot_be_left(void **state)
{
	(void)state;
	world.in_foreground = true;
	have_session();
	world.leave_err = EXDEV;
	world.return_failed = true;
	assert_int_equal(close_plainly(), PAM_SYSTEM_ERR);
	/* /proc and the terminal are the session's: not for the application */
	check_trace("end leave");
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_true(log_has(LOG_ERR, "alice"));
	assert_true(log_has(LOG_ERR, "step back that fails"));
	assert_true(log_has(LOG_ERR, strerror(EXDEV)));
	assert_int_equal(log_count(LOG_CRIT), 1);
	assert_int_equal(log_count(LOG_INFO), 0);
	/* its descriptors are closed: a second attempt would hit others */
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	run_cleanup(0);
	check_trace("");
	assert_int_equal(memory.mapped, 0);
}

/* Its privilege is gone, as proftpd's is: no alarm, for it ends with the session. */
static void a_session_without_the_capabilities_to_leave_it(void **state)
{
	static const struct {
		int end_err;
		const char *said;
	} cases[] = {
		{0, "session of alice closed: PID namespace 402653"},
		{EPERM, "session of alice goes on until the application ends: PID namespace 402653"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		have_session();
		world.end_err = cases[i].end_err;
		world.leave_err = EPERM;
		world.lacks_capabilities = true;
		assert_int_equal(close_plainly(), PAM_SYSTEM_ERR);
		check_trace("end leave");
		assert_int_equal(log_count(ANY_PRIORITY), 1);
		assert_true(log_has(LOG_WARNING, cases[i].said));
		assert_true(log_has(LOG_WARNING, "; step back that fails by now"));
		world.leave_err = 0;
	}
	/* an init that cannot be told for another reason is no such case */
	have_session();
	world.leave_err = EPERM;
	world.end_err = EBADF;
	assert_int_equal(close_plainly(), PAM_SYSTEM_ERR);
	assert_int_equal(log_count(LOG_ERR), 2);
	assert_int_equal(log_count(ANY_PRIORITY), 2);
}

static void an_init_that_cannot_be_told(void **state)
{
	(void)state;
	have_session();
	world.end_err = EBADF;
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_true(log_has(LOG_ERR, "cannot signal init"));
	assert_true(log_has(LOG_ERR, strerror(EBADF)));
}

static void who_is_left_alone_in_another_session_is_noted(void **state)
{
	(void)state;
	assert_int_equal(OPEN("exempt=alice"), PAM_SUCCESS);
	assert_int_equal(log_count(LOG_WARNING), 0);
	world.elsewhere = true;
	assert_int_equal(OPEN("exempt=alice"), PAM_SUCCESS);
	assert_int_equal(log_count(LOG_WARNING), 1);
	assert_true(log_has(LOG_WARNING, "alice"));
}

static void a_cleanup_that_cannot_leave(void **state)
{
	(void)state;
	have_session();
	world.leave_err = EPERM;
	world.return_failed = true;
	run_cleanup(0);
	check_trace("end leave");
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_int_equal(log_count(LOG_CRIT), 1);
	assert_int_equal(memory.mapped, 0);
}

/* ---- who is isolated, and who gets in ----------------------------------------------------------
 */

static void an_exempt_user_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(OPEN("exempt=alice"), PAM_SUCCESS);
	check_trace("reap");
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	assert_int_equal(CLOSE("exempt=alice"), PAM_SUCCESS);
	check_trace("");
	assert_int_equal(OPEN("exempt=alice", "debug"), PAM_SUCCESS);
	assert_int_equal(log_count(LOG_DEBUG), 1);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(LOG_DEBUG, "alice"));
}

static void root_is_left_alone(void **state)
{
	(void)state;
	pam.user = "root";
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	assert_int_equal(OPEN("only=root"), PAM_SUCCESS);
	check_trace("reap reap");
	assert_int_equal(OPEN("include_root"), PAM_SUCCESS);
	check_trace("reap create keep");
	assert_int_equal(CLOSE("include_root"), PAM_SUCCESS);
	check_trace("end leave reap");
}

static void bad_arguments_refuse_the_session(void **state)
{
	static const char *const bad[] = {
		"nonsense", "exempt=", "only=5:4", "grace=forever", "proc_options=ro", "debug=1"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		log_clear();
		assert_int_equal(OPEN(bad[i]), PAM_SYSTEM_ERR);
		check_trace("reap");
		if (!log_has(LOG_ERR, bad[i]))
			fail_msg("no message names '%s'", bad[i]);
	}
}

static void bad_arguments_refuse_even_who_is_exempt(void **state)
{
	(void)state;
	/* what is misspelt may be what would have isolated the user */
	assert_int_equal(OPEN("exempt=alice", "nonsense"), PAM_SYSTEM_ERR);
	check_trace("reap");
}

static void root_gets_in_with_bad_arguments(void **state)
{
	static const char *const bad[] = {
		"nonsense", "exempt=", "only=5:4", "grace=forever", "proc_options=ro", "debug=1"};

	(void)state;
	pam.user = "root";
	for (size_t i = 0; i < COUNT(bad); i++) {
		log_clear();
		assert_int_equal(OPEN(bad[i]), PAM_SUCCESS);
		assert_int_equal(OPEN("include_root", bad[i]), PAM_SUCCESS);
		check_trace("reap reap");
		if (!log_has(LOG_ERR, bad[i]))
			fail_msg("no message names '%s'", bad[i]);
		assert_int_equal(CLOSE(bad[i]), PAM_SUCCESS);
		check_trace("");
	}
	assert_int_equal(OPEN("open", "close", "include_root"), PAM_SUCCESS);
	check_trace("reap");
}

/* The strings of the file serve the whole open, and nothing of it is left: LeakSanitizer. */
static void the_file_decides_as_arguments_do(void **state)
{
	(void)state;
	world.conf = "grace = 17\nipc\nproc_options = hidepid=2, gid=27\nexempt = root, x";
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap create keep");
	assert_int_equal(world.grace, 17);
	assert_true(world.ipc);
	assert_string_equal(world.proc_options, "hidepid=2,gid=27");
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
	assert_int_equal(OPEN("grace=3", "exempt=alice"), PAM_SUCCESS);
	check_trace("reap");
	assert_int_equal(OPEN("grace=3"), PAM_SUCCESS);
	check_trace("reap create keep");
	assert_int_equal(world.grace, 3);
}

static void a_mistake_in_the_file_refuses_all_but_root(void **state)
{
	(void)state;
	world.conf = "include_root\nnonsense";
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	assert_true(log_has(LOG_ERR, "line 2: 'nonsense' is unknown"));
	assert_true(log_has(LOG_ERR, "session of alice refused: correct the configuration"));
	check_trace("reap");
	pam.user = "root";
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap");
	world.conf = "include_root"; /* negative control */
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap create keep");
}

/* The application may be in the session by then, and without privilege. */
static void the_close_does_not_read_the_file(void **state)
{
	(void)state;
	world.conf = "debug";
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	world.conf_reads = 0;
	log_clear();
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	assert_true(log_has(LOG_DEBUG, "session of alice stays open")); /* as at the open */
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("reap create keep reap end leave reap");
	assert_int_equal(world.conf_reads, 0);
}

static void an_unknown_user_is_refused(void **state)
{
	(void)state;
	pam.user = "nobody-knows";
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	check_trace("reap");
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(LOG_ERR, "nobody-knows"));
}

static void a_transaction_without_a_user_is_refused(void **state)
{
	(void)state;
	pam.user = NULL;
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	assert_true(log_has(LOG_ERR, "the application has set no user: Conversation error"));
	pam.user = "";
	assert_int_equal(open_plainly(), PAM_SYSTEM_ERR);
	check_trace("reap reap");
	assert_int_equal(log_count(LOG_ERR), 2);
}

static void who_it_is_for_is_asked(void **state)
{
	(void)state;
	pam.user = NULL;
	pam.answer = "alice";
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap create keep");
	assert_string_equal(world.title, "pam_unshare: init of alice (sshd)");
	assert_true(log_has(LOG_INFO, "session of alice opened"));
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
	pam.user = NULL;
	pam.answer = "root";
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap");
}

static void an_answer_that_is_still_to_come(void **state)
{
	(void)state;
	pam.user = NULL;
	pam.answer = "alice";
	pam.not_yet = true;
	assert_int_equal(open_plainly(), PAM_INCOMPLETE);
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	pam.not_yet = false;
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap reap create keep");
}

static void who_cannot_be_resolved_decides_for_isolation(void **state)
{
	(void)state;
	assert_int_equal(OPEN("only=@ghosts"), PAM_SUCCESS);
	check_trace("reap create keep");
	assert_true(log_has(ANY_PRIORITY, "'ghosts'"));
}

static void the_user_manager_is_left_alone(void **state)
{
	(void)state;
	pam.service = "systemd-user";
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	assert_int_equal(OPEN("debug"), PAM_SUCCESS);
	assert_int_equal(log_count(LOG_DEBUG), 1);
	pam.user = "root";
	assert_int_equal(OPEN("include_root"), PAM_SUCCESS);
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("reap reap reap");
	/* only that one */
	pam.user = "alice";
	pam.service = "systemd-user2";
	assert_int_equal(open_plainly(), PAM_SUCCESS);
	check_trace("reap create keep");
}

/* ---- scope=user --------------------------------------------------------------------------------
 */

static void a_users_namespace_is_made(void **state)
{
	(void)state;
	assert_int_equal(OPEN("scope=user", "linger"), PAM_SUCCESS);
	check_trace("reap share keep");
	assert_string_equal(world.title, "pam_unshare: init of alice");
	assert_true(world.linger);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(LOG_INFO, "the user's, made"));
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("end leave reap");
}

static void a_users_namespace_is_joined(void **state)
{
	(void)state;
	world.joined = true;
	assert_int_equal(OPEN("scope=user"), PAM_SUCCESS);
	check_trace("reap share keep");
	assert_false(world.linger);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(LOG_INFO, "the user's, joined"));
}

static void scope_session_shares_nothing(void **state)
{
	(void)state;
	assert_int_equal(OPEN("scope=session"), PAM_SUCCESS);
	check_trace("reap create keep");
	assert_false(log_has(LOG_INFO, "the user's"));
}

/* Isolated in any case, and told of. */
static void what_cannot_be_shared_gets_a_namespace_of_its_own(void **state)
{
	static const int errors[] = {ETIMEDOUT, EMFILE, EPERM, EEXIST, ENOENT, EPROTO};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		log_clear();
		world.share_err = errors[i];
		assert_int_equal(OPEN("scope=user"), PAM_SUCCESS);
		check_trace("reap share create keep");
		assert_string_equal(world.title, "pam_unshare: init of alice (sshd)");
		assert_int_equal(log_count(LOG_WARNING), 1);
		assert_true(log_has(LOG_WARNING, "step of sharing that fails"));
		assert_true(log_has(LOG_WARNING, strerror(errors[i])));
		assert_int_equal(log_count(LOG_INFO), 1);
		assert_int_equal(close_plainly(), PAM_SUCCESS);
		check_trace("end leave reap");
		run_cleanup(0);
	}
}

static void inside_anothers_namespace_that_is_no_warning(void **state)
{
	(void)state;
	world.share_err = EXDEV;
	assert_int_equal(OPEN("scope=user"), PAM_SUCCESS);
	check_trace("reap share create keep");
	assert_int_equal(log_count(LOG_WARNING), 0);
	assert_true(log_has(LOG_INFO, "step of sharing that fails"));
}

static void a_namespace_of_its_own_may_fail_too(void **state)
{
	(void)state;
	world.share_err = ENOSPC;
	world.create_err = ENOSPC;
	assert_int_equal(OPEN("scope=user"), PAM_SYSTEM_ERR);
	check_trace("reap share create");
	assert_int_equal(log_count(LOG_WARNING), 1);
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_int_equal(memory.mapped, 0);
}

static void inside_already_there_is_nothing_to_do(void **state)
{
	(void)state;
	world.share_err = EALREADY;
	assert_int_equal(OPEN("scope=user"), PAM_SUCCESS);
	check_trace("reap share");
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(LOG_INFO, "in the user's namespace already"));
	assert_int_equal(memory.mapped, 0);
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	check_trace("");
}

/* Then it is not on the host, and nothing more may be made. */
static void an_application_that_is_stranded_by_sharing_is_refused(void **state)
{
	(void)state;
	world.share_err = EPERM;
	world.return_failed = true;
	assert_int_equal(OPEN("scope=user"), PAM_SYSTEM_ERR);
	check_trace("reap share");
	assert_int_equal(log_count(LOG_CRIT), 1);
	assert_int_equal(log_count(LOG_ERR), 1);
}

static void no_ipc_namespace_where_one_was_asked_for(void **state)
{
	(void)state;
	world.lacks_ipc = true;
	assert_int_equal(OPEN("scope=user", "ipc"), PAM_SUCCESS);
	assert_int_equal(log_count(LOG_WARNING), 1);
	assert_true(log_has(LOG_WARNING, "IPC"));
}

static void places_without_room_are_named(void **state)
{
	(void)state;
	assert_int_equal(OPEN("scope=user", "private=tmp,shm"), PAM_SUCCESS);
	assert_int_equal(log_count(LOG_WARNING), 0);
	assert_int_equal(close_plainly(), PAM_SUCCESS);
	world.full_places = FULL_TMP | FULL_SHM;
	assert_int_equal(OPEN("scope=user", "private=tmp,shm"), PAM_SUCCESS);
	assert_int_equal(log_count(LOG_WARNING), 1);
	assert_true(log_has(LOG_WARNING, "on /tmp, /dev/shm: there is no room"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_users_namespace_is_made),
		TEST(a_users_namespace_is_joined),
		TEST(scope_session_shares_nothing),
		TEST(what_cannot_be_shared_gets_a_namespace_of_its_own),
		TEST(inside_anothers_namespace_that_is_no_warning),
		TEST(a_namespace_of_its_own_may_fail_too),
		TEST(inside_already_there_is_nothing_to_do),
		TEST(an_application_that_is_stranded_by_sharing_is_refused),
		TEST(no_ipc_namespace_where_one_was_asked_for),
		TEST(places_without_room_are_named),
		TEST(open_and_close),
		TEST(one_line_of_log_for_each_end),
		TEST(the_arguments_reach_the_namespace),
		TEST(at_fork_begins_and_ends),
		TEST(at_fork_that_cannot_begin_is_refused),
		TEST(at_fork_of_another_session_refuses_both_kinds),
		TEST(what_the_children_report_is_logged),
		TEST(the_defaults_reach_the_namespace),
		TEST(the_terminal_is_taken_back),
		TEST(a_terminal_that_was_not_ours_is_left_alone),
		TEST(very_long_names),
		TEST(a_service_without_a_name),
		TEST(listed_twice),
		TEST(listed_three_times),
		TEST(close_twice),
		TEST(close_without_open),
		TEST(a_transaction_may_open_again),
		TEST(a_nested_open_that_is_refused_does_not_count),
		TEST(the_two_line_form),
		TEST(the_open_half_does_not_close),
		TEST(the_close_half_refuses_bad_arguments_as_well),
		TEST(the_close_half_needs_no_user),
		TEST(both_halves_on_one_line_are_refused),
		TEST(bad_arguments_do_not_keep_a_session_open),
		TEST(the_cleanup_leaves_an_open_session),
		TEST(the_cleanup_leaves_a_session_that_was_opened_twice),
		TEST(what_the_cleanup_says_has_the_modules_name),
		TEST(a_percent_sign_is_no_format),
		TEST(a_silent_cleanup_leaves_it_too),
		TEST(a_forked_child_leaves_the_session_alone),
		TEST(a_session_that_was_opened_twice_is_not_open_in_a_child),
		TEST(a_forked_child_may_open_one_of_its_own),
		TEST(a_namespace_that_cannot_be_made),
		TEST(a_later_attempt_may_succeed),
		TEST(an_application_that_is_stranded_is_told_of),
		TEST(the_errno_of_the_failed_step_is_logged),
		TEST(a_session_that_pam_does_not_keep_is_left),
		TEST(no_memory_for_the_state),
		TEST(a_state_that_cannot_be_hidden_from_children),
		TEST(a_session_that_cannot_be_left),
		TEST(a_session_without_the_capabilities_to_leave_it),
		TEST(an_init_that_cannot_be_told),
		TEST(who_is_left_alone_in_another_session_is_noted),
		TEST(a_cleanup_that_cannot_leave),
		TEST(an_exempt_user_is_left_alone),
		TEST(root_is_left_alone),
		TEST(bad_arguments_refuse_the_session),
		TEST(bad_arguments_refuse_even_who_is_exempt),
		TEST(root_gets_in_with_bad_arguments),
		TEST(the_file_decides_as_arguments_do),
		TEST(a_mistake_in_the_file_refuses_all_but_root),
		TEST(the_close_does_not_read_the_file),
		TEST(an_unknown_user_is_refused),
		TEST(a_transaction_without_a_user_is_refused),
		TEST(who_it_is_for_is_asked),
		TEST(an_answer_that_is_still_to_come),
		TEST(who_cannot_be_resolved_decides_for_isolation),
		TEST(the_user_manager_is_left_alone),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
