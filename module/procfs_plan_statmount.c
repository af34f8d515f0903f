/* SPDX-License-Identifier: MIT */
/* A plan from what statmount(2) and listmount(2) answer. */
#include "common/syscalls.h"
#include "procfs_plan_internal.h"
#include "procfs_plan_make.h"

#include <stdlib.h>

/* Room for the strings of one mount: at first for those of most, at most for the path of a very
   deep directory. */
#define STRINGS_SIZE 3072
#define STRINGS_MAX (1 << 20)

/* How many procfs instances may be out of sight. */
#define UNLISTED_MAX 64

/* Ask for the strings of a mount. NULL, and the -errno in *err, if they need more room. */
static struct mount_answer *ask_strings(uint64_t id, size_t size, int *err)
{
	struct mount_answer *answer = malloc(sizeof(*answer) + size);

	*err = answer ? mount_ask_text(id, answer->buffer, size, &answer->text) : -ENOMEM;
	if (*err == 0)
		return answer;
	free(answer);
	return NULL;
}

/* The same with as much room as they need. The plan owns the answer. */
static int describe(struct procfs_plan *plan, uint64_t id, struct mount_text *text)
{
	struct mount_answer *answer = NULL;
	int err = -EOVERFLOW;

	for (size_t size = STRINGS_SIZE; err == -EOVERFLOW && size <= STRINGS_MAX; size *= 4)
		answer = ask_strings(id, size, &err);
	if (!answer)
		return err;
	answer->next = plan->answers;
	plan->answers = answer;
	*text = answer->text;
	return 0;
}

/* A mount that may have a role: only these need strings. */
static int add_described(struct procfs_plan *plan, uint64_t id, const struct mount_facts *facts)
{
	struct mount_text text = {.root = "/", .mount_point = "", .super_options = ""};
	int err = describe(plan, id, &text);

	if (err < 0 && err != -EOVERFLOW)
		return err;
	plan_add(plan,
		&(struct mount){.id = facts->id,
			.parent = facts->parent,
			.root = text.root,
			.mount_point = text.mount_point,
			.mount_options = facts->read_only ? "ro" : "rw",
			.fs_type = facts->procfs ? "proc" : "",
			.super_options = text.super_options},
		id);
	return 0;
}

static int add_mount(struct procfs_plan *plan, uint64_t id)
{
	struct mount_facts facts;
	int err = mount_ask(id, &facts);

	if (err == 0 && (facts.procfs || plan_find(plan, facts.parent) < plan->n_mounts))
		err = add_described(plan, id, &facts);
	if (err == 0)
		plan->entries[plan->n_entries++] = (struct mount_entry){
			.unique = id, .id = facts.id, .parent = facts.parent, .fuse = facts.fuse};
	return err == -ENOENT ? 0 : err; /* it has gone meanwhile */
}

/*
 * If the root directory is a part of its file system, listmount(2) leaves out what is mounted on a
 * directory that somebody has moved out of that part, and may move back. The ids of such mounts lie
 * between the root's and that of a mount that is made now: a new namespace's mounts are numbered
 * one after the other.
 */
static int add_unlisted(struct procfs_plan *plan, const uint64_t *ids, size_t n)
{
	struct mount_text root = {.root = "/"};
	struct mount_facts facts;
	uint64_t newest;
	int err = describe(plan, ids[0], &root);
	size_t i = 1, room = UNLISTED_MAX;

	if (err < 0 || strcmp(root.root, "/") == 0)
		return err;
	err = mount_id_bound(&newest);
	for (uint64_t id = ids[0] + 1; err == 0 && id < newest; id++) {
		while (i < n && ids[i] < id)
			i++;
		if ((i < n && ids[i] == id) || mount_ask(id, &facts) < 0 || !facts.procfs)
			continue;
		err = room-- > 0 ? add_mount(plan, id) : -ENOBUFS;
	}
	return err;
}

static int add_all(struct procfs_plan *plan, const uint64_t *ids, size_t n)
{
	int err = plan_allocate(plan, n + 1 + UNLISTED_MAX);

	for (size_t i = 0; err == 0 && i < n; i++)
		err = add_mount(plan, ids[i]);
	return err == 0 ? add_unlisted(plan, ids, n) : err;
}

int procfs_plan_from_statmount(
	const char *proc_options, struct procfs_plan **plan, struct failure *why)
{
	struct procfs_plan *new;
	uint64_t *ids;
	size_t n;
	int err = mounts_list(&ids, &n);

	if (err < 0)
		return -ENOSYS;
	new = calloc(1, sizeof(*new));
	err = new ? add_all(new, ids, n) : -ENOMEM;
	free(ids);
	if (err == -ENOBUFS) /* the table as text would not have them */
		(void)fail(why, ENOBUFS, "more than %d procfs instances are unreachable",
			UNLISTED_MAX);
	if (err < 0) {
		procfs_plan_free(new);
		return err == -ENOBUFS ? err : -ENOSYS;
	}
	new->mountinfo = -1;
	new->proc_options = proc_options;
	err = plan_check(new, why);
	if (err < 0)
		procfs_plan_free(new);
	else
		*plan = new;
	return err;
}
