/* SPDX-License-Identifier: MIT */
#include "common/privacy.h"
#include "module/conf.h"
#include "module/list.h"
#include "module/options.h"
#include "recorded_log.h"
#include "unit.h"

#include <errno.h>
#include <grp.h>
#include <security/pam_modutil.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define UID_MAX 4294967294U /* the last one: 4294967295 is -1, "no user" */

/* Nothing here looks into a handle. */
static int handle;
#define PAMH ((pam_handle_t *)(void *)&handle)

/* ---- a user database --------------------------------------------------------------------- */

/* The functions give pointers to what may be written: these are copied on each look-up. */
static const struct {
	const char *name;
	uid_t uid;
	gid_t gid;
} users[] = {
	{"root", 0, 0},
	{"toor", 0, 0},
	{"alice", 1000, 100},
	{"alice_backup", 1000, 100}, /* the same person by another name */
	{"bob", 1001, 100},
	{"DOM\\user", 70001, 70000},
	{"user@example.org", 70002, 70000},
	{"space cadet", 70003, 70000},
};

static const struct {
	const char *name;
	gid_t gid;
	const char *member;
} groups[] = {
	{"root", 0, ""},
	{"users", 100, ""},
	{"staff", 50, "alice"},
	{"sudo", 27, "bob"},
	{"domain users", 70000, ""},
	{"DOM\\domain admins", 70010, "DOM\\user"},
};

static bool directory_down;
static unsigned int lookups;

/* The user database returns what its caller may write to; nobody does. */
static char *writable(const char *text)
{
	union {
		const char *in;
		char *out;
	} u = {text};

	return u.out;
}

struct passwd *pam_modutil_getpwnam(pam_handle_t *pamh, const char *name)
{
	static struct passwd found;

	assert_ptr_equal(pamh, PAMH);
	lookups++;
	for (size_t i = 0; i < COUNT(users) && !directory_down; i++)
		if (strcmp(users[i].name, name) == 0) {
			found = (struct passwd){.pw_name = writable(users[i].name),
				.pw_uid = users[i].uid,
				.pw_gid = users[i].gid};
			return &found;
		}
	return NULL;
}

struct group *pam_modutil_getgrnam(pam_handle_t *pamh, const char *name)
{
	static struct group found;

	assert_ptr_equal(pamh, PAMH);
	lookups++;
	for (size_t i = 0; i < COUNT(groups) && !directory_down; i++)
		if (strcmp(groups[i].name, name) == 0) {
			found = (struct group){
				.gr_name = writable(groups[i].name), .gr_gid = groups[i].gid};
			return &found;
		}
	return NULL;
}

/* Knows supplementary groups only, so that a test tells who looked at the primary one. */
int pam_modutil_user_in_group_nam_gid(pam_handle_t *pamh, const char *user, gid_t gid)
{
	assert_ptr_equal(pamh, PAMH);
	for (size_t i = 0; i < COUNT(groups); i++)
		if (groups[i].gid == gid)
			return strcmp(groups[i].member, user) == 0;
	return 0;
}

static struct passwd user(const char *name)
{
	struct passwd *found = pam_modutil_getpwnam(PAMH, name);

	assert_non_null(found);
	return *found;
}

/* ---- the configuration file ------------------------------------------------------------------ */

#define CONF "/etc/security/unshare.conf"

/* What it holds; NULL: there is none. */
static const char *conf_text;
static size_t conf_size; /* not 0: of a text with NUL bytes */
static int conf_errno;	 /* it cannot be read */
static char conf_path[64];
static unsigned int conf_reads;

int conf_read(const char *path, char **text, size_t *size, struct failure *why)
{
	conf_reads++;
	(void)snprintf(conf_path, sizeof(conf_path), "%s", path);
	if (conf_errno) {
		why->err = conf_errno;
		(void)snprintf(
			why->text, sizeof(why->text), "read the configuration file %s", path);
		return -conf_errno;
	}
	if (!conf_text)
		return 0;
	*size = conf_size ? conf_size : strlen(conf_text);
	*text = malloc(*size + 1);
	assert_non_null(*text);
	memcpy(*text, conf_text, *size);
	return 1;
}

static int clear(void **state)
{
	(void)state;
	log_clear();
	conf_text = NULL;
	conf_size = 0;
	conf_errno = 0;
	conf_path[0] = '\0';
	conf_reads = 0;
	directory_down = false;
	lookups = 0;
	return 0;
}

/* ---- arguments that are right -------------------------------------------------------------- */

#define PARSE(opts, ...) parse(PAMH, opts, (const char *[]){__VA_ARGS__, NULL})
#define PARSE_QUIETLY(opts, ...) parse(NULL, opts, (const char *[]){__VA_ARGS__, NULL})

static bool parse(pam_handle_t *pamh, struct options *opts, const char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	/* whatever was there before must not shine through */
	memset(opts, 0x5a, sizeof(*opts));
	return options_parse(pamh, argc, argv, opts);
}

static void check_defaults(const struct options *opts)
{
	assert_false(opts->debug);
	assert_false(opts->include_root);
	assert_false(opts->ipc);
	assert_false(opts->per_user);
	assert_false(opts->linger);
	assert_false(opts->at_fork);
	assert_true(opts->on_open);
	assert_true(opts->on_close);
	assert_int_equal(opts->grace, 5);
	assert_int_equal(opts->private_places, 0);
	assert_int_equal(opts->hidden, 0);
	assert_null(opts->exempt);
	assert_null(opts->only);
	assert_null(opts->proc_options);
	assert_null(opts->text);
	assert_string_equal(opts->conf, CONF);
}

static void no_argument_gives_the_defaults(void **state)
{
	struct options opts;

	(void)state;
	memset(&opts, 0x5a, sizeof(opts));
	assert_true(options_parse(PAMH, 0, NULL, &opts));
	check_defaults(&opts);
	assert_int_equal(log_count(ANY_PRIORITY), 0);
}

static void each_flag_sets_its_own_member_only(void **state)
{
	struct options opts;

	(void)state;
	assert_true(PARSE(&opts, "debug"));
	assert_true(opts.debug);
	opts.debug = false;
	check_defaults(&opts);
	assert_true(PARSE(&opts, "include_root"));
	assert_true(opts.include_root);
	opts.include_root = false;
	check_defaults(&opts);
	assert_true(PARSE(&opts, "ipc"));
	assert_true(opts.ipc);
	opts.ipc = false;
	check_defaults(&opts);
}

static void scope_is_session_or_user(void **state)
{
	struct options opts;

	(void)state;
	assert_true(PARSE(&opts, "scope=session"));
	check_defaults(&opts);
	assert_true(PARSE(&opts, "scope=user"));
	assert_true(opts.per_user);
	opts.per_user = false;
	check_defaults(&opts);
	/* as any word that is no list, it may be given twice, and the last one counts */
	assert_true(PARSE(&opts, "scope=user", "scope=session"));
	assert_false(opts.per_user);
	assert_true(PARSE(&opts, "scope=session", "scope=user"));
	assert_true(opts.per_user);
}

