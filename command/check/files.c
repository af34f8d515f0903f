/* SPDX-License-Identifier: MIT */
/* The half of a check that reads: what the session lines say. */
#include "checks.h"
#include "config.h"
#include "module/options.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- one line ---------------------------------------------------------------------------------
 */

static void report_line(struct findings *findings, const struct pam_stack_line *line)
{
	char arguments[4096] = "";
	size_t n = 0;

	for (int i = 0; i < line->argc && n < sizeof(arguments); i++)
		n += (size_t)snprintf(arguments + n, sizeof(arguments) - n,
			strchr(line->argv[i], ' ') ? " [%s]" : " %s", line->argv[i]);
	findings_add_at(findings, FINDING_LINE, line->file, line->number,
		"%s line %u: %ssession %s%s%s %s%s", line->file, line->number,
		line->silent ? "-" : "", line->brackets ? "[" : "", line->control,
		line->brackets ? "]" : "", line->module, arguments);
}

/* PAM looks for a module without a path in two directories. */
static bool module_exists(const char *name)
{
	char path[512];

	if (name[0] == '/')
		return access(name, R_OK) == 0;
	(void)snprintf(path, sizeof(path), "%s/%s", SECUREDIR, name);
	if (access(path, R_OK) == 0)
		return true;
	(void)snprintf(path, sizeof(path), "/lib/security/%s", name);
	return access(path, R_OK) == 0;
}

/* Find a word in a list that spaces separate, and return what follows it; NULL: it is not there. */
static const char *after_word(const char *list, const char *word)
{
	for (const char *s = list; *s != '\0'; s += strcspn(s, " \t")) {
		s += strspn(s, " \t");
		if (strncmp(s, word, strlen(word)) == 0)
			return s + strlen(word);
	}
	return NULL;
}

/* Tell whether with the control "[…]" the session is refused when the module refuses, by
   PAM_SYSTEM_ERR. */
static bool refuses(const char *control)
{
	const char *action = after_word(control, "system_err=");

	if (!action)
		action = after_word(control, "default=");
	return action && (strncmp(action, "bad", 3) == 0 || strncmp(action, "die", 3) == 0);
}

static void check_control_word(struct findings *findings, const struct pam_stack_line *line)
{
	const char *control = line->control;

	if (strcasecmp(control, "requisite") == 0 || strcasecmp(control, "required") == 0)
		return;
	if (strcasecmp(control, "optional") == 0)
		findings_add_problem(findings, line,
			" has the control '%s': a user whom the module refuses gets in, unisolated. Write 'requisite'.",
			control);
	else if (strcasecmp(control, "sufficient") == 0)
		findings_add_problem(findings, line,
			" has the control '%s': the session lines that follow are skipped, and a user whom the module refuses gets in, unisolated. Write 'requisite'.",
			control);
	else
		findings_add_problem(findings, line,
			" has the control '%s', which PAM does not know. Write 'requisite'.",
			control);
}

/* Only "requisite" and "required" refuse the session when the module refuses. */
static void check_control(struct findings *findings, const struct pam_stack_line *line)
{
	if (!line->brackets)
		check_control_word(findings, line);
	else if (!refuses(line->control))
		findings_add_problem(findings, line,
			" has the control '[%s]', by which a user whom the module refuses may get in, unisolated. Write 'requisite'.",
			line->control);
	if (line->silent)
		findings_add_problem(findings, line,
			" begins with '-session': should the module be missing, everybody gets in, unisolated, and nothing says so. Write 'session'.");
}

/* Note what the line acts on: the opening, the closing. Its arguments and the configuration file
   are judged later, by the module's own parser. Tells whether it opens. */
static bool note_phases(struct check *check, struct pam_stack_line *line)
{
	struct options opts;

	(void)options_parse_arguments(NULL, line->argc, line->argv, &opts);
	if (opts.on_open && opts.on_close &&
		(pam_stack_line_has_argument(line, "open") ||
			pam_stack_line_has_argument(line, "close")))
		return false; /* both words: the parser complains */
	if (opts.on_open && !check->open)
		check->open = line;
	if (opts.on_close && !check->close)
		check->close = line;
	return opts.on_open;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static void check_lines(struct check *check)
{
	struct findings *findings = &check->findings;
	unsigned int opens = 0;

	for (size_t i = 0; i < check->stack.n; i++) {
		struct pam_stack_line *line = &check->stack.lines[i];

		if (!pam_stack_line_is_module(line, MODULE))
			continue;
		report_line(findings, line);
		check_control(findings, line);
		if (!module_exists(line->module))
			findings_add_problem(findings, line,
				": there is no module %s. Correct the path, or install the module in %s.",
				line->module, SECUREDIR);
		opens += note_phases(check, line);
	}
	if (opens > 1)
		findings_add(findings, FINDING_PROBLEM,
			"pam_unshare.so is listed %u times to open. The first isolates the session, and the arguments of the others have no effect: keep one of them.",
			opens);
}

static void check_missing(struct check *check)
{
	struct findings *findings = &check->findings;

	if (!check->open && !check->close)
		findings_add_at(findings, FINDING_PROBLEM, check->stack.file, 0,
			"no session line of %s, nor of a file that it includes, names pam_unshare.so. Add 'session requisite pam_unshare.so close' before the first session line, and 'session requisite pam_unshare.so open' after the last.",
			check->stack.file[0] ? check->stack.file : "the service");
	else if (!check->open)
		findings_add_problem(findings, check->close,
			" says 'close', and no line says 'open': nobody is isolated. Add 'session requisite pam_unshare.so open' after the last session line.");
	else if (!check->close)
		findings_add_problem(findings, check->open,
			" says 'open', and no line says 'close': the other modules are closed inside the session. Add 'session requisite pam_unshare.so close' before the first session line.");
}

void check_files(struct check *check)
{
	const bool harms = check_application(check);

	for (size_t i = 0; i < check->stack.n_faults; i++) {
		const struct pam_stack_fault *fault = &check->stack.faults[i];

		findings_add_at(&check->findings, FINDING_PROBLEM, fault->file, fault->number, "%s",
			fault->text);
	}
	check_lines(check);
	if (harms && !check->open)
		return; /* no advice to add what does harm */
	check_missing(check);
	if (check->open)
		check_order(check);
}
