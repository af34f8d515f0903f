/* SPDX-License-Identifier: MIT */
/* The configuration file: its words, and what the module takes from them. */
#include "fuzz.h"
#include "module/conf.h"
#include "module/list.h"
#include "module/options.h"

#include <security/pam_ext.h>
#include <security/pam_modutil.h>
#include <stdio.h>

#define PATH "/etc/security/unshare.conf"
#define WORDS 4096 /* no more fit into what libFuzzer makes */

static const uint8_t *input;
static size_t input_size;

int conf_read(const char *path, char **text, size_t *size, struct failure *why)
{
	DEMAND(strcmp(path, PATH) == 0 && why->err == 0);
	*size = input_size;
	*text = as_string(input, input_size);
	return 1;
}

/* Nobody is looked up. */
struct passwd *pam_modutil_getpwnam(pam_handle_t *pamh, const char *name)
{
	(void)pamh;
	(void)name;
	abort();
}

struct group *pam_modutil_getgrnam(pam_handle_t *pamh, const char *name)
{
	(void)pamh;
	(void)name;
	abort();
}

int pam_modutil_user_in_group_nam_gid(pam_handle_t *pamh, const char *user, gid_t gid)
{
	(void)pamh;
	(void)user;
	(void)gid;
	abort();
}

static unsigned int messages;

/* Each message is about a line of the file. */
void pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
	(void)pamh;
	(void)priority;
	DEMAND(strncmp(fmt, "%s line %u: ", 12) == 0);
	messages++;
}

static int count_lines(const char *text, size_t size)
{
	int lines = size > 0 && text[size - 1] != '\n';

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* A word is no longer than its line, and holds no white space that can be left out. */
static void check_word(const char *word)
{
	size_t n = strlen(word);

	DEMAND(n > 0 && !strpbrk(word, "#\n"));
	DEMAND(!strchr(" \t\r\v\f", word[0]) && !strchr(" \t\r\v\f", word[n - 1]));
	for (const char *s = word; (s = strpbrk(s, "=,")); s++)
		DEMAND(s[1] == '\0' || !strchr(" \t\r\v\f", s[1]));
	DEMAND_OF_CONTROL(!strchr(word, ' ') || !strchr(word, ','));
}

/* Take all words out of a text. Returns whether all of its lines are text. */
static bool take_words(char *text, size_t size, const char **words, int *n)
{
	const unsigned int lines = (unsigned int)count_lines(text, size);
	struct conf conf = {.at = text, .end = text + size};
	unsigned int before = 0;
	bool good = true;
	char *word;
	int found;

	for (*n = 0; *n < WORDS && (found = conf_next(&conf, &word)) != 0; before = conf.line) {
		DEMAND(conf.line > before && conf.line <= lines);
		good = found > 0 && good;
		if (found < 0)
			continue;
		DEMAND(word >= text && word + strlen(word) <= text + size);
		check_word(word);
		words[(*n)++] = word;
	}
	DEMAND(*n == WORDS || (conf.at == conf.end && conf.line == lines));
	return good;
}

static bool same_string(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The file says what its words say as arguments. */
static void check_same(const struct options *file, const struct options *arguments)
{
	DEMAND(file->debug == arguments->debug && file->ipc == arguments->ipc);
	DEMAND(file->include_root == arguments->include_root);
	DEMAND(file->per_user == arguments->per_user && file->linger == arguments->linger);
	DEMAND(file->on_open && file->on_close && arguments->on_open && arguments->on_close);
	DEMAND(file->grace == arguments->grace && file->at_fork == arguments->at_fork);
	DEMAND(file->private_places == arguments->private_places &&
		file->hidden == arguments->hidden);
	DEMAND(same_string(file->exempt, arguments->exempt));
	DEMAND(same_string(file->only, arguments->only));
	DEMAND(same_string(file->proc_options, arguments->proc_options));
	DEMAND(strcmp(file->conf, PATH) == 0 && !arguments->conf);
}

/* Arguments override the file, also one that is wrong. */
static void check_overridden(pam_handle_t *pamh, bool understood)
{
	const char *argv[] = {"grace=17", "scope=session"};
	struct options opts;

	if (understood)
		DEMAND(options_parse(pamh, 2, argv, &opts));
	else
		(void)options_parse(pamh, 2, argv, &opts);
	DEMAND(opts.grace == 17 && !opts.per_user && !opts.linger);
	options_free(&opts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *words[WORDS];
	char *text = as_string(data, size);
	struct options loud, quiet, arguments;
	int n, handle = 0;
	pam_handle_t *pamh = (pam_handle_t *)(void *)&handle;
	bool understood, good = take_words(text, size, words, &n);

	input = data;
	input_size = size;
	messages = 0;
	understood = options_parse(pamh, 0, NULL, &loud);
	/* 16 mistakes of the file, one of linger, one of private=mqueue */
	DEMAND(understood == (messages == 0) && messages <= 18);
	DEMAND(options_parse(NULL, 0, NULL, &quiet) == understood);
	DEMAND(quiet.exempt_stands == loud.exempt_stands && (loud.exempt_stands || !understood));
	if (understood) {
		DEMAND(good && options_parse_arguments(NULL, n, words, &arguments));
		check_same(&loud, &arguments);
		options_free(&arguments);
	}
	options_free(&loud);
	options_free(&quiet);
	check_overridden(pamh, understood);
	free(text);
	return 0;
}