static void enter_is_open_or_fork(void **state)
{
	struct options opts;

	(void)state;
	assert_true(PARSE(&opts, "enter=open"));
	check_defaults(&opts);
	assert_true(PARSE(&opts, "enter=fork"));
	assert_true(opts.at_fork);
	opts.at_fork = false;
	check_defaults(&opts);
	assert_true(PARSE(&opts, "enter=fork", "enter=open"));
	assert_false(opts.at_fork);
	conf_text = "enter = fork";
	assert_true(PARSE(&opts, "debug"));
	assert_true(opts.at_fork);
	options_free(&opts);
	assert_true(PARSE(&opts, "enter=open"));
	assert_false(opts.at_fork);
	options_free(&opts);
}

static void private_and_hide_are_sets(void **state)
{
	struct options opts;

	(void)state;
	assert_true(PARSE(&opts, "private=tmp"));
	assert_int_equal(opts.private_places, PRIVATE_TMP);
	assert_true(PARSE(&opts, "private=shm,mqueue,tmp", "ipc"));
	assert_int_equal(opts.private_places, PRIVATE_TMP | PRIVATE_SHM | PRIVATE_MQUEUE);
	assert_true(PARSE(&opts, "hide=cgroups"));
	assert_int_equal(opts.hidden, HIDE_CGROUPS);
	/* the last one counts */
	assert_true(PARSE(&opts, "private=tmp", "private=shm", "hide=cgroups", "hide=none"));
	assert_int_equal(opts.private_places, PRIVATE_SHM);
	assert_int_equal(opts.hidden, 0);
	/* an argument replaces the file's */
	conf_text = "private = tmp, shm\nhide = cgroups\n";
	assert_true(PARSE(&opts, "grace=5"));
	assert_int_equal(opts.private_places, PRIVATE_TMP | PRIVATE_SHM);
	assert_int_equal(opts.hidden, HIDE_CGROUPS);
	options_free(&opts);
	assert_true(PARSE(&opts, "private=none"));
	assert_int_equal(opts.private_places, 0);
	assert_int_equal(opts.hidden, HIDE_CGROUPS);
	options_free(&opts);
}

static void private_mqueue_needs_ipc(void **state)
{
	struct options opts;

	(void)state;
	assert_false(PARSE(&opts, "private=mqueue"));
	assert_true(log_has(LOG_ERR, "argument 'private=mqueue' needs 'ipc'"));
	log_clear();
	conf_text = "# places\nprivate = tmp, mqueue\n";
	assert_false(PARSE(&opts, "grace=5"));
	assert_true(log_has(LOG_ERR, "line 2: 'private=mqueue' needs 'ipc'"));
	options_free(&opts);
	log_clear();
	assert_true(PARSE(&opts, "ipc"));
	options_free(&opts);
	assert_true(PARSE(&opts, "private=tmp"));
	options_free(&opts);
	assert_int_equal(log_count(ANY_PRIORITY), 0);
}

static void linger_needs_scope_user(void **state)
{
	struct options opts;

	(void)state;
	assert_true(PARSE(&opts, "linger", "scope=user"));
	assert_true(opts.per_user && opts.linger);
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	assert_false(PARSE(&opts, "linger"));
	assert_false(opts.linger);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(LOG_ERR, "argument 'linger' needs 'scope=user'"));
	log_clear();
	assert_false(PARSE(&opts, "scope=session", "linger"));
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_false(PARSE_QUIETLY(&opts, "linger"));
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	/* where nothing is decided */
	assert_true(PARSE(&opts, "close", "linger"));
}

static void with_scope_user_lists_are_no_arguments(void **state)
{
	struct options opts;

	(void)state;
	assert_false(PARSE(&opts, "scope=user", "exempt=alice"));
	assert_true(log_has(LOG_ERR, "argument 'exempt=' is for one service"));
	assert_true(log_has(LOG_ERR, "write it into " CONF));
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	log_clear();
	assert_false(PARSE(&opts, "only=alice", "scope=user", "exempt=bob"));
	assert_true(log_has(LOG_ERR, "argument 'only=' is for one service"));
	assert_int_equal(log_count(ANY_PRIORITY), 2);
	log_clear();
	assert_false(PARSE_QUIETLY(&opts, "scope=user", "exempt=alice"));
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	assert_true(PARSE(&opts, "scope=session", "exempt=alice", "only=bob"));
}

static void open_and_close_leave_the_other_half_out(void **state)
{
	struct options opts;

	(void)state;
	assert_true(PARSE(&opts, "open"));
	assert_true(opts.on_open);
	assert_false(opts.on_close);
	assert_true(PARSE(&opts, "close"));
	assert_false(opts.on_open);
	assert_true(opts.on_close);
}

static void values_are_kept(void **state)
{
	struct options opts;

	(void)state;
	assert_true(PARSE(&opts, "exempt=alice,@staff", "only=1000:60000", "grace=17",
		"proc_options=hidepid=invisible,gid=27"));
	assert_string_equal(opts.exempt, "alice,@staff");
	assert_string_equal(opts.only, "1000:60000");
	assert_int_equal(opts.grace, 17);
	assert_string_equal(opts.proc_options, "hidepid=invisible,gid=27");
	assert_int_equal(log_count(ANY_PRIORITY), 0);
}

static void all_arguments_at_once(void **state)
{
	struct options opts;

	(void)state;
	assert_true(PARSE(&opts, "debug", "exempt=@sudo", "only=@users", "grace=0", "include_root",
		"open", "proc_options=subset=pid", "ipc"));
	assert_true(opts.debug && opts.include_root && opts.ipc && opts.on_open);
	assert_false(opts.on_close);
	assert_string_equal(opts.exempt, "@sudo");
	assert_string_equal(opts.only, "@users");
	assert_int_equal(opts.grace, 0);
	assert_string_equal(opts.proc_options, "subset=pid");
}

static void grace_goes_from_0_to_3600(void **state)
{
	struct options opts;

	(void)state;
	assert_true(PARSE(&opts, "grace=0"));
	assert_int_equal(opts.grace, 0);
	assert_true(PARSE(&opts, "grace=3600"));
	assert_int_equal(opts.grace, 3600);
}

static void each_proc_option_with_each_value(void **state)
{
	static const char *const right[] = {"proc_options=hidepid=0", "proc_options=hidepid=1",
		"proc_options=hidepid=2", "proc_options=hidepid=4", "proc_options=hidepid=off",
		"proc_options=hidepid=noaccess", "proc_options=hidepid=invisible",
		"proc_options=hidepid=ptraceable", "proc_options=gid=0",
		"proc_options=gid=4294967294", "proc_options=subset=pid",
		"proc_options=hidepid=2,gid=27,subset=pid", "proc_options=subset=pid,hidepid=4"};
	struct options opts;

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		if (!PARSE(&opts, right[i]))
			fail_msg("'%s' is refused", right[i]);
		assert_string_equal(opts.proc_options, strchr(right[i], '=') + 1);
	}
}

/* ---- arguments that are wrong ---------------------------------------------------------------- */

/* An argument that is refused, with one message that names it, and without one when asked so. */
static void check_refused(const char *argument)
{
	char quoted[256];
	struct options opts;

	log_clear();
	if (PARSE(&opts, argument))
		fail_msg("'%s' is accepted", argument);
	(void)snprintf(quoted, sizeof(quoted), "'%s'", argument);
	if (!log_has(LOG_ERR, quoted))
		fail_msg("no message names '%s'", argument);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	log_clear();
	if (PARSE_QUIETLY(&opts, argument))
		fail_msg("'%s' is accepted without a handle", argument);
	assert_int_equal(log_count(ANY_PRIORITY), 0);
}

static void check_all_refused(const char *const *arguments, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_refused(arguments[i]);
}

static void unknown_words_are_refused(void **state)
{
	static const char *const wrong[] = {"", "=", "=1", "debu", "debugs", "Debug", "DEBUG",
		" debug", "debug ", "-debug", "opens", "close_", "exempts=alice", "exemp=alice",
		"grace5", "proc_option=gid=0", "include-root", "ipcs", "hidepid=2", "alice",
		"debug,ipc", "unknown=value", "scop=user", "enters=fork", "lingers", "conf_=/x",
		"confs=/x"};

	(void)state;
	check_all_refused(wrong, COUNT(wrong));
}

static void the_message_about_an_unknown_word_names_the_known_ones(void **state)
{
	static const char *const known[] = {"debug", "exempt=", "only=", "grace=", "include_root",
		"open", "close", "proc_options=", "ipc", "private=", "hide=", "scope=", "linger",
		"enter=", "conf="};
	struct options opts;

	(void)state;
	assert_false(PARSE(&opts, "verbose"));
	for (size_t i = 0; i < COUNT(known); i++)
		assert_true(log_has(LOG_ERR, known[i]));
}

static void flags_with_a_value_are_refused(void **state)
{
	static const char *const wrong[] = {"debug=", "debug=1", "include_root=yes",
		"include_root=", "open=", "open=1", "close=no", "ipc=ipc", "linger=", "linger=yes"};

	(void)state;
	check_all_refused(wrong, COUNT(wrong));
}

static void missing_values_are_refused(void **state)
{
	static const char *const wrong[] = {"exempt", "only", "grace", "proc_options", "scope",
		"conf", "exempt=", "only=", "grace=", "proc_options=", "scope=", "conf=", "enter",
		"enter="};

	(void)state;
	check_all_refused(wrong, COUNT(wrong));
}

static void lists_with_a_bad_item_are_refused(void **state)
{
	static const char *const wrong[] = {"exempt=,", "exempt=,alice", "exempt=alice,",
		"exempt=alice,,bob", "exempt=@", "exempt=@,alice", "exempt=alice,@",
		"only=:", "only=::", "only=1000:999", "only=1:2:3", "only=alice:", "only=:alice",
		"only=1000:alice", "only=-1:1000", "only=1000:-1", "only=+1:2", "only=1 :2",
		"only=@staff:5", "only=4294967295", "only=4294967296", "only=18446744073709551616",
		"only=18446744073709552616", "only=:4294967295",
		"only=4294967295:", "only=0:4294967295", "only=0:99999999999999999999999"};

	(void)state;
	check_all_refused(wrong, COUNT(wrong));
}

static void grace_out_of_bounds_is_refused(void **state)
{
	static const char *const wrong[] = {"grace=3601", "grace=-1", "grace=+5", "grace=5s",
		"grace= 5", "grace=5 ", "grace=0x10", "grace=1.5", "grace=five", "grace=4294967301",
		"grace=18446744073709551621"};

	(void)state;
	check_all_refused(wrong, COUNT(wrong));
}

static void bad_proc_options_are_refused(void **state)
{
	static const char *const wrong[] = {"proc_options=hidepid",
		"proc_options=hidepid=", "proc_options=hidepid=3", "proc_options=hidepid=5",
		"proc_options=hidepid=22", "proc_options=hidepid=Off", "proc_options=hidepid=of",
		"proc_options=hidepid=offf", "proc_options=gid",
		"proc_options=gid=", "proc_options=gid=users", "proc_options=gid=-1",
		"proc_options=gid=4294967295", "proc_options=subset",
		"proc_options=subset=", "proc_options=subset=sys", "proc_options=subset=pids",
		"proc_options=subset=pi", "proc_options=ro", "proc_options=,",
		"proc_options=gid=0,", "proc_options=,gid=0", "proc_options=gid=0,,hidepid=2",
		"proc_options=hidepid=2 ", "proc_options=xhidepid=2",
		"proc_options=gid=0,nosuch=1"};

	(void)state;
	check_all_refused(wrong, COUNT(wrong));
}

static void other_sets_are_refused(void **state)
{
	static const char *const wrong[] = {"private=", "private=tmp,", "private=,tmp",
		"private=tmp,,shm", "private=home", "private=tmpfs", "private=tm", "private=TMP",
		"private=tmp shm", "private=none,tmp", "private=tmp,none", "private=cgroups",
		"hide=", "hide=tmp", "hide=cgroup", "hide=cgroups,", "hide=cgroups,none", "private",
		"hide"};

	(void)state;
	check_all_refused(wrong, COUNT(wrong));
}

static void other_scopes_are_refused(void **state)
{
	static const char *const wrong[] = {"scope=users", "scope=use", "scope=User", "scope=user ",
		"scope= user", "scope=session,user", "scope=host", "scope=1"};

	(void)state;
	check_all_refused(wrong, COUNT(wrong));
}

static void other_ways_to_enter_are_refused(void **state)
{
	static const char *const wrong[] = {"enter=threads", "enter=forks", "enter=for",
		"enter=Fork", "enter=fork ", "enter= fork", "enter=open,fork", "enter=1"};

	(void)state;
	check_all_refused(wrong, COUNT(wrong));
}

static void strings_given_twice_are_refused(void **state)
{
	struct options opts;

	(void)state;
	assert_false(PARSE(&opts, "exempt=alice", "exempt=bob"));
	assert_true(log_has(LOG_ERR, "'exempt=bob'"));
	assert_false(log_has(LOG_ERR, "'exempt=alice'"));
	assert_false(PARSE(&opts, "only=alice", "debug", "only=alice"));
	assert_true(log_has(LOG_ERR, "'only=alice'"));
	assert_false(PARSE(&opts, "proc_options=gid=0", "proc_options=hidepid=2"));
	assert_true(log_has(LOG_ERR, "'proc_options=hidepid=2'"));
	assert_false(PARSE(&opts, "exempt=", "exempt=bob"));
}

static void open_and_close_together_are_refused(void **state)
{
	struct options opts;

	(void)state;
	assert_false(PARSE(&opts, "open", "close"));
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_true(log_has(LOG_ERR, "'open'"));
	assert_true(log_has(LOG_ERR, "'close'"));
	log_clear();
	assert_false(PARSE(&opts, "close", "debug", "open"));
	assert_int_equal(log_count(LOG_ERR), 1);
	log_clear();
	assert_false(PARSE_QUIETLY(&opts, "open", "close"));
	assert_int_equal(log_count(ANY_PRIORITY), 0);
}

static void every_wrong_argument_has_its_message(void **state)
{
	struct options opts;

	(void)state;
	assert_false(PARSE(&opts, "nonsense", "debug", "grace=many", "only=:", "ipc"));
	assert_int_equal(log_count(LOG_ERR), 3);
	assert_true(log_has(LOG_ERR, "'nonsense'"));
	assert_true(log_has(LOG_ERR, "'grace=many'"));
	assert_true(log_has(LOG_ERR, "'only=:'"));
	/* the good ones count: debug is what an administrator adds to find the error */
	assert_true(opts.debug);
	assert_true(opts.ipc);
	assert_int_equal(opts.grace, 5);
}

static void one_wrong_argument_among_good_ones_is_enough(void **state)
{
	struct options opts;

	(void)state;
	assert_false(PARSE(&opts, "bad", "debug"));
	assert_false(PARSE(&opts, "debug", "bad"));
	assert_false(PARSE(&opts, "debug", "bad", "ipc"));
}

/* ---- the words of the file --------------------------------------------------------------------
 */

/* All values of the file are those of the same arguments; strings live until they are freed. */
static void the_file_has_the_words_of_the_arguments(void **state)
{
	struct options opts;

	(void)state;
	conf_text = "# about it\ndebug\nexempt = alice, @staff\nonly=1000:60000\n grace = 17\n"
		    "include_root\nproc_options = hidepid=2, gid=27\nipc\nscope = user\nlinger";
	memset(&opts, 0x5a, sizeof(opts));
	assert_true(options_parse(PAMH, 0, NULL, &opts));
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	assert_true(opts.debug && opts.include_root && opts.ipc && opts.per_user && opts.linger);
	assert_true(opts.on_open && opts.on_close);
	assert_string_equal(opts.exempt, "alice,@staff");
	assert_string_equal(opts.only, "1000:60000");
	assert_int_equal(opts.grace, 17);
	assert_string_equal(opts.proc_options, "hidepid=2,gid=27");
	assert_string_equal(opts.conf, CONF);
	assert_non_null(opts.text);
	options_free(&opts);
	assert_null(opts.text);
	options_free(&opts);
}

static void an_empty_file_gives_the_defaults(void **state)
{
	struct options opts;

	(void)state;
	conf_text = "\n# nothing\n\n";
	assert_true(PARSE(&opts, "open"));
	assert_non_null(opts.text);
	options_free(&opts);
	opts.on_close = true;
	check_defaults(&opts);
}

static void arguments_override_the_file(void **state)
{
	struct options opts;

	(void)state;
	conf_text = "exempt=alice\nonly=bob\ngrace=17\nproc_options=gid=0\nscope=user\nlinger";
	assert_true(PARSE(&opts, "grace=5", "scope=session", "exempt=carol", "debug"));
	assert_int_equal(opts.grace, 5); /* also where it is the default */
	assert_false(opts.per_user);
	assert_string_equal(opts.exempt, "carol"); /* and not added to the file's */
	assert_true(opts.debug);
	assert_string_equal(opts.only, "bob"); /* what no argument says is the file's */
	assert_string_equal(opts.proc_options, "gid=0");
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	options_free(&opts);
	assert_true(PARSE(&opts, "proc_options=hidepid=2"));
	assert_string_equal(opts.proc_options, "hidepid=2");
	assert_int_equal(opts.grace, 17);
	assert_true(opts.per_user);
	options_free(&opts);
}

static void linger_of_the_file_is_for_scope_user(void **state)
{
	struct options opts;

	(void)state;
	conf_text = "linger";
	assert_true(PARSE(&opts, "scope=user"));
	assert_true(opts.linger);
	options_free(&opts);
	/* the line has said what it wants */
	assert_true(PARSE(&opts, "scope=session"));
	assert_false(opts.linger);
	options_free(&opts);
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	conf_text = "\nlinger\nscope=session";
	assert_false(PARSE(&opts, "debug"));
	assert_true(log_has(LOG_ERR, CONF " line 2: 'linger' needs 'scope=user'"));
	options_free(&opts);
	log_clear();
	conf_text = "scope=session";
	assert_false(PARSE(&opts, "linger"));
	assert_true(log_has(LOG_ERR, "argument 'linger' needs 'scope=user'"));
	options_free(&opts);
}

static void with_scope_user_lists_are_the_files(void **state)
{
	struct options opts;

	(void)state;
	conf_text = "scope=user\nexempt=alice\nonly=@users";
	assert_true(PARSE(&opts, "open"));
	assert_string_equal(opts.exempt, "alice");
	options_free(&opts);
	assert_false(PARSE(&opts, "exempt=alice"));
	assert_true(log_has(LOG_ERR, "argument 'exempt=' is for one service"));
	options_free(&opts);
	assert_true(PARSE(&opts, "scope=session", "exempt=bob"));
	assert_string_equal(opts.exempt, "bob");
	options_free(&opts);
	conf_text = "exempt=alice";
	assert_false(PARSE(&opts, "scope=user", "only=bob"));
	options_free(&opts);
}

/* A mistake in the file is named with the line, and the word. */
static void check_mistake(const char *text, const char *expected)
{
	char message[256];
	struct options opts;

	log_clear();
	conf_text = text;
	if (PARSE(&opts, "open"))
		fail_msg("'%s' is accepted", text);
	options_free(&opts);
	(void)snprintf(message, sizeof(message), CONF " line %s", expected);
	if (!log_has(LOG_ERR, message))
		fail_msg("of '%s' it is not said: %s", text, message);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_false(PARSE_QUIETLY(&opts, "open"));
	options_free(&opts);
	assert_int_equal(log_count(ANY_PRIORITY), 1);
}

static void mistakes_in_the_file_are_named(void **state)
{
	(void)state;
	check_mistake("nonsense", "1: 'nonsense' is unknown: known are debug, exempt=, only=");
	check_mistake("\n#\n grace = soon", "3: 'grace=soon' is not understood: 'grace=' takes a");
	check_mistake("grace = 3601\nipc", "1: 'grace=3601' is not understood");
	check_mistake("grace =", "1: 'grace=' is not understood");
	check_mistake("grace", "1: 'grace' is not understood");
	check_mistake("= 5", "1: '=5' is unknown");
	check_mistake("ipc = yes", "1: 'ipc=yes' is not understood: 'ipc' takes the word alone");
	check_mistake("debug ipc", "1: 'debug ipc' is unknown");
	check_mistake("exempt = alice,,bob", "1: 'exempt=alice,,bob' is not understood");
	check_mistake("exempt = alice\nexempt = bob", "2: 'exempt=bob' is not understood");
	check_mistake(
		"scope = host", "1: 'scope=host' is not understood: 'scope=' takes 'session'");
	check_mistake("debug \\\nipc", "1: 'debug \\' is unknown");
	check_mistake("\xef\xbb\xbf# a byte order mark", "1: '\xef\xbb\xbf' is unknown");
}

static void what_is_an_argument_only_is_no_word_of_the_file(void **state)
{
	struct options opts;

	(void)state;
	check_mistake("open", "1: 'open' can be an argument only");
	check_mistake("ipc\nclose", "2: 'close' can be an argument only");
	check_mistake("conf = /etc/other", "1: 'conf=/etc/other' can be an argument only");
	/* nor is it named as one */
	conf_text = "nonsense";
	log_clear();
	assert_false(PARSE(&opts, "debug"));
	assert_false(log_has(LOG_ERR, "open"));
	assert_false(log_has(LOG_ERR, "conf="));
	assert_true(log_has(LOG_ERR, "proc_options="));
	options_free(&opts);
}

static void each_mistake_in_the_file_has_its_message(void **state)
{
	static const char text[] = "nonsense\ndebug\ngrace = many\nipc\0\nonly = :";
	struct options opts;

	(void)state;
	conf_text = text;
	conf_size = sizeof(text) - 1;
	assert_false(PARSE(&opts, "wrong"));
	assert_int_equal(log_count(LOG_ERR), 5);
	assert_true(log_has(LOG_ERR, "argument 'wrong'"));
	assert_true(log_has(LOG_ERR, CONF " line 1: 'nonsense'"));
	assert_true(log_has(LOG_ERR, CONF " line 3: 'grace=many'"));
	assert_true(log_has(LOG_ERR, CONF " line 4: a NUL byte is no text"));
	assert_true(log_has(LOG_ERR, CONF " line 5: 'only=:'"));
	assert_true(opts.debug); /* the good ones count */
	options_free(&opts);
}

static void a_file_of_mistakes_does_not_flood_the_log(void **state)
{
	char text[2 * 1000 + 1] = "";
	struct options opts;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 2 * i, "x\n", 3);
	conf_text = text;
	assert_false(PARSE(&opts, "open"));
	assert_int_equal(log_count(LOG_ERR), 16);
	options_free(&opts);
}

static void conf_names_another_file(void **state)
{
	struct options opts;

	(void)state;
	conf_text = "ipc";
	assert_true(PARSE(&opts, "conf=/etc/security/other.conf"));
	assert_string_equal(conf_path, "/etc/security/other.conf");
	assert_string_equal(opts.conf, "/etc/security/other.conf");
	assert_true(opts.ipc);
	assert_int_equal(conf_reads, 1); /* and not the usual one as well */
	options_free(&opts);
	assert_false(PARSE(&opts, "conf=/a", "conf=/b"));
	assert_true(log_has(LOG_ERR, "'conf=/b' is not understood"));
	options_free(&opts);
	conf_text = "nonsense";
	assert_false(PARSE(&opts, "conf=/etc/other"));
	assert_true(log_has(LOG_ERR, "/etc/other line 1: 'nonsense'"));
	options_free(&opts);
}

static void conf_must_be_absolute(void **state)
{
	struct options opts;

	(void)state;
	check_refused("conf=unshare.conf");
	check_refused("conf=./unshare.conf");
	check_refused("conf= /etc/other");
	/* nothing below the caller's working directory is opened */
	assert_false(PARSE(&opts, "conf=unshare.conf"));
	assert_string_equal(conf_path, CONF);
}

static void a_file_that_is_named_must_be_there(void **state)
{
	struct options opts;

	(void)state;
	assert_false(PARSE(&opts, "conf=/etc/other"));
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(
		LOG_ERR, "cannot configure the session: open the configuration file /etc/other: "));
	assert_true(PARSE(&opts, "debug")); /* the usual one need not */
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
	struct options opts;

	(void)state;
	conf_errno = EMFILE;
	assert_false(PARSE(&opts, "debug", "grace=7"));
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(log_has(
		LOG_ERR, "cannot configure the session: read the configuration file " CONF ": "));
	assert_true(opts.debug && opts.grace == 7); /* the arguments count */
	assert_false(PARSE_QUIETLY(&opts, "debug"));
	assert_int_equal(log_count(ANY_PRIORITY), 1);
}

static void only_a_line_that_opens_reads_the_file(void **state)
{
	struct options opts;

	(void)state;
	conf_text = "nonsense";
	assert_true(PARSE(&opts, "close"));
	assert_true(PARSE(&opts, "close", "conf=/etc/other"));
	assert_true(options_parse_arguments(PAMH, 0, NULL, &opts));
	assert_true(opts.on_open && opts.on_close);
	assert_null(opts.text);
	assert_int_equal(conf_reads, 0);
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	assert_false(PARSE(&opts, "open")); /* negative control */
	assert_int_equal(conf_reads, 1);
	options_free(&opts);
}

/* ---- lists ------------------------------------------------------------------------------------
 */

/* A list of one item, on the heap without a byte to spare: reading beyond it is noticed. */
static int take_only(const char *text, struct list_item *item)
{
	char *list = strdup(text);
	const char *rest = list;
	int result;

	assert_non_null(list);
	memset(item, 0x5a, sizeof(*item));
	result = list_next(&rest, item);
	if (result == 1) {
		assert_string_equal(rest, "");
		assert_int_equal(list_next(&rest, &(struct list_item){0}), 0);
	}
	free(list);
	return result;
}

static void check_name(const char *text, int kind, const char *name)
{
	struct list_item item;

	if (take_only(text, &item) != 1)
		fail_msg("'%s' is no item", text);
	assert_int_equal(item.kind, kind);
	assert_string_equal(item.name, name);
}

static void check_uids(const char *text, uid_t min, uid_t max)
{
	struct list_item item;

	if (take_only(text, &item) != 1)
		fail_msg("'%s' is no item", text);
	assert_int_equal(item.kind, LIST_UIDS);
	assert_int_equal(item.min, min);
	assert_int_equal(item.max, max);
}

static void names_of_all_kinds(void **state)
{
	(void)state;
	check_name("alice", LIST_NAME, "alice");
	check_name("a", LIST_NAME, "a");
	check_name("DOM\\user", LIST_NAME, "DOM\\user");
	check_name("user@example.org", LIST_NAME, "user@example.org");
	check_name("space cadet", LIST_NAME, "space cadet");
	check_name("m\xc3\xbcller", LIST_NAME, "m\xc3\xbcller");
	check_name("1000abc", LIST_NAME, "1000abc");
	check_name("host$", LIST_NAME, "host$");
	check_name("%s%n", LIST_NAME, "%s%n");
}

static void groups_of_all_kinds(void **state)
{
	(void)state;
	check_name("@staff", LIST_GROUP, "staff");
	check_name("@domain users", LIST_GROUP, "domain users");
	check_name("@DOM\\domain admins", LIST_GROUP, "DOM\\domain admins");
	check_name("@admins@example.org", LIST_GROUP, "admins@example.org");
	check_name("@1000", LIST_GROUP, "1000"); /* a name of digits, not a gid */
	check_name("@@staff", LIST_GROUP, "@staff");
}

static void uids_and_ranges(void **state)
{
	(void)state;
	check_uids("0", 0, 0);
	check_uids("1000", 1000, 1000);
	check_uids("4294967294", UID_MAX, UID_MAX);
	check_uids("1000:2000", 1000, 2000);
	check_uids("1000:1000", 1000, 1000);
	check_uids("0:4294967294", 0, UID_MAX);
}

static void half_open_ranges_are_as_in_limits_conf(void **state)
{
	(void)state;
	/* "If min_uid is omitted, the match is exact for the max_uid. If max_uid is omitted, all
	   uids greater than or equal min_uid match." */
	check_uids(":1000", 1000, 1000);
	check_uids(":0", 0, 0);
	check_uids(":4294967294", UID_MAX, UID_MAX);
	check_uids("1000:", 1000, UID_MAX);
	check_uids("0:", 0, UID_MAX);
	check_uids("4294967294:", UID_MAX, UID_MAX);
}

static void what_is_no_item(void **state)
{
	static const char *const wrong[] = {",", ",,", ",,,,,,,,", ",a", "@", "@,", "@,a", ":",
		":,", "::", ":::", "5:4", "1:2:3", "1::2", "a:1", "1:a", ":a", "a:", "a:b", "@a:b",
		"@1:2", "@:", "-1:5", "1:-1", "+1:2", "1: 2", " 1:2", "4294967295", "4294967296",
		"4294967295:", ":4294967295", "18446744073709551616", "18446744073709552616"};
	struct list_item item;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (take_only(wrong[i], &item) != -1)
			fail_msg("'%s' is an item", wrong[i]);
}

static void the_empty_list_is_at_its_end(void **state)
{
	struct list_item item;

	(void)state;
	assert_int_equal(take_only("", &item), 0);
}

static void items_come_in_order(void **state)
{
	const char *list = "alice,@staff,1000,2000:3000,:7,9:,@domain users,1a";
	struct list_item item;

	(void)state;
	assert_int_equal(list_next(&list, &item), 1);
	assert_int_equal(item.kind, LIST_NAME);
	assert_string_equal(item.name, "alice");
	assert_int_equal(list_next(&list, &item), 1);
	assert_int_equal(item.kind, LIST_GROUP);
	assert_string_equal(item.name, "staff");
	assert_int_equal(list_next(&list, &item), 1);
	assert_int_equal(item.kind, LIST_UIDS);
	assert_true(item.min == 1000 && item.max == 1000);
	assert_int_equal(list_next(&list, &item), 1);
	assert_true(item.min == 2000 && item.max == 3000);
	assert_int_equal(list_next(&list, &item), 1);
	assert_true(item.min == 7 && item.max == 7);
	assert_int_equal(list_next(&list, &item), 1);
	assert_true(item.min == 9 && item.max == UID_MAX);
	assert_int_equal(list_next(&list, &item), 1);
	assert_int_equal(item.kind, LIST_GROUP);
	assert_string_equal(item.name, "domain users");
	assert_int_equal(list_next(&list, &item), 1);
	assert_int_equal(item.kind, LIST_NAME);
	assert_string_equal(item.name, "1a");
	assert_int_equal(list_next(&list, &item), 0);
	assert_int_equal(list_next(&list, &item), 0);
}

static void an_error_behind_good_items_is_found(void **state)
{
	static const char *const wrong[] = {
		"alice,", "alice,,bob", "1000,:", "@staff,@", "1000:2000,5:4", "a,b,c,"};
	struct list_item item;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const char *list = wrong[i];
		int result, items = 0;

		while ((result = list_next(&list, &item)) == 1)
			if (++items > 3)
				fail_msg("'%s' has no end", wrong[i]);
		if (result != -1)
			fail_msg("'%s' is accepted", wrong[i]);
	}
}

/* A text of one character, n times, behind a prefix. */
static char *repeat(const char *prefix, char c, size_t n)
{
	size_t start = strlen(prefix);
	char *text = malloc(start + n + 1);

	assert_non_null(text);
	memcpy(text, prefix, start);
	memset(text + start, c, n);
	text[start + n] = '\0';
	return text;
}

static void check_repeated(const char *prefix, char c, size_t n, int expected)
{
	struct list_item item;
	char *text = repeat(prefix, c, n);

	if (take_only(text, &item) != expected)
		fail_msg("'%s' and %zu times '%c'", prefix, n, c);
	if (expected == 1)
		assert_string_equal(item.name, text + (*text == '@'));
	free(text);
}

static void very_long_items(void **state)
{
	const size_t room = sizeof(((struct list_item *)NULL)->name);

	(void)state;
	check_repeated("", 'x', room - 1, 1);
	check_repeated("", 'x', room, -1);
	check_repeated("", 'x', 1U << 20, -1);
	check_repeated("@", 'x', room - 1, 1);
	check_repeated("@", 'x', room, -1);
	check_repeated("@", 'x', 1U << 20, -1);
	check_repeated("", '9', 1U << 20, -1);
	check_repeated("1:", '9', 1U << 20, -1);
	check_repeated("", ',', 1U << 20, -1);
	check_repeated("", ':', 1U << 20, -1);
}

static void a_very_long_argument_is_refused_with_a_message(void **state)
{
	char *argument = repeat("exempt=", 'x', 1U << 20);
	struct options opts;

	(void)state;
	assert_false(PARSE(&opts, argument));
	assert_int_equal(log_count(LOG_ERR), 1);
	assert_true(log_has(LOG_ERR, "'exempt=xxxxxxxx"));
	free(argument);
}

static void a_list_of_very_many_items_is_accepted(void **state)
{
	char *argument = repeat("only=", '1', 20001);
	struct options opts;

	(void)state;
	for (size_t i = 1; i < 20001; i += 2)
		argument[5 + i] = ',';
	assert_true(PARSE(&opts, argument));
	free(argument);
}

/* Whether alice is let in with a file that is not understood. */
static bool admits(const char *text, size_t size, const char *argument)
{
	const struct passwd alice = user("alice"), root = user("root");
	struct options opts;
	bool admitted;

	conf_text = text;
	conf_size = size;
	assert_false(argument ? PARSE(&opts, argument) : options_parse(PAMH, 0, NULL, &opts));
	assert_true(options_admit(PAMH, &opts, &root));
	admitted = options_admit(PAMH, &opts, &alice);
	options_free(&opts);
	return admitted;
}

static void a_mistake_admits_who_is_exempt_whatever_was_meant(void **state)
{
	(void)state;
	assert_true(admits("exempt = alice\nnonsense", 0, NULL));
	assert_true(admits("nonsense\nexempt = bob, alice\nlinger", 0, NULL));
	assert_true(admits("scope = usr\nexempt = alice", 0, "ipc"));
	assert_false(admits("nonsense", 0, "exempt=alice"));
	assert_false(admits("nonsense", 0, NULL));
	assert_false(admits("exempt = bob\nnonsense", 0, NULL));
	assert_false(admits("exempt = alice\nnonsense", 0, "exempt=bob"));
	assert_false(admits("exempt = alice\nexempt = alice", 0, NULL));
	assert_false(admits("exempt = alice\nexempt", 0, NULL));
	assert_false(admits("exempt = alice,,bob", 0, NULL));
	assert_false(admits("exempt = alice", 0, "nonsense"));
	assert_false(admits("scope = user", 0, "exempt=alice"));
	assert_false(admits("exempt = alice\nexempt bob", 0, NULL));
	assert_false(admits("Exempt: bob\nexempt = alice", 0, NULL));
	assert_false(admits("exempt += bob\nexempt = alice", 0, NULL));
	assert_false(admits("exempt = alice\ngrace = 5 exempt = bob", 0, NULL));
	assert_false(admits("\xef\xbb\xbf"
			    "exempt = bob\nexempt = alice",
		0, NULL));
	/* arguments that are understood, and do not go with others */
	assert_true(admits("exempt = alice\nscope = user", 0, "only=bob"));
	assert_true(admits("exempt = alice\nscope = usr", 0, "linger"));
	assert_true(admits("exempt = alice", 0, "private=mqueue"));
	assert_false(admits("exempt = alice\nno\0n", 19, NULL));
	assert_true(admits("exempt = alice\n1\n2\n3\n4\n5\n6\n7\n8\n9\na\nb\nc\nd\ne\nf", 0, NULL));
	assert_false(
		admits("exempt = alice\n1\n2\n3\n4\n5\n6\n7\n8\n9\na\nb\nc\nd\ne\nf\ng", 0, NULL));
}

/* ---- who is isolated ----------------------------------------------------------------------------
 */

/* Decide about a user by arguments that are right. The log and the look-ups start at zero. */
static bool isolates(const char *name, const char *first, const char *second)
{
	struct options opts;
	struct passwd target;
	bool down = directory_down;

	assert_true(first ? PARSE(&opts, first, second) : options_parse(PAMH, 0, NULL, &opts));
	directory_down = false; /* the target itself is known in any case */
	target = user(name);
	directory_down = down;
	log_clear();
	lookups = 0;
	return options_isolate(PAMH, &opts, &target);
}

static void everyone_but_root_by_default(void **state)
{
	(void)state;
	assert_true(isolates("alice", NULL, NULL));
	assert_false(isolates("root", NULL, NULL));
	assert_false(isolates("toor", NULL, NULL));
	assert_true(isolates("root", "include_root", NULL));
	assert_true(isolates("toor", "include_root", NULL));
	assert_int_equal(log_count(ANY_PRIORITY), 0);
}

static void only_does_not_include_root(void **state)
{
	(void)state;
	assert_false(isolates("root", "only=root", NULL));
	assert_false(isolates("root", "only=0", NULL));
	assert_false(isolates("root", "only=@root", NULL));
	assert_true(isolates("root", "only=root", "include_root"));
	assert_false(isolates("root", "only=alice", "include_root"));
	assert_false(isolates("root", "exempt=0", "include_root"));
}

static void exempt_by_each_kind_of_item(void **state)
{
	(void)state;
	assert_false(isolates("alice", "exempt=alice", NULL));
	assert_false(isolates("alice", "exempt=1000", NULL));
	assert_false(isolates("alice", "exempt=999:1001", NULL));
	assert_false(isolates("alice", "exempt=:1000", NULL));
	assert_false(isolates("alice", "exempt=1000:", NULL));
	assert_false(isolates("alice", "exempt=@staff", NULL));
	assert_false(isolates("alice", "exempt=@users", NULL));
	assert_true(isolates("alice", "exempt=bob", NULL));
	assert_true(isolates("alice", "exempt=1001", NULL));
	assert_true(isolates("alice", "exempt=1001:2000", NULL));
	assert_true(isolates("alice", "exempt=1:999", NULL));
	assert_true(isolates("alice", "exempt=:1001", NULL));
	assert_true(isolates("alice", "exempt=1001:", NULL));
	assert_true(isolates("alice", "exempt=@sudo", NULL));
	assert_int_equal(log_count(ANY_PRIORITY), 0);
}

static void only_by_each_kind_of_item(void **state)
{
	(void)state;
	assert_true(isolates("alice", "only=alice", NULL));
	assert_true(isolates("alice", "only=1000", NULL));
	assert_true(isolates("alice", "only=999:1001", NULL));
	assert_true(isolates("alice", "only=:1000", NULL));
	assert_true(isolates("alice", "only=@staff", NULL));
	assert_true(isolates("alice", "only=@users", NULL));
	assert_false(isolates("alice", "only=bob", NULL));
	assert_false(isolates("alice", "only=1001", NULL));
	assert_false(isolates("alice", "only=:1001", NULL));
	assert_false(isolates("alice", "only=@sudo", NULL));
	assert_int_equal(log_count(ANY_PRIORITY), 0);
}

static void range_ends_are_included(void **state)
{
	(void)state;
	assert_false(isolates("alice", "exempt=1000:1001", NULL));
	assert_false(isolates("bob", "exempt=1000:1001", NULL));
}

static void any_item_of_a_list_counts(void **state)
{
	(void)state;
	assert_false(isolates("alice", "exempt=bob,@sudo,5:6,alice", NULL));
	assert_false(isolates("alice", "exempt=alice,bob", NULL));
	assert_true(isolates("alice", "only=bob,alice", NULL));
	assert_false(isolates("alice", "only=bob,@sudo,5:6", NULL));
}

static void exempt_wins_over_only(void **state)
{
	(void)state;
	assert_false(isolates("alice", "only=alice", "exempt=alice"));
	assert_false(isolates("alice", "exempt=@staff", "only=@users"));
	assert_true(isolates("bob", "exempt=@staff", "only=@users"));
}

static void primary_and_supplementary_groups_count(void **state)
{
	(void)state;
	/* alice's primary group; the group's entry does not list her */
	assert_false(isolates("alice", "exempt=@users", NULL));
	/* listed in the group's entry */
	assert_false(isolates("alice", "exempt=@staff", NULL));
	assert_true(isolates("bob", "exempt=@staff", NULL));
}

static void another_name_of_the_same_uid_counts(void **state)
{
	(void)state;
	assert_false(isolates("alice", "exempt=alice_backup", NULL));
	assert_false(isolates("alice_backup", "exempt=alice", NULL));
	assert_true(isolates("alice_backup", "only=alice", NULL));
	assert_false(isolates("root", "exempt=toor", "include_root"));
	assert_int_equal(log_count(ANY_PRIORITY), 0);
}

static void names_of_directory_servers(void **state)
{
	(void)state;
	assert_false(isolates("DOM\\user", "exempt=DOM\\user", NULL));
	assert_false(isolates("DOM\\user", "exempt=@DOM\\domain admins", NULL));
	assert_false(isolates("user@example.org", "exempt=user@example.org", NULL));
	assert_false(isolates("space cadet", "exempt=@domain users", NULL));
	assert_false(isolates("space cadet", "exempt=space cadet", NULL));
	assert_true(isolates("user@example.org", "exempt=user", NULL));
	assert_true(isolates("alice", "exempt=@domain users", NULL));
}

static void what_cannot_be_resolved_decides_for_isolation(void **state)
{
	(void)state;
	assert_true(isolates("alice", "exempt=ghost", NULL));
	assert_true(log_has(ANY_PRIORITY, "'ghost'"));
	assert_true(isolates("alice", "exempt=@ghosts", NULL));
	assert_true(log_has(ANY_PRIORITY, "'ghosts'"));
	assert_true(isolates("alice", "only=ghost", NULL));
	assert_true(log_has(ANY_PRIORITY, "'ghost'"));
	assert_true(isolates("alice", "only=bob,@ghosts", NULL));
	assert_true(log_has(ANY_PRIORITY, "'ghosts'"));
	assert_true(isolates("alice", "only=@ghosts,bob", NULL));
	assert_true(isolates("alice", "exempt=ghost", "only=@ghosts"));
	assert_int_equal(log_count(ANY_PRIORITY), 2);
}

static void what_cannot_be_resolved_does_not_hide_what_can(void **state)
{
	(void)state;
	assert_false(isolates("alice", "exempt=ghost,@ghosts,alice", NULL));
	assert_false(isolates("alice", "exempt=ghost,@staff", NULL));
	assert_false(isolates("alice", "only=ghost,alice", "exempt=alice"));
}

static void the_log_tells_users_from_groups(void **state)
{
	(void)state;
	assert_true(isolates("alice", "exempt=ghost", NULL));
	assert_true(log_has(ANY_PRIORITY, "user 'ghost'"));
	assert_true(isolates("alice", "exempt=@ghosts", NULL));
	assert_true(log_has(ANY_PRIORITY, "group 'ghosts'"));
}

static void a_directory_that_is_down_locks_nobody_out(void **state)
{
	(void)state;
	directory_down = true;
	assert_true(isolates("alice", "exempt=@staff", NULL));
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	assert_true(isolates("alice", "only=@sudo", NULL));
	assert_int_equal(log_count(ANY_PRIORITY), 1);
	/* what needs no directory still counts */
	assert_false(isolates("alice", "exempt=alice", NULL));
	assert_false(isolates("alice", "exempt=1000", NULL));
	assert_int_equal(log_count(ANY_PRIORITY), 0);
	assert_int_equal(lookups, 0);
	assert_false(isolates("root", "only=@sudo", NULL));
	assert_int_equal(lookups, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_argument_gives_the_defaults),
		TEST(each_flag_sets_its_own_member_only),
		TEST(open_and_close_leave_the_other_half_out),
		TEST(values_are_kept),
		TEST(all_arguments_at_once),
		TEST(grace_goes_from_0_to_3600),
		TEST(scope_is_session_or_user),
		TEST(enter_is_open_or_fork),
		TEST(private_and_hide_are_sets),
		TEST(other_sets_are_refused),
		TEST(private_mqueue_needs_ipc),
		TEST(linger_needs_scope_user),
		TEST(with_scope_user_lists_are_no_arguments),
		TEST(each_proc_option_with_each_value),
		TEST(unknown_words_are_refused),
		TEST(the_message_about_an_unknown_word_names_the_known_ones),
		TEST(flags_with_a_value_are_refused),
		TEST(missing_values_are_refused),
		TEST(lists_with_a_bad_item_are_refused),
		TEST(grace_out_of_bounds_is_refused),
		TEST(bad_proc_options_are_refused),
		TEST(other_scopes_are_refused),
		TEST(other_ways_to_enter_are_refused),
		TEST(strings_given_twice_are_refused),
		TEST(open_and_close_together_are_refused),
		TEST(every_wrong_argument_has_its_message),
		TEST(one_wrong_argument_among_good_ones_is_enough),
		TEST(the_file_has_the_words_of_the_arguments),
		TEST(an_empty_file_gives_the_defaults),
		TEST(arguments_override_the_file),
		TEST(linger_of_the_file_is_for_scope_user),
		TEST(with_scope_user_lists_are_the_files),
		TEST(mistakes_in_the_file_are_named),
		TEST(what_is_an_argument_only_is_no_word_of_the_file),
		TEST(each_mistake_in_the_file_has_its_message),
		TEST(a_file_of_mistakes_does_not_flood_the_log),
		TEST(a_mistake_admits_who_is_exempt_whatever_was_meant),
		TEST(conf_names_another_file),
		TEST(conf_must_be_absolute),
		TEST(a_file_that_is_named_must_be_there),
		TEST(a_file_that_cannot_be_read_is_refused),
		TEST(only_a_line_that_opens_reads_the_file),
		TEST(names_of_all_kinds),
		TEST(groups_of_all_kinds),
		TEST(uids_and_ranges),
		TEST(half_open_ranges_are_as_in_limits_conf),
		TEST(what_is_no_item),
		TEST(the_empty_list_is_at_its_end),
		TEST(items_come_in_order),
		TEST(an_error_behind_good_items_is_found),
		TEST(very_long_items),
		TEST(a_very_long_argument_is_refused_with_a_message),
		TEST(a_list_of_very_many_items_is_accepted),
		TEST(everyone_but_root_by_default),
		TEST(only_does_not_include_root),
		TEST(exempt_by_each_kind_of_item),
		TEST(only_by_each_kind_of_item),
		TEST(range_ends_are_included),
		TEST(any_item_of_a_list_counts),
		TEST(exempt_wins_over_only),
		TEST(primary_and_supplementary_groups_count),
		TEST(another_name_of_the_same_uid_counts),
		TEST(names_of_directory_servers),
		TEST(what_cannot_be_resolved_decides_for_isolation),
		TEST(what_cannot_be_resolved_does_not_hide_what_can),
		TEST(the_log_tells_users_from_groups),
		TEST(a_directory_that_is_down_locks_nobody_out),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
